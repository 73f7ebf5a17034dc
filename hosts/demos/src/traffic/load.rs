//! The load, and what it has come to.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use interloop::net::TcpListener;
use interloop::{Handle, Phase, Task};

use super::caller::Caller;
use super::{client, server};

/// The longest message. Such a one fits into the buffers of a connection.
pub(super) const LONGEST: usize = 16 * 1024;
/// How many round trips are kept until they are taken.
const ROUND_TRIPS: usize = 100_000;

/// What the load is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Load {
    /// How many clients are connected.
    pub clients: usize,
    /// How many messages each sends in a second; 0 is as many as come back.
    pub rate: u32,
    /// How many bytes a message has, at most 16 KiB.
    pub size: usize,
    /// How many calls a thread makes in a second.
    pub calls: u32,
}

impl Default for Load {
    fn default() -> Load {
        Load { clients: 0, rate: 50, size: 64, calls: 0 }
    }
}

/// What was counted from the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Messages that went to the server.
    pub sent: u64,
    /// Messages that came back.
    pub received: u64,
    /// Messages whose client was taken away while they were on their way.
    pub cut: u64,
    /// The bytes of those that came back, counted once.
    pub bytes: u64,
    /// Connections that failed.
    pub errors: u64,
}

/// A server and its clients.
///
/// When the reactor shuts down, the clients send no more, and what is on its way comes back before the sockets
/// are closed.
#[must_use = "the load ends when this is dropped"]
pub struct Traffic {
    inner: Rc<Inner>,
    clients: RefCell<Vec<Task<()>>>,
    caller: RefCell<Option<Caller>>,
    _server: Task<()>,
}

/// What the tasks of a load share.
pub(super) struct Inner {
    pub(super) handle: Handle,
    pub(super) address: SocketAddr,
    pub(super) load: Cell<Load>,
    pub(super) counts: Cell<Counts>,
    pub(super) draining: Cell<bool>,
    round_trips: RefCell<Vec<Duration>>,
    /// Waits for the last message that is on its way.
    drained: RefCell<Option<Waker>>,
}

impl Traffic {
    /// Starts the server, on a port of its own, without clients.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::bind`].
    pub fn start(handle: &Handle) -> io::Result<Traffic> {
        let listener = TcpListener::bind(handle, "127.0.0.1:0")?;
        let inner = Rc::new(Inner {
            handle: handle.handle(),
            address: listener.local_addr()?,
            load: Cell::default(),
            counts: Cell::default(),
            draining: Cell::new(false),
            round_trips: RefCell::default(),
            drained: RefCell::default(),
        });
        let draining = Rc::clone(&inner);
        let drain = async move { draining.drain().await };
        handle.on_shutdown(Phase::Before, drain)?.label("drain the traffic").detach();
        let server = handle.spawn_local(server::serve(handle.handle(), listener));
        let (clients, caller) = (RefCell::default(), RefCell::default());
        Ok(Traffic { inner, clients, caller, _server: server.label("server") })
    }

    /// Makes the load another.
    pub fn set(&self, load: Load) {
        let load = Load { size: load.size.clamp(1, LONGEST), ..load };
        let before = self.inner.load.replace(load);
        let mut clients = self.clients.borrow_mut();
        clients.truncate(load.clients);
        while clients.len() < load.clients && !self.inner.draining.get() {
            let client = client::run(Rc::clone(&self.inner));
            clients.push(self.inner.handle.spawn_local(client).label("client"));
        }
        if load.calls != before.calls {
            let caller = (load.calls > 0).then(|| Caller::start(&self.inner.handle, load.calls));
            self.caller.replace(caller);
        }
    }

    /// What it is.
    pub fn load(&self) -> Load {
        self.inner.load.get()
    }

    /// What it has come to.
    pub fn counts(&self) -> Counts {
        self.inner.counts.get()
    }

    /// The round trips of the messages that have come back since the last time.
    pub(super) fn take_round_trips(&self) -> Vec<Duration> {
        self.inner.round_trips.take()
    }
}

impl Inner {
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts.get();
        change(&mut counts);
        self.counts.set(counts);
        if self.is_drained() {
            let waiting = self.drained.take();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    pub(super) fn add_round_trip(&self, time: Duration) {
        let mut times = self.round_trips.borrow_mut();
        // Where nobody takes them, they are not kept for ever.
        if times.len() < ROUND_TRIPS {
            times.push(time);
        }
    }

    fn is_drained(&self) -> bool {
        let Counts { sent, received, cut, .. } = self.counts.get();
        sent == received + cut
    }

    async fn drain(&self) {
        self.draining.set(true);
        poll_fn(|context| {
            if self.is_drained() {
                return Poll::Ready(());
            }
            self.drained.replace(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic")
            .field("load", &self.load())
            .field("counts", &self.counts())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use interloop::Reactor;

    use super::*;

    /// Waits until so many messages have come back.
    fn run_until(reactor: &Reactor, traffic: &Traffic, received: u64) {
        let until = async {
            while traffic.counts().received < received {
                reactor.sleep(Duration::from_millis(1)).await;
            }
        };
        reactor.block_on(until).expect("the reactor runs");
    }

    #[test]
    fn messages_come_back_and_the_shutdown_waits_for_the_last() {
        let reactor = Reactor::new().expect("a backend opens here");
        let traffic = Traffic::start(&reactor).expect("loopback");
        traffic.set(Load { clients: 20, rate: 0, size: LONGEST, calls: 1_000 });
        run_until(&reactor, &traffic, 1_000);
        assert!(!traffic.take_round_trips().is_empty());
        let ended = reactor.finish(Duration::from_secs(60)).expect("nothing runs");
        assert!(ended.is_clean(), "{ended}");
        let counts = traffic.counts();
        assert_eq!((counts.sent, counts.cut, counts.errors), (counts.received, 0, 0));
        assert_eq!(counts.bytes, counts.received * LONGEST as u64);
        assert!(reactor.stats().calls > 0);
    }

    #[test]
    fn clients_come_and_go() {
        let reactor = Reactor::new().expect("a backend opens here");
        let traffic = Traffic::start(&reactor).expect("loopback");
        for clients in [5, 1, 10, 0, 3] {
            traffic.set(Load { clients, rate: 0, ..Load::default() });
            let wanted = traffic.counts().received + 50 * u64::from(clients > 0);
            run_until(&reactor, &traffic, wanted);
        }
        traffic.set(Load::default());
        assert!(reactor.finish(Duration::from_secs(60)).expect("nothing runs").is_clean());
        let Counts { sent, received, cut, errors, .. } = traffic.counts();
        assert_eq!((sent, errors), (received + cut, 0));
    }

    #[test]
    fn a_rate_is_kept() {
        let reactor = Reactor::new().expect("a backend opens here");
        let traffic = Traffic::start(&reactor).expect("loopback");
        let began = Instant::now();
        traffic.set(Load { clients: 1, rate: 100, ..Load::default() });
        run_until(&reactor, &traffic, 20);
        // Not faster than told. How much slower is the machine's affair.
        assert!(began.elapsed() >= Duration::from_millis(190));
    }
}
