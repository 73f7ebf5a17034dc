//! A real backend in a wrapper: every call goes on to it, past something that looks on or falls in.

use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use interloop::backends::{self, BorrowedSource, Event, Kept, Release};
use interloop::{BackendKind, Interest, Key, Mode, Poller};

/// What stands between a reactor and its backend.
pub trait Between: Send + Sync {
    /// In the place of the wait, which is `wait`.
    fn wait(
        &self,
        events: &mut Vec<Event>,
        wait: impl FnOnce(&mut Vec<Event>) -> io::Result<()>,
    ) -> io::Result<()>;

    /// Before a registration is changed.
    fn modifies(&self) {}

    /// Before the one who waits is notified.
    fn notifies(&self) {}

    /// Before the alarm is set.
    fn sets_alarm(&self) {}
}

pub struct Forwarding<B> {
    inner: Arc<dyn Poller>,
    between: B,
}

impl<B: Between> Forwarding<B> {
    /// Over the backend of this kind, which opened before.
    pub fn open(backend: BackendKind, between: B) -> Arc<Forwarding<B>> {
        let inner = backends::open(backend).expect("the backend opened before");
        Arc::new(Forwarding { inner, between })
    }
}

impl<B> Deref for Forwarding<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.between
    }
}

impl<B: Between> Poller for Forwarding<B> {
    fn kind(&self) -> BackendKind {
        self.inner.kind()
    }

    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        self.inner.add(source, key, interest, mode)
    }

    fn modify(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        self.between.modifies();
        self.inner.modify(source, key, interest, mode)
    }

    fn delete(&self, source: BorrowedSource<'_>, key: Key) -> Release {
        self.inner.delete(source, key)
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        self.between.wait(events, |events| self.inner.wait(events, timeout))
    }

    fn notify(&self) -> io::Result<()> {
        self.between.notifies();
        self.inner.notify()
    }

    fn applies_at_once(&self) -> bool {
        self.inner.applies_at_once()
    }

    fn has_edges(&self) -> bool {
        self.inner.has_edges()
    }

    fn reports_what_poll_does(&self) -> bool {
        self.inner.reports_what_poll_does()
    }

    fn has_levels(&self) -> bool {
        self.inner.has_levels()
    }

    fn keeps_closed(&self) -> bool {
        self.inner.keeps_closed()
    }

    fn is_stuck(&self) -> bool {
        self.inner.is_stuck()
    }

    fn renew(&self, kept: &[Kept<'_>], events: &mut Vec<Event>) -> io::Result<()> {
        self.inner.renew(kept, events)
    }

    fn tells_ends(&self) -> bool {
        self.inner.tells_ends()
    }

    fn descriptor(&self) -> Option<BorrowedSource<'_>> {
        self.inner.descriptor()
    }

    fn set_alarm(&self, after: Option<Duration>) -> io::Result<()> {
        self.between.sets_alarm();
        self.inner.set_alarm(after)
    }
}
