//! The handle that callbacks and tasks use.

mod driving;

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::rc::Rc;
#[cfg(feature = "unblock")]
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use interloop_backends::{AsSource, BackendKind, Interest, Readiness};

use crate::action::Action;
use crate::clock::nanos;
use crate::core::Core;
use crate::dump::Dump;
use crate::label::Label;
#[cfg(feature = "unblock")]
use crate::pool::{Answer, Running, unblock};
use crate::remote::Remote;
use crate::shutdown::Phase;
use crate::source::{RegisterError, Source};
use crate::sources::{Listener, Object, Registered, Watched};
use crate::stats::Stats;
use crate::task::Task;
use crate::timer::{Sleep, Timer};
use crate::timers::Fire;
use crate::trigger::{Trigger, TriggerOutcome};

/// A handle of a [`Reactor`](crate::Reactor) on its host thread, for callbacks and tasks to use.
///
/// It does not keep the reactor alive: when that is gone, every method answers so.
#[derive(Clone)]
pub struct Handle {
    core: Rc<Core>,
}

impl Handle {
    pub(crate) fn new(core: Rc<Core>) -> Handle {
        Handle { core }
    }

    pub(crate) fn core(&self) -> &Rc<Core> {
        &self.core
    }

    /// One more handle.
    pub fn handle(&self) -> Handle {
        self.clone()
    }

    /// The handle for all other threads.
    pub fn remote(&self) -> Remote {
        Remote::new(&self.core.shared)
    }

    /// Which backend the reactor has.
    pub fn backend(&self) -> BackendKind {
        self.core.shared.poller.kind()
    }

    /// Registers an object: `callback` is called on the host thread, in a turn, when the object is
    /// ready for `interest`, and says what happens next. Readiness is a hint: the operation itself
    /// may still answer `WouldBlock`.
    ///
    /// The reactor owns the object and lends it to the callback. What somebody else owns too, such
    /// as a toolkit's display connection, is registered as an `Rc` or an `Arc`.
    ///
    /// A panic of the callback ends this registration only. It comes out of the turn, once
    /// everything else in the turn has run.
    ///
    /// # Errors
    ///
    /// With the object handed back: `AlreadyExists` when its descriptor is registered already;
    /// `Unsupported` when the backend cannot watch it, as a regular file, which is always ready
    /// (`/dev/null` is another that epoll refuses, while poll and select say that it is ready);
    /// `InvalidInput` when its number is above a limit; `NotConnected` when the reactor has closed
    /// its sources; the backend's own error when that has failed.
    #[track_caller]
    pub fn register<T, F>(
        &self,
        io: T,
        interest: Interest,
        callback: F,
    ) -> Result<Source<T>, RegisterError<T>>
    where
        T: AsSource + 'static,
        F: FnMut(&T, Readiness) -> Action + 'static,
    {
        self.add_listener(io, interest, Some(callback), Label::caller())
    }

    /// Registers an object without a callback, for [`Source::ready`].
    ///
    /// # Errors
    ///
    /// As [`register`](Handle::register).
    #[track_caller]
    pub fn source<T: AsSource + 'static>(&self, io: T) -> Result<Source<T>, RegisterError<T>> {
        let none: Option<fn(&T, Readiness) -> Action> = None;
        self.add_listener(io, Interest::NONE, none, Label::caller())
    }

    fn add_listener<T, F>(
        &self,
        io: T,
        interest: Interest,
        callback: Option<F>,
        label: Label,
    ) -> Result<Source<T>, RegisterError<T>>
    where
        T: AsSource + 'static,
        F: FnMut(&T, Readiness) -> Action + 'static,
    {
        let object = Object { io, hears: Listener::new(callback) };
        let (registration, object) = self.add_source(object, interest, label)?;
        Ok(Source::new(registration, object))
    }

    /// Registers an object with those who hear of it.
    pub(crate) fn add_source<T: 'static, H: 'static>(
        &self,
        object: Object<T, H>,
        interest: Interest,
        label: Label,
    ) -> Result<Registered<T, H>, RegisterError<T>>
    where
        Object<T, H>: Watched,
    {
        let object = Rc::new(object);
        let add = |()| {
            let watched = Rc::clone(&object);
            self.core.add_source(watched, interest, label)
        };
        match self.check_sources().and_then(add) {
            Ok(registration) => Ok((registration, object)),
            Err(error) => match Rc::into_inner(object) {
                Some(Object { io, .. }) => Err(RegisterError { error, io }),
                None => unreachable!("a refused object has no other owner"),
            },
        }
    }

    pub(crate) fn check_sources(&self) -> io::Result<()> {
        self.core.check_open()?;
        self.core.shared.worker.failure().map_or(Ok(()), Err)
    }

    /// Calls `f` once, in a turn, when `delay` has passed, never earlier. A zero delay means the
    /// next turn, not this one. Timers run in the order of their deadlines, and those of one
    /// deadline in the order in which they were set.
    ///
    /// Once the reactor has closed its timers, `f` is dropped, and the timer is not pending.
    #[track_caller]
    pub fn after(&self, delay: Duration, f: impl FnOnce() + 'static) -> Timer {
        let deadline = self.core.in_time(delay);
        Timer::set(&self.core, deadline, Label::caller(), Fire::once(f))
    }

    /// Calls `f` once, in a turn, when `instant` has come; one that has passed counts as now, and
    /// means the next turn.
    #[track_caller]
    pub fn at(&self, instant: Instant, f: impl FnOnce() + 'static) -> Timer {
        let deadline = self.core.at_time(instant);
        Timer::set(&self.core, deadline, Label::caller(), Fire::once(f))
    }

    /// Calls `f` in a turn each time that another `period` has passed, until it answers
    /// `ControlFlow::Break(())`.
    ///
    /// Periods that were missed, because the host was busy, are skipped: `f` is called once for all
    /// of them, and then at the next multiple of the period. A period of zero means every turn.
    #[track_caller]
    pub fn every(&self, period: Duration, f: impl FnMut() -> ControlFlow<()> + 'static) -> Timer {
        let deadline = self.core.in_time(period);
        let fire = Fire::every(Box::new(f), nanos(period).max(1));
        Timer::set(&self.core, deadline, Label::caller(), fire)
    }

    /// A future that ends when `delay` has passed from now.
    #[track_caller]
    pub fn sleep(&self, delay: Duration) -> Sleep {
        Sleep::new(&self.core, delay, Label::caller())
    }

    /// Runs a future on the host thread. It need not be `Send`, and may touch whatever lives there.
    ///
    /// Woken on the host thread it goes through no atomic queue and wakes nobody; woken elsewhere
    /// it comes through the inbox, with the one tick. After the end of the reactor it is dropped.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.core.spawn(future, Label::caller())
    }

    /// Runs a future, and calls `callback` with its output: whatever can be awaited, for programs
    /// that do not write `async`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use interloop::Reactor;
    /// # let reactor = Reactor::new()?;
    /// let handle = reactor.handle();
    /// let asleep = reactor.sleep(Duration::from_millis(1));
    /// reactor.spawn_then(asleep, move |()| handle.stop()).detach();
    /// reactor.run()?;
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// Dropping the task before the future has ended drops both.
    #[track_caller]
    pub fn spawn_then<F, C>(&self, future: F, callback: C) -> Task<()>
    where
        F: Future + 'static,
        C: FnOnce(F::Output) + 'static,
    {
        self.core.spawn(async move { callback(future.await) }, Label::caller())
    }

    /// Runs a closure that blocks, or computes for long, on a thread pool (that of the crate
    /// `blocking`), and gives its result on the host thread. A panic of it goes to the one who awaits
    /// the task.
    ///
    /// Dropping the task before the pool has begun with the closure drops it there; one that runs goes
    /// on to its end, unheard. The shutdown waits for all of them before it leaves a phase, and
    /// [`finish`](Handle::finish) names those that it could not wait for.
    ///
    /// In a forked child the closure is dropped here, and nothing comes of the task, as of any other there. On a
    /// reactor that the child has made, each closure has a thread of its own, for those of the pool are its
    /// parent's. Where the operating system starts none, the task panics with what it said.
    #[cfg(feature = "unblock")]
    #[track_caller]
    pub fn unblock<T, F>(&self, f: F) -> Task<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let label = Label::caller();
        // The pool is the parent's, and its locks may be held by threads that the child has not got.
        if !self.core.shared.process.is_current() {
            drop(f);
            return self.core.spawn(std::future::pending(), label);
        }
        let running = Running::begin(&self.core.shared, label.clone());
        let (on_the_pool, begun) = (Arc::clone(&running), Arc::clone(&running));
        let work = unblock(move || {
            let _running = on_the_pool;
            f()
        });
        let answer = Answer { _running: running, core: Rc::clone(&self.core) };
        let future = async move {
            let _answer = answer;
            work.await
        };
        let task = self.core.spawn(future, label);
        begun.awaited_by(task.key());
        task
    }

    /// Waits for a future, but no longer than `limit` from now.
    ///
    /// # Errors
    ///
    /// `TimedOut` when `limit` has passed, or the reactor has closed its timers, in its shutdown after
    /// the `Before` triggers. The future is dropped when this one is.
    ///
    /// # Cancel safety
    ///
    /// That of the future.
    #[track_caller]
    pub fn timeout<F: Future>(
        &self,
        limit: Duration,
        future: F,
    ) -> impl Future<Output = io::Result<F::Output>> + use<F> {
        let mut sleep = self.sleep(limit);
        async move {
            let mut future = pin!(future);
            poll_fn(|cx| match future.as_mut().poll(cx) {
                Poll::Ready(output) => Poll::Ready(Ok(output)),
                Poll::Pending => Pin::new(&mut sleep).poll(cx).map(|()| {
                    let message = format!("not done within {limit:?}");
                    Err(io::Error::new(io::ErrorKind::TimedOut, message))
                }),
            })
            .await
        }
    }

    /// Runs a future when the reactor shuts down. All triggers of a [`Phase`] run together, and the
    /// next phase begins when all have ended; one that fails or panics does not stop the others.
    ///
    /// Added during the shutdown, a trigger of the phase that runs, or of a later one, takes part.
    ///
    /// # Errors
    ///
    /// `NotConnected` when the phase is past.
    #[track_caller]
    pub fn on_shutdown<F>(&self, phase: Phase, future: F) -> io::Result<Trigger>
    where
        F: Future + 'static,
        F::Output: TriggerOutcome,
    {
        self.core.shared.process.check()?;
        let label = Label::caller();
        let future = Box::pin(async move { crate::trigger::into_result(future.await) });
        let Ok(key) = self.core.shutdown.add(phase, label, future) else {
            let message = format!("the reactor is past the {phase:?} phase of its shutdown");
            return Err(io::Error::new(io::ErrorKind::NotConnected, message));
        };
        self.core.settle();
        Ok(Trigger::new(&self.core, key))
    }

    /// Asks for the orderly shutdown, and returns at once. It takes as many turns as it needs:
    /// `Before` triggers; then sources and timers close; `During`; the tasks are cancelled; `After`;
    /// the calls that were posted until then run; the worker ends. Asking again changes nothing.
    pub fn stop(&self) {
        self.remote().stop();
    }

    /// What the reactor has counted.
    pub fn stats(&self) -> Stats {
        self.core.counters.snapshot(&self.core.shared.counters)
    }

    /// What the reactor holds, with the labels.
    pub fn dump(&self) -> Dump {
        Dump::of(&self.core)
    }

    /// The error that the backend failed with.
    pub fn failure(&self) -> Option<io::Error> {
        self.core.shared.worker.failure()
    }

    /// True once the reactor has stopped.
    pub fn is_stopped(&self) -> bool {
        self.core.shared.is_over()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("id", &self.core.shared.id)
            .field("backend", &self.backend())
            .field("drive", &self.core.drive.get())
            .field("shutdown", &self.core.shutdown)
            .finish()
    }
}
