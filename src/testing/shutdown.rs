//! Claim 4: the end in every order.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::host::Host;
use super::leaks::Leaks;
use super::traffic::Traffic;
use super::trial::{NEVER, Trial, reactor};
use crate::{Handle, Interest, Phase, Remote};

/// How many messages have gone round when the end comes.
const MESSAGES: u64 = 100;
const GOODBYE: [u8; 7] = *b"goodbye";
const END: [u8; 7] = *b"the end";
/// How often goodbye is said, each time after an answer.
const ROUNDS: u32 = 3;
/// How many calls a thread makes before it waits for one.
const AHEAD: u64 = 100;
/// How long the worker may post to what is gone.
const POSTING: Duration = Duration::from_millis(50);

/// What ends first.
#[derive(Clone, Copy, PartialEq, Debug)]
enum First {
    /// The user closes the window.
    Window,
    /// A callback of the toolkit quits the loop.
    Loop,
    /// A callback stops the reactor.
    Stop,
    /// Another thread stops the reactor.
    RemoteStop,
    /// The loop quits, and what the adapter posts to is destroyed before the adapter lets go.
    Toolkit,
    /// The loop quits, and the reactor is dropped without a shutdown.
    Reactor,
}

pub(super) fn cases<H: Host>() -> Vec<(&'static str, fn())> {
    vec![
        ("shutdown::the_window_is_closed", || shutdown::<H>(First::Window)),
        ("shutdown::the_toolkit_quits", || shutdown::<H>(First::Loop)),
        ("shutdown::stop_in_a_callback", || shutdown::<H>(First::Stop)),
        ("shutdown::stop_on_another_thread", || shutdown::<H>(First::RemoteStop)),
        ("shutdown::the_toolkit_is_destroyed", || shutdown::<H>(First::Toolkit)),
        ("shutdown::the_reactor_is_dropped", || shutdown::<H>(First::Reactor)),
    ]
}

fn shutdown<H: Host>(first: First) {
    let trial = Trial::<H>::open_with(|| match first {
        // It posts again and again, so that it does so when the toolkit is destroyed.
        First::Toolkit => reactor(Duration::from_millis(1)),
        _ => reactor(NEVER),
    });
    let leaks = Leaks::begin::<H>();
    trial.attach();
    let server = Server::start();
    let said = Rc::new(Cell::new(false));
    say_goodbye(&trial.reactor, server.address, &said);
    let posters = Posters::start(&trial.reactor);
    trial.wait_for("the traffic before the end");
    end_after_some_messages(&trial, first);
    trial.run();
    if first == First::Toolkit {
        trial.host.destroy();
        let_it_post(&trial.reactor);
    }
    if first == First::Reactor {
        Trial::drop_reactor(trial).destroy();
        posters.end();
    } else {
        trial.detach();
        assert!(said.get(), "a Before trigger did not come to its end");
        let (made, ran) = posters.end();
        assert_eq!(made, ran, "calls that were taken, and that ran");
        if first != First::Toolkit {
            trial.host.destroy();
        }
        drop(trial);
    }
    server.end();
    leaks.end();
}

/// Lets some messages go round, and then brings the end. Others are on their way.
fn end_after_some_messages<H: Host>(trial: &Rc<Trial<H>>, first: First) {
    let traffic = Traffic::start(&trial.reactor, 2);
    trial.each_frame(move |trial| {
        if traffic.received() < MESSAGES {
            return false;
        }
        trial.wait_for("the end of the loop");
        let reactor = trial.reactor.handle();
        match first {
            First::Window => {
                trial.will_end();
                trial.host.close();
            }
            First::Loop | First::Toolkit | First::Reactor => trial.quit(),
            First::Stop => {
                trial.will_end();
                trial.reactor.after(Duration::ZERO, move || reactor.stop()).detach();
            }
            First::RemoteStop => {
                trial.will_end();
                let remote = reactor.remote();
                thread::spawn(move || remote.stop()).join().expect("it stops");
            }
        }
        true
    });
}

/// Gives the worker the time to post to what is gone. An adapter that knows that it is gone does not.
fn let_it_post(reactor: &Handle) {
    let (before, limit) = (reactor.stats().wakes_issued, Instant::now() + POSTING);
    while reactor.stats().wakes_issued < before + 3 && Instant::now() < limit {
        thread::sleep(Duration::from_millis(1));
    }
}

/// A server of another thread, to which goodbye can be said.
struct Server {
    address: SocketAddr,
    thread: JoinHandle<io::Result<()>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback can listen");
        let address = listener.local_addr().expect("it listens");
        let serve = move || loop {
            let (mut client, _) = listener.accept()?;
            let mut word = [0; GOODBYE.len()];
            for _ in 0..ROUNDS {
                client.read_exact(&mut word)?;
                if word == END {
                    return Ok(());
                }
                client.write_all(&word)?;
            }
        };
        Server { address, thread: thread::spawn(serve) }
    }

    fn end(self) {
        let told = TcpStream::connect(self.address).and_then(|mut stream| stream.write_all(&END));
        told.expect("the server listens");
        self.thread.join().expect("the server ends").expect("the server serves");
    }
}

/// Has a `Before` trigger talk to the server, for several turns.
fn say_goodbye(reactor: &Handle, address: SocketAddr, said: &Rc<Cell<bool>>) {
    let (handle, said) = (reactor.handle(), Rc::clone(said));
    let goodbye = async move {
        let stream = TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        let source = handle.source(stream)?;
        let mut stream = source.get_ref();
        for _ in 0..ROUNDS {
            stream.write_all(&GOODBYE)?;
            let mut word = [0; GOODBYE.len()];
            let mut got = 0;
            while got < word.len() {
                source.ready(Interest::READABLE).await?;
                match stream.read(&mut word[got..]) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => got += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
        said.set(true);
        io::Result::Ok(())
    };
    let trigger = reactor.on_shutdown(Phase::Before, goodbye).expect("it has not stopped");
    trigger.label("goodbye").detach();
}

/// Threads that make calls until they are refused.
struct Posters {
    ran: Arc<AtomicU64>,
    threads: Vec<JoinHandle<u64>>,
}

impl Posters {
    fn start(reactor: &Handle) -> Posters {
        let ran = Arc::new(AtomicU64::new(0));
        let threads = (0..2).map(|_| {
            let (remote, ran) = (reactor.remote(), Arc::clone(&ran));
            thread::spawn(move || post(&remote, &ran))
        });
        Posters { threads: threads.collect(), ran }
    }

    /// How many calls were taken, and how many ran.
    fn end(self) -> (u64, u64) {
        let made = self.threads.into_iter().map(|thread| thread.join().expect("it ends")).sum();
        (made, self.ran.load(Ordering::Relaxed))
    }
}

/// Makes calls until they are refused, and tells how many were taken.
fn post(remote: &Remote, ran: &Arc<AtomicU64>) -> u64 {
    for made in 0.. {
        let count = Arc::clone(ran);
        let call = move || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        // Now and then one is waited for, so that the host is not buried in calls.
        let waits = made % AHEAD == AHEAD - 1;
        let refused =
            if waits { remote.call_blocking(call).is_err() } else { remote.call(call).is_err() };
        if refused {
            return made;
        }
    }
    unreachable!("the reactor ends before the numbers do")
}
