//! A made-up toolkit, with what every toolkit has: a loop that owns its thread, timers, posts from other
//! threads, dialogs that run a loop of their own, and an end that the user decides on. It knows nothing of
//! reactors. Like some real ones, it refuses posts while its loop does not run.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

type Job = Box<dyn FnOnce()>;

/// The application. It stays on its thread, and each clone is the same one.
#[derive(Clone, Default)]
pub struct App {
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    queue: Arc<Queue>,
    /// What the thread has posted to itself.
    jobs: RefCell<VecDeque<Job>>,
    timers: RefCell<Vec<Timer>>,
    started: RefCell<Vec<Job>>,
    ended: RefCell<Vec<Job>>,
    quit: Cell<bool>,
}

/// What other threads post to.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    posted: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    messages: VecDeque<Message>,
}

enum Message {
    Posted(Box<dyn FnOnce() + Send>),
    /// There is a job of the thread's own.
    Job,
}

struct Timer {
    due: Instant,
    period: Duration,
    /// None while it runs.
    callback: Option<Box<dyn FnMut()>>,
}

/// The way to the loop for other threads.
#[derive(Clone)]
pub struct Poster {
    queue: Arc<Queue>,
}

/// The loop does not run.
#[derive(Debug)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the loop does not run")
    }
}

impl std::error::Error for Refused {}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next message, unless `limit` comes before.
    fn next(&self, limit: Option<Instant>) -> Option<Message> {
        let mut state = self.state();
        loop {
            if let Some(message) = state.messages.pop_front() {
                return Some(message);
            }
            state = match limit.map(|limit| limit.saturating_duration_since(Instant::now())) {
                None => self.posted.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return None,
                Some(left) => {
                    let waited = self.posted.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl Poster {
    /// Has `job` run on the thread of the loop.
    pub fn post(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Refused> {
        let mut state = self.queue.state();
        if !state.open {
            return Err(Refused);
        }
        state.messages.push_back(Message::Posted(Box::new(job)));
        drop(state);
        self.queue.posted.notify_one();
        Ok(())
    }
}

impl App {
    pub fn new() -> App {
        App::default()
    }

    pub fn poster(&self) -> Poster {
        Poster { queue: Arc::clone(&self.inner.queue) }
    }

    /// Runs the loop until `quit`.
    pub fn run(&self) {
        self.inner.queue.state().open = true;
        self.inner.started.take().into_iter().for_each(|job| job());
        self.run_until(&|| self.inner.quit.get());
        self.inner.ended.take().into_iter().for_each(|job| job());
        let mut state = self.inner.queue.state();
        state.open = false;
        let unread = std::mem::take(&mut state.messages);
        drop(state);
        drop(unread);
    }

    /// Shows a dialog, and runs a loop in it until `closed` says that it was closed.
    pub fn dialog(&self, closed: &dyn Fn() -> bool) {
        self.run_until(closed);
    }

    /// Ends the loop, soon.
    pub fn quit(&self) {
        self.inner.quit.set(true);
        self.post(|| ());
    }

    pub fn is_running(&self) -> bool {
        self.inner.queue.state().open
    }

    /// Runs `job` when the loop begins, or at once where it runs already.
    pub fn on_start(&self, job: impl FnOnce() + 'static) {
        if self.is_running() {
            job();
        } else {
            self.inner.started.borrow_mut().push(Box::new(job));
        }
    }

    /// Runs `job` when the loop has ended, just before it refuses posts.
    pub fn on_end(&self, job: impl FnOnce() + 'static) {
        self.inner.ended.borrow_mut().push(Box::new(job));
    }

    /// Calls back from the loop, once.
    pub fn post(&self, job: impl FnOnce() + 'static) {
        self.inner.jobs.borrow_mut().push_back(Box::new(job));
        self.inner.queue.state().messages.push_back(Message::Job);
        self.inner.queue.posted.notify_one();
    }

    /// Calls back from the loop, again and again.
    pub fn every(&self, period: Duration, callback: impl FnMut() + 'static) {
        let callback: Box<dyn FnMut()> = Box::new(callback);
        let timer = Timer { due: Instant::now() + period, period, callback: Some(callback) };
        self.inner.timers.borrow_mut().push(timer);
    }

    pub fn downgrade(&self) -> WeakApp {
        WeakApp { inner: Rc::downgrade(&self.inner) }
    }

    /// Handles a message, then whatever timer is due, until `done`.
    fn run_until(&self, done: &dyn Fn() -> bool) {
        while !done() {
            let due = self.inner.timers.borrow().iter().map(|timer| timer.due).min();
            match self.inner.queue.next(due) {
                Some(Message::Posted(job)) => job(),
                Some(Message::Job) => {
                    let job = self.inner.jobs.borrow_mut().pop_front();
                    job.expect("there is a message for each")();
                }
                None => {}
            }
            self.run_timers();
        }
    }

    fn run_timers(&self) {
        let now = Instant::now();
        let count = self.inner.timers.borrow().len();
        for index in 0..count {
            let callback = {
                let timer = &mut self.inner.timers.borrow_mut()[index];
                if timer.due > now {
                    continue;
                }
                timer.due = now + timer.period;
                timer.callback.take()
            };
            // One that runs, in an outer loop, waits for that.
            if let Some(mut callback) = callback {
                callback();
                self.inner.timers.borrow_mut()[index].callback = Some(callback);
            }
        }
    }
}

/// The application, for what it owns itself.
pub struct WeakApp {
    inner: Weak<Inner>,
}

impl WeakApp {
    pub fn upgrade(&self) -> Option<App> {
        self.inner.upgrade().map(|inner| App { inner })
    }
}
