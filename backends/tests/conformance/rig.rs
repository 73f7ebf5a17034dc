//! What the trials have in common: a backend, and ways to wait for what it reports.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use interloop_backends::{
    BackendKind, Event, Interest, Key, Mode, Poller, Readiness, Release, open,
};

/// How long something that must happen may take. Nothing is asserted about it.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A backend under test, waited on by the thread that registers.
pub(crate) struct Rig {
    pub(crate) poller: Arc<dyn Poller>,
    next_slot: Cell<u32>,
    /// Reported, and not asked for yet.
    seen: RefCell<Vec<Event>>,
}

impl Rig {
    pub(crate) fn open(kind: BackendKind) -> Rig {
        let poller = open(kind).expect("it opened before");
        assert_eq!(poller.kind(), kind);
        Rig { poller, next_slot: Cell::new(0), seen: RefCell::default() }
    }

    pub(crate) fn kind(&self) -> BackendKind {
        self.poller.kind()
    }

    /// A key that was not given out before.
    pub(crate) fn new_key(&self) -> Key {
        let slot = self.next_slot.get();
        self.next_slot.set(slot + 1);
        Key::new(slot, 3)
    }

    pub(crate) fn add(&self, source: &impl AsFd, interest: Interest) -> Key {
        let key = self.new_key();
        self.poller.add(source.as_fd(), key, interest, Mode::Oneshot).expect("add");
        key
    }

    pub(crate) fn arm(&self, source: &impl AsFd, key: Key, interest: Interest) {
        self.poller.modify(source.as_fd(), key, interest, Mode::Oneshot).expect("modify");
    }

    /// Registers in the mode `Edge`. None where there are no edges, which is said then.
    pub(crate) fn add_edge(&self, source: &impl AsFd, interest: Interest) -> Option<Key> {
        let key = self.new_key();
        let added = self.poller.add(source.as_fd(), key, interest, Mode::Edge);
        if self.poller.has_edges() {
            added.expect("add");
            return Some(key);
        }
        assert_eq!(added.unwrap_err().kind(), ErrorKind::Unsupported);
        None
    }

    /// Registers in the mode `Level`. None where there are no levels, which is said then.
    pub(crate) fn add_level(&self, source: &impl AsFd, interest: Interest) -> Option<Key> {
        let key = self.new_key();
        let added = self.poller.add(source.as_fd(), key, interest, Mode::Level);
        if self.poller.has_levels() {
            added.expect("add");
            return Some(key);
        }
        assert_eq!(added.unwrap_err().kind(), ErrorKind::Unsupported);
        None
    }

    /// Deletes, and waits until the backend has let go.
    pub(crate) fn delete(&self, source: &impl AsFd, key: Key) {
        if self.poller.delete(source.as_fd(), key) == Release::Later {
            self.until(
                "a release",
                |event| matches!(event, Event::Released { key: k } if k == key),
            );
        }
    }

    /// Waits until `key` is ready, and takes that event.
    pub(crate) fn ready(&self, key: Key) -> Readiness {
        let ready = |event: Event| matches!(event, Event::Ready { key: k, .. } if k == key);
        match self.until("an event", ready) {
            Event::Ready { readiness, .. } => readiness,
            Event::Released { .. } => unreachable!(),
        }
    }

    /// What is reported of `key` now, if anything is.
    pub(crate) fn try_ready(&self, key: Key) -> Option<Readiness> {
        self.wait(Duration::ZERO);
        let mut seen = self.seen.borrow_mut();
        let about = |event: &Event| matches!(event, Event::Ready { key: k, .. } if *k == key);
        match seen.iter().position(about).map(|position| seen.remove(position)) {
            Some(Event::Ready { readiness, .. }) => Some(readiness),
            _ => None,
        }
    }

    /// Asserts that everything about `key` that the kernel knows has been reported and taken.
    pub(crate) fn assert_quiet(&self, key: Key) {
        // The first wait may end for another reason.
        (0..3).for_each(|_| self.wait(Duration::ZERO));
        let seen = self.seen.borrow();
        let about = |event: &&Event| matches!(event, Event::Ready { key: k, .. } if *k == key);
        assert_eq!(seen.iter().find(about), None);
    }

    /// One wait; what it reports is kept.
    pub(crate) fn wait(&self, timeout: Duration) {
        self.poller.wait(&mut self.seen.borrow_mut(), Some(timeout)).expect("wait");
    }

    fn until(&self, what: &str, wanted: impl Fn(Event) -> bool) -> Event {
        let end = Instant::now() + LIMIT;
        loop {
            let position = self.seen.borrow().iter().position(|event| wanted(*event));
            if let Some(position) = position {
                return self.seen.borrow_mut().remove(position);
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come; seen: {:?}", self.seen.borrow());
            self.wait(left);
        }
    }
}

/// Two connected sockets that do not block.
pub(crate) fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().expect("socketpair");
    near.set_nonblocking(true).expect("set_nonblocking");
    far.set_nonblocking(true).expect("set_nonblocking");
    (near, far)
}

/// A pipe: the end to read from, and the end to write to.
pub(crate) fn pipe() -> (File, File) {
    let (read, write) = rustix::pipe::pipe().expect("pipe");
    (read.into(), write.into())
}
