//! Timers and sleeps, as the user holds them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use std::borrow::Cow;

use interloop_backends::Key;

use crate::clock::{Nanos, nanos};
use crate::core::Core;
use crate::label::Label;
use crate::timers::Fire;

/// A timer that was set with [`Handle::after`](crate::Handle::after),
/// [`at`](crate::Handle::at) or [`every`](crate::Handle::every).
///
/// Dropping it cancels the timer; [`detach`](Timer::detach) lets it go.
#[must_use = "dropping a timer cancels it; `detach` lets it go"]
pub struct Timer {
    core: Rc<Core>,
    /// None once it was detached, and where the reactor had closed its timers.
    key: Option<Key>,
}

impl Timer {
    pub(crate) fn set(core: &Rc<Core>, deadline: Nanos, label: Label, fire: Fire) -> Timer {
        // What is refused is dropped once the borrow has ended.
        let set = core.timers.borrow_mut().insert(deadline, label, fire);
        if set.is_ok() {
            core.timer_set(deadline);
        }
        Timer { core: Rc::clone(core), key: set.ok() }
    }

    /// Moves the timer to `delay` from now, be that earlier or later. A periodic timer goes on from
    /// there with its period. False when it has fired, or the reactor has closed its timers.
    pub fn reset(&self, delay: Duration) -> bool {
        self.move_to(self.core.in_time(delay))
    }

    /// Moves the timer to `instant`; one that has passed counts as now.
    pub fn reset_at(&self, instant: Instant) -> bool {
        self.move_to(self.core.at_time(instant))
    }

    /// True until it has fired for the last time.
    pub fn is_pending(&self) -> bool {
        self.key.is_some_and(|key| self.core.timers.borrow_mut().table.get_mut(key).is_some())
    }

    /// Names the timer, for reports and dumps.
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Timer {
        if let Some(key) = self.key {
            // Made before the borrow: the conversion is user code.
            let label = Label::named(label);
            if let Some(timer) = self.core.timers.borrow_mut().table.get_mut(key) {
                timer.label = label;
            }
        }
        self
    }

    /// Cancels the timer, as dropping it does.
    pub fn cancel(self) {}

    /// Lets the timer go: it fires without anybody holding it.
    pub fn detach(mut self) {
        self.key = None;
    }

    fn move_to(&self, deadline: Nanos) -> bool {
        let moved = self.key.is_some_and(|key| self.core.timers.borrow_mut().reset(key, deadline));
        if moved {
            self.core.timer_set(deadline);
        }
        moved
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.core.remove_timer(key);
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("pending", &self.is_pending()).finish()
    }
}

/// A sleep, from [`Handle::sleep`](crate::Handle::sleep).
///
/// It begins when the future is made, not when it is first polled. Once the reactor has closed its
/// timers, in the shutdown after the `Before` triggers, it ends at once: a trigger that sleeps does
/// not hang.
///
/// # Cancel safety
///
/// Dropping it ends the sleep, and nothing else.
#[must_use = "futures do nothing unless polled"]
pub struct Sleep {
    core: Rc<Core>,
    deadline: Nanos,
    label: Label,
    state: State,
}

enum State {
    New,
    Set(Key),
    Over,
}

impl Sleep {
    pub(crate) fn new(core: &Rc<Core>, delay: Duration, label: Label) -> Sleep {
        let deadline = core.in_time(delay);
        Sleep { core: Rc::clone(core), deadline, label, state: State::New }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.state {
            State::Over => return Poll::Ready(()),
            State::Set(key) => {
                // Wakers are user code: cloned before the borrow, and dropped after it.
                let mut waker = cx.waker().clone();
                let set = self.core.timers.borrow_mut().set_waker(key, &mut waker);
                if set {
                    return Poll::Pending;
                }
            }
            State::New if self.core.shared.clock.is_before(self.deadline) => {
                let fire = Fire::wake(cx.waker().clone());
                let label = self.label.clone();
                let set = self.core.timers.borrow_mut().insert(self.deadline, label, fire);
                if let Ok(key) = set {
                    self.state = State::Set(key);
                    self.core.timer_set(self.deadline);
                    return Poll::Pending;
                }
                ready!(self.core.spend_credit(cx));
            }
            State::New => ready!(self.core.spend_credit(cx)),
        }
        self.state = State::Over;
        Poll::Ready(())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let State::Set(key) = self.state {
            self.core.remove_timer(key);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("over", &matches!(self.state, State::Over)).finish()
    }
}

impl Core {
    /// The time that is `delay` from now.
    pub(crate) fn in_time(&self, delay: Duration) -> Nanos {
        self.shared.clock.now().saturating_add(nanos(delay))
    }

    /// The time of `instant`, or now where that has passed: in front of timers that are due, one
    /// that sets another for the past each time it runs would keep them from running.
    pub(crate) fn at_time(&self, instant: Instant) -> Nanos {
        self.shared.clock.at(instant).max(self.shared.clock.now())
    }

    /// Takes a timer out. If it is the one that the worker sleeps for, the worker learns of it at the end
    /// of the turn, or at once outside one: it is not to wake the host for a timer that is gone.
    pub(crate) fn remove_timer(self: &Rc<Core>, key: Key) {
        let timer = self.timers.borrow_mut().remove(key);
        let deadline = timer.as_ref().map(|timer| timer.deadline);
        if self.depth.get() == 0 && deadline == Some(self.shared.park.deadline()) {
            self.settle();
        }
        // The callback is user code: it goes once the borrow has ended.
        drop(timer);
    }

    /// A timer was set or moved: lets the worker know, if it would sleep too long.
    pub(crate) fn timer_set(self: &Rc<Core>, deadline: Nanos) {
        if deadline < self.shared.park.deadline()
            && self.timers.borrow_mut().earliest() == Some(deadline)
        {
            self.settle();
        }
    }
}
