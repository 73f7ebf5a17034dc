//! The whole reactor at work in one program, with no toolkit:
//! `cargo run --release --example tour`.
//!
//! A host loop, which is a queue and a condvar, has a reactor for a guest. A TCP server and 100
//! clients live on the host thread; half of the clients are callbacks, half are tasks. Each sends a
//! message, waits for its echo, and sends the next one. A timer beats, threads call in, and at the
//! end there is an orderly shutdown. All of it is done on each backend that opens here, and the
//! program fails when a message is missing or the shutdown had to abandon something.

#[path = "tour/clients.rs"]
mod clients;
#[path = "tour/host.rs"]
mod host;
#[path = "tour/options.rs"]
mod options;
#[path = "tour/outcome.rs"]
mod outcome;
#[path = "tour/server.rs"]
mod server;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use host::{Host, Message};
use interloop::{BackendKind, Handle, Interest, Phase, Reactor, Remote};
use options::Options;
use outcome::Outcome;

const BEATS: u64 = 5;
const BEAT: Duration = Duration::from_millis(5);
const THREADS: u64 = 4;
const CALLS_PER_THREAD: u64 = 250;
/// How long the end of the shutdown may take before it abandons what is left.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    match tours(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the tour on each backend, and tells. True when nothing was missing anywhere.
fn tours(options: &Options) -> io::Result<bool> {
    let mut outcomes = Vec::new();
    for &backend in &options.backends {
        let outcome = tour(backend, options.messages)
            .map_err(|error| io::Error::new(error.kind(), format!("{backend}: {error}")))?;
        outcomes.push(outcome);
    }
    outcome::print(&outcomes, options.json)?;
    Ok(outcomes.iter().all(Outcome::is_complete))
}

/// The tour on one backend: joins a reactor to a host loop, sets everything going, runs the host
/// loop until the reactor has shut down, and counts.
fn tour(backend: BackendKind, messages: u64) -> io::Result<Outcome> {
    let began = Instant::now();
    let host = Arc::new(Host::default());
    let reactor = Reactor::builder().backend(backend).build()?;

    // This is all that joins the two. The reactor's worker thread calls the closure when there is
    // something to do; the host runs the tick on its own thread, and with it every callback.
    let queue = Arc::clone(&host);
    reactor.interleave(move |tick| queue.post(Message::Tick(tick)))?;

    let tally = Rc::new(Tally::default());
    let party = Arc::new(Party { remote: reactor.remote(), calls: AtomicU64::new(0) });
    let server = server::start(&reactor, &tally)?;
    clients::start(&reactor, server, messages, &party, &tally)?;
    start_beating(&reactor, &party, &tally);
    let threads = start_threads(&party);
    give_up_in_time(&reactor, messages);
    plan_the_end(&reactor, server, &host)?;
    // From here on, the guests alone decide when the party is over.
    drop(party);

    host.run();

    // The shutdown has quit the host, and is over. Had the host ended for another reason, this would
    // complete the shutdown. In both cases it says what was abandoned.
    let finished = reactor.finish(PATIENCE)?;
    let mut troubles = tally.troubles.take();
    for thread in threads {
        let called_in = thread.join().expect("a thread that calls in does not panic");
        // A tour that was cut short leaves calls behind; why it was comes before that.
        troubles.extend(called_in.err().map(|error| format!("a thread that calls in: {error}")));
    }
    troubles.extend(finished.abandoned.iter().map(|what| format!("abandoned: {what}")));
    troubles.extend(finished.failed.iter().map(|what| format!("failed: {what}")));
    Ok(Outcome {
        backend,
        messages,
        echoed: tally.echoed.get(),
        beats: tally.beats.get(),
        stats: reactor.stats(),
        time: began.elapsed(),
        troubles,
    })
}

/// What callbacks and tasks count. All of them run on the host thread, so that a `Cell` does where
/// others need a lock.
#[derive(Default)]
struct Tally {
    echoed: Cell<u64>,
    beats: Cell<u64>,
    troubles: RefCell<Vec<String>>,
}

impl Tally {
    fn trouble(&self, who: impl Display, error: &io::Error) {
        self.troubles.borrow_mut().push(format!("{who}: {error}"));
    }
}

fn add_one(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

/// Whatever has something left to do is a guest of the party, by an `Arc`. When the last has gone,
/// on whatever thread, the reactor is asked to stop.
struct Party {
    remote: Remote,
    /// The calls that have run. The host thread alone counts them and looks; what they carry comes from
    /// other threads, though, and has to be `Sync`. Relaxed: the count publishes nothing but itself.
    calls: AtomicU64,
}

impl Drop for Party {
    fn drop(&mut self) {
        // Returns at once. The shutdown takes as many turns as it needs.
        self.remote.stop();
    }
}

/// Starts a timer that beats a few times. Its callback holds the guest, and is dropped at the end.
fn start_beating(reactor: &Handle, guest: &Arc<Party>, tally: &Rc<Tally>) {
    let (guest, tally) = (Arc::clone(guest), Rc::clone(tally));
    let beat = move || {
        let _guest = &guest;
        add_one(&tally.beats);
        if tally.beats.get() < BEATS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    // Dropping a timer cancels it. Detached, it goes on by itself.
    reactor.every(BEAT, beat).label("the beat").detach();
}

/// Starts threads that call in: that have closures run on the host thread.
fn start_threads(party: &Arc<Party>) -> Vec<JoinHandle<io::Result<()>>> {
    let start = |_| {
        let guest = Arc::clone(party);
        thread::spawn(move || call_in(&guest))
    };
    (0..THREADS).map(start).collect()
}

fn call_in(party: &Arc<Party>) -> io::Result<()> {
    let count = |party: &Party| party.calls.fetch_add(1, Ordering::Relaxed) + 1;
    for _ in 0..CALLS_PER_THREAD {
        let guest = Arc::clone(party);
        party.remote.call(move || {
            count(&guest);
        })?;
    }
    // The calls of a thread run in their order: when this one answers, the others have run.
    let guest = Arc::clone(party);
    let ran = party.remote.call_blocking(move || count(&guest))?;
    if ran > CALLS_PER_THREAD { Ok(()) } else { Err(io::Error::other("calls are missing")) }
}

/// Sees to it that the tour ends, even if a message should get lost.
fn give_up_in_time(reactor: &Handle, messages: u64) {
    let limit = Duration::from_secs(60) + Duration::from_millis(messages);
    let remote = reactor.remote();
    reactor.after(limit, move || remote.stop()).label("the time limit").detach();
}

/// Says what the shutdown is to do.
fn plan_the_end(reactor: &Handle, server: SocketAddr, host: &Arc<Host>) -> io::Result<()> {
    // Before anything closes: network, timers and tasks still work, and the shutdown waits.
    let goodbye = say_goodbye(reactor.handle(), server);
    reactor.on_shutdown(Phase::Before, goodbye)?.label("the goodbye").detach();
    // After everything has closed: there is nothing left to do but to quit the host.
    let host = Arc::clone(host);
    let quit = async move { host.post(Message::Quit) };
    reactor.on_shutdown(Phase::After, quit)?.label("quit the host").detach();
    Ok(())
}

async fn say_goodbye(reactor: Handle, server: SocketAddr) -> io::Result<()> {
    const GOODBYE: &[u8] = b"goodbye";
    let stream = reactor.source(clients::connect(server)?)?.label("the goodbye");
    stream.get_ref().write_all(GOODBYE)?;
    let mut echo = Vec::with_capacity(GOODBYE.len());
    while echo.len() < GOODBYE.len() {
        stream.ready(Interest::READABLE).await?;
        let mut bytes = [0; GOODBYE.len()];
        match unless_blocked(stream.get_ref().read(&mut bytes))? {
            Some(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => echo.extend_from_slice(&bytes[..count.unwrap_or(0)]),
        }
    }
    if echo == GOODBYE { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// None where the operation would have blocked. Readiness is a hint, and this is no error.
fn unless_blocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
