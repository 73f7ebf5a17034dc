//! Sleeps that may leave the host thread, which hyper demands of them.
//!
//! The timer itself lives on the host thread, as all timers do. A sleep shares an alarm with it: a
//! waker, under a lock. What happens on the host thread happens at once; from elsewhere a sleep sets
//! and removes its timer by a remote call.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use interloop_backends::Key;

use crate::clock::{Nanos, nanos};
use crate::core::Core;
use crate::handle::Handle;
use crate::label::Label;
use crate::local;
use crate::remote::Remote;
use crate::shared::Shared;
use crate::sync::{Mutex, lock};
use crate::timers::Fire;

/// The reactor's timers, for hyper's own limits.
///
/// It and its sleeps may go to other threads, which hyper demands and does not do. Once the reactor
/// has closed its timers, in its shutdown after the `Before` triggers, or is gone, a sleep ends at
/// once.
#[derive(Clone)]
pub struct Timer {
    shared: Arc<Shared>,
    label: Label,
}

impl Timer {
    /// The timers of a reactor.
    #[track_caller]
    pub fn new(handle: &Handle) -> Timer {
        Timer { shared: Arc::clone(&handle.core().shared), label: Label::caller() }
    }

    fn sleep_to(&self, deadline: Nanos) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(Sleep { timer: self.clone(), deadline, alarm: None })
    }
}

impl hyper::rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep_to(self.shared.clock.now().saturating_add(nanos(duration)))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        self.sleep_to(self.shared.clock.at(deadline))
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timer").field(&self.label).finish()
    }
}

struct Sleep {
    timer: Timer,
    deadline: Nanos,
    /// None until the first poll that has to wait.
    alarm: Option<Arc<Alarm>>,
}

impl hyper::rt::Sleep for Sleep {}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(alarm) = &self.alarm {
            return alarm.poll(cx);
        }
        let shared = &self.timer.shared;
        if self.deadline <= shared.clock.now() || shared.check().is_err() {
            return Poll::Ready(());
        }
        let alarm = Arc::<Alarm>::default();
        let waits = alarm.poll(cx);
        let bell = Bell(Arc::clone(&alarm));
        self.alarm = Some(alarm);
        // Refused, the bell is dropped and rings, which asks for another poll.
        let (deadline, label) = (self.deadline, self.timer.label.clone());
        on_host(&self.timer.shared, move |core| set(core, deadline, label, bell));
        waits
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.alarm.take().and_then(|alarm| alarm.silence()) {
            on_host(&self.timer.shared, move |core| core.remove_timer(key));
        }
    }
}

/// What a sleep and its timer share.
#[derive(Default)]
struct Alarm {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// True once it has rung, or nobody sleeps any more.
    over: bool,
    /// Who sleeps.
    waker: Option<Waker>,
    /// The timer, from when it is set until it is over.
    timer: Option<Key>,
}

impl Alarm {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Wakers are user code: cloned before the lock, and dropped after it.
        let waker = cx.waker().clone();
        let mut state = lock(&self.state);
        if state.over {
            return Poll::Ready(());
        }
        let old = state.waker.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Remembers the timer, unless it is over already.
    fn keep(&self, timer: Key) -> bool {
        let mut state = lock(&self.state);
        if !state.over {
            state.timer = Some(timer);
        }
        !state.over
    }

    fn ring(&self) {
        if let Some(waker) = self.end().waker {
            waker.wake();
        }
    }

    /// Lets nobody sleep any more, and gives the timer that is still set.
    fn silence(&self) -> Option<Key> {
        self.end().timer
    }

    fn end(&self) -> State {
        std::mem::replace(&mut *lock(&self.state), State { over: true, ..State::default() })
    }
}

/// The timer's side of an alarm: rings when the timer fires or is closed, and when it is dropped, be
/// it with a call that never ran, so that a sleep waits for nothing that does not come.
struct Bell(Arc<Alarm>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// Sets the timer of a sleep, on the host thread.
fn set(core: &Rc<Core>, deadline: Nanos, label: Label, bell: Bell) {
    let alarm = Arc::clone(&bell.0);
    let fire = Fire::wake(Waker::from(Arc::new(bell)));
    // What is refused is dropped, and rings, once the borrow has ended.
    let set = core.timers.borrow_mut().insert(deadline, label, fire);
    if let Ok(key) = set {
        if alarm.keep(key) {
            core.timer_set(deadline);
        } else {
            core.remove_timer(key);
        }
    }
}

/// Does something on the host thread: now, if this is it. Drops it when the reactor is gone.
fn on_host(shared: &Arc<Shared>, work: impl FnOnce(&Rc<Core>) + Send + 'static) {
    let id = shared.id;
    let call = move || {
        if let Some(core) = local::find(id) {
            work(&core);
        }
    };
    if shared.is_host() {
        call();
    } else {
        // A call that is refused comes back, and is dropped.
        let _gone = Remote::new(shared).call(call);
    }
}
