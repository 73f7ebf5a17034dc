//! The tick that is on its way to a window.

use std::sync::{Mutex, MutexGuard, PoisonError};

use interloop::Tick;

/// What the window and those who post to it share: whether there is a window, and the tick.
///
/// The message itself carries nothing, so one that is lost, repeated, or sent by somebody else does no harm.
pub(crate) struct Mailbox<W> {
    state: Mutex<State<W>>,
}

struct State<W> {
    /// The window, until it is destroyed.
    window: Option<W>,
    tick: Option<Tick>,
}

impl<W: Copy> Mailbox<W> {
    pub(crate) fn new() -> Mailbox<W> {
        Mailbox { state: Mutex::new(State { window: None, tick: None }) }
    }

    pub(crate) fn open(&self, window: W) {
        self.lock().window = Some(window);
    }

    /// Puts a tick, if `send` can send word of it to the window. Otherwise the tick is dropped, a failed
    /// post.
    ///
    /// The lock is held meanwhile, so that the window cannot go, and its number come to mean another one.
    pub(crate) fn post(&self, tick: Tick, send: impl FnOnce(W) -> bool) {
        let mut state = self.lock();
        let rest = match state.window {
            Some(window) if send(window) => {
                // The reactor has grown impatient. The new tick stands for both.
                if let Some(old) = state.tick.replace(tick) {
                    old.detach();
                }
                None
            }
            _ => Some(tick),
        };
        drop(state);
        drop(rest);
    }

    pub(crate) fn has_tick(&self) -> bool {
        self.lock().tick.is_some()
    }

    pub(crate) fn take(&self) -> Option<Tick> {
        self.lock().tick.take()
    }

    pub(crate) fn window(&self) -> Option<W> {
        self.lock().window
    }

    /// There is no window from here on. A tick that has not come is a failed post.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.window = None;
        let tick = state.tick.take();
        drop(state);
        drop(tick);
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use interloop::Reactor;

    use super::*;

    /// As a queue that is full for a while refuses.
    #[test]
    fn a_post_that_is_refused_is_repeated() {
        const REFUSED: u32 = 3;
        let reactor = Reactor::new().expect("a backend opens here");
        let mailbox = Arc::new(Mailbox::new());
        mailbox.open(());
        let sent = Arc::new(AtomicU32::new(0));
        let (posted_to, count) = (Arc::clone(&mailbox), Arc::clone(&sent));
        let waker = move |tick| {
            posted_to.post(tick, |()| count.fetch_add(1, Ordering::Relaxed) >= REFUSED);
        };
        reactor.interleave(waker).expect("nothing else drives it");
        reactor.remote().call(|| ()).expect("the reactor lives");
        while !mailbox.has_tick() {
            std::thread::yield_now();
        }
        mailbox.take().expect("it is there").run();
        let stats = reactor.stats();
        assert_eq!((stats.calls, stats.wakes_failed), (1, u64::from(REFUSED)));
        let finished = reactor.finish(Duration::from_secs(10)).expect("no callback runs");
        assert!(finished.is_clean(), "{finished}");
    }

    #[test]
    fn nothing_is_posted_to_a_window_that_is_gone() {
        let reactor = Reactor::new().expect("a backend opens here");
        let mailbox = Arc::new(Mailbox::<()>::new());
        mailbox.open(());
        mailbox.close();
        let posted_to = Arc::clone(&mailbox);
        let waker = move |tick| posted_to.post(tick, |()| panic!("it was posted"));
        reactor.interleave(waker).expect("nothing else drives it");
        reactor.remote().call(|| ()).expect("the reactor lives");
        assert!(!mailbox.has_tick());
        assert!(reactor.stats().wakes_failed > 0);
        let finished = reactor.finish(Duration::from_secs(10)).expect("no callback runs");
        assert!(finished.is_clean(), "{finished}");
    }
}
