//! A toolkit in a hundred lines: a queue that any thread posts to, timers, and a loop.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use interloop::testing::Host;
use interloop::{Phase, Reactor, Tick};

type Job = Box<dyn FnOnce()>;

enum Message {
    Tick(Tick),
    /// One of the jobs that the host thread has posted to itself.
    Job,
}

struct Timer {
    due: Instant,
    period: Duration,
    /// None while it runs.
    callback: Option<Box<dyn FnMut()>>,
}

pub struct Queue {
    sender: Sender<Message>,
    receiver: RefCell<Option<Rc<Receiver<Message>>>>,
    jobs: RefCell<VecDeque<Job>>,
    timers: RefCell<Vec<Timer>>,
    quit: Cell<bool>,
}

impl Queue {
    /// Posts a tick; false when the queue is gone.
    pub fn waker(&self) -> impl Fn(Tick) -> bool + Send + Sync + 'static {
        let sender = self.sender.clone();
        move |tick| sender.send(Message::Tick(tick)).is_ok()
    }

    /// Handles messages and timers until `done`; `run_tick` gets the ticks.
    pub fn run_until(&self, done: &dyn Fn() -> bool, run_tick: &dyn Fn(Tick)) {
        while !done() {
            let Some(receiver) = self.receiver.borrow().clone() else { return };
            match receiver.recv_timeout(self.run_timers()) {
                Ok(Message::Tick(tick)) => run_tick(tick),
                Ok(Message::Job) => {
                    let job = self.jobs.borrow_mut().pop_front();
                    job.expect("a message for each job")();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("there is a sender here"),
            }
        }
    }

    /// Quits the loop when the reactor has stopped.
    pub fn quit_after(self: &Rc<Self>, reactor: &Reactor) -> io::Result<()> {
        let host = Rc::downgrade(self);
        let quit = async move {
            if let Some(host) = host.upgrade() {
                host.quit();
            }
        };
        reactor.on_shutdown(Phase::After, quit)?.detach();
        Ok(())
    }

    pub fn has_quit(&self) -> bool {
        self.quit.get()
    }

    /// The next tick, before everything else, if it comes within `limit`.
    pub fn next_tick(&self, limit: Duration) -> Option<Tick> {
        let receiver = self.receiver.borrow().clone()?;
        match receiver.recv_timeout(limit) {
            Ok(Message::Tick(tick)) => Some(tick),
            Ok(Message::Job) | Err(_) => None,
        }
    }

    /// Runs the timers that are due, and tells how long it is to the next.
    fn run_timers(&self) -> Duration {
        let now = Instant::now();
        let count = self.timers.borrow().len();
        for index in 0..count {
            let callback = {
                let mut timers = self.timers.borrow_mut();
                let timer = &mut timers[index];
                if timer.due > now || timer.callback.is_none() {
                    continue;
                }
                timer.due = now + timer.period;
                timer.callback.take()
            };
            let mut callback = callback.expect("looked at above");
            callback();
            self.timers.borrow_mut()[index].callback = Some(callback);
        }
        let now = Instant::now();
        let timers = self.timers.borrow();
        let waits = timers.iter().map(|timer| timer.due.saturating_duration_since(now));
        waits.min().unwrap_or(Duration::MAX)
    }
}

impl Host for Queue {
    const NAME: &'static str = "queue";

    fn open() -> io::Result<Rc<Queue>> {
        let (sender, receiver) = mpsc::channel();
        Ok(Rc::new(Queue {
            sender,
            receiver: RefCell::new(Some(Rc::new(receiver))),
            jobs: RefCell::default(),
            timers: RefCell::default(),
            quit: Cell::new(false),
        }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let post = self.waker();
        reactor.interleave(move |tick| {
            let _gone = post(tick);
        })?;
        self.quit_after(reactor)?;
        Ok(Box::new(reactor.finish_on_drop(Duration::from_secs(10))))
    }

    fn run(&self) {
        self.run_until(&|| self.has_quit(), &Tick::run);
    }

    fn quit(&self) {
        self.quit.set(true);
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        self.run_until(&*done, &Tick::run);
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        let timer = Timer { due: Instant::now() + period, period, callback: Some(callback) };
        self.timers.borrow_mut().push(timer);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.jobs.borrow_mut().push_back(callback);
        drop(self.sender.send(Message::Job));
    }

    fn destroy(&self) {
        self.receiver.take();
    }
}
