//! The queue with an adapter that does one thing wrong, and the cases of the kit that find it out.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::env;
use std::io;
use std::mem;
use std::net::TcpListener;
use std::process::{self, Command};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use interloop::testing::Host;
use interloop::{Handle, Reactor, Tick};

use crate::queue::Queue;

/// Names the fault that a process is to have.
pub const FAULT: &str = "INTERLOOP_TESTS_FAULT";

/// What is wrong, with the case that finds it out and something that it says then.
pub struct Fault {
    pub name: &'static str,
    case: &'static str,
    /// Any of these.
    says: &'static [&'static str],
}

const fn fault(name: &'static str, case: &'static str, says: &'static [&'static str]) -> Fault {
    Fault { name, case, says }
}

pub const FAULTS: &[Fault] = &[
    fault("the waker drops ticks", "start::attach_in_the_first_callback", &["ticks that failed"]),
    fault(
        "the waker swallows ticks",
        "start::attach_in_the_first_callback",
        &["in vain for an echo"],
    ),
    fault(
        "the waker runs ticks itself",
        "start::attach_in_the_first_callback",
        &["not the host thread"],
    ),
    fault("the host runs turns for nothing", "calls", &["turns that no tick asked for"]),
    fault(
        "the tick is lost where no loop runs",
        "start::calls_before_the_loop",
        &["in vain for the run of the calls"],
    ),
    fault("the loop ends at once", "start::calls_before_the_loop", &["the loop ended by itself"]),
    fault("a second attach is taken", "start::attach_twice", &["a reactor was attached twice"]),
    fault(
        "stop does not end the loop",
        "start::stop_before_the_loop",
        &["in vain for the end of the loop"],
    ),
    fault("nothing finishes the reactor", "start::never_run", &["has not finished the reactor"]),
    fault(
        "ticks wait for the outer loop",
        "nested::in_a_call",
        &["in vain for what should go on inside"],
    ),
    fault("ticks come before timers", "echo", &["in vain for the echo", "it hung"]),
    fault("the finish has no time", "shutdown::the_toolkit_quits", &["a Before trigger"]),
    fault(
        "the window ends the process",
        "shutdown::the_window_is_closed",
        &["before the case did"],
    ),
    fault("a failed post panics", "shutdown::the_toolkit_is_destroyed", &["the queue is gone"]),
    fault(
        "a descriptor is leaked",
        "shutdown::the_reactor_is_dropped",
        &["left behind: {\"socket\": 1}"],
    ),
    fault("a thread is leaked", "shutdown::stop_in_a_callback", &["left behind: {\"thread"]),
];

impl Fault {
    /// Runs the case that finds it out, and expects it to fail for the reason expected.
    pub fn is_found_out(&self) -> io::Result<()> {
        if cfg!(not(target_os = "linux")) && self.name.ends_with("leaked") {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it is found out in /proc"));
        }
        let mut command = Command::new(env::current_exe()?);
        command.args(["--exact", &format!("{}::{}", Broken::NAME, self.case)]);
        command.env(FAULT, self.name).env_remove("INTERLOOP_TESTING_CASE");
        let output = command.env("INTERLOOP_TESTING_LIMIT", "4").output()?;
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "it passed: {out}");
        assert!(
            out.contains("1 failed") && self.says.iter().any(|says| out.contains(says)),
            "it failed otherwise: {out}"
        );
        Ok(())
    }
}

/// The queue, with the fault that the environment names.
pub struct Broken {
    queue: Rc<Queue>,
    fault: String,
    reactor: RefCell<Option<Handle>>,
    nested: Cell<u32>,
    waiting: RefCell<Vec<Tick>>,
}

impl Broken {
    fn has(&self, fault: &str) -> bool {
        assert!(FAULTS.iter().any(|known| known.name == fault), "{fault} is in no row");
        self.fault == fault
    }

    fn waker(&self) -> Box<dyn Fn(Tick) + Send + Sync> {
        let post = self.queue.waker();
        let count = AtomicU32::new(0);
        let every_third = move || count.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        if self.has("the waker drops ticks") {
            Box::new(move |tick| {
                let _lost = every_third() || post(tick);
            })
        } else if self.has("the waker swallows ticks") {
            Box::new(move |tick| {
                if every_third() {
                    tick.detach();
                } else {
                    let _gone = post(tick);
                }
            })
        } else if self.has("the waker runs ticks itself") {
            Box::new(Tick::run)
        } else if self.has("a failed post panics") {
            Box::new(move |tick| assert!(post(tick), "the queue is gone"))
        } else {
            Box::new(move |tick| {
                let _gone = post(tick);
            })
        }
    }
}

impl Host for Broken {
    const NAME: &'static str = "broken";

    fn open() -> io::Result<Rc<Broken>> {
        Ok(Rc::new(Broken {
            queue: Queue::open()?,
            fault: env::var(FAULT).unwrap_or_default(),
            reactor: RefCell::default(),
            nested: Cell::new(0),
            waiting: RefCell::default(),
        }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        match reactor.interleave(self.waker()) {
            Err(_) if self.has("a second attach is taken") => {}
            answer => drop(answer?),
        }
        self.reactor.replace(Some(reactor.handle()));
        if self.has("a descriptor is leaked") {
            mem::forget(TcpListener::bind("127.0.0.1:0")?);
        }
        if self.has("a thread is leaked") {
            thread::Builder::new().name("interloop-leak".to_owned()).spawn(thread::park)?;
        }
        if !self.has("stop does not end the loop") {
            self.queue.quit_after(reactor)?;
        }
        if self.has("nothing finishes the reactor") {
            return Ok(Box::new(()));
        }
        let limit = if self.has("the finish has no time") { 0 } else { 10 };
        Ok(Box::new(reactor.finish_on_drop(Duration::from_secs(limit))))
    }

    fn run(&self) {
        if self.has("the tick is lost where no loop runs") {
            while let Some(tick) = self.queue.next_tick(Duration::ZERO) {
                tick.detach();
            }
        }
        if self.has("the loop ends at once") {
            return;
        }
        self.queue.run_until(&|| self.queue.has_quit(), &|tick| self.run_tick(tick));
    }

    fn quit(&self) {
        self.queue.quit();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        self.nested.set(self.nested.get() + 1);
        self.queue.run_until(&*done, &|tick| self.run_tick(tick));
        self.nested.set(self.nested.get() - 1);
        self.waiting.take().into_iter().for_each(Tick::run);
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        self.queue.every(period, callback);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.queue.post(callback);
    }

    fn close(&self) {
        if self.has("the window ends the process") {
            process::exit(0);
        }
        self.queue.close();
    }

    fn destroy(&self) {
        self.queue.destroy();
    }
}

impl Broken {
    fn run_tick(&self, tick: Tick) {
        if self.nested.get() > 0 && self.has("ticks wait for the outer loop") {
            self.waiting.borrow_mut().push(tick);
            return;
        }
        tick.run();
        if self.has("ticks come before timers") {
            while let Some(tick) = self.queue.next_tick(Duration::from_millis(1)) {
                tick.run();
            }
        }
        if let Some(reactor) = self.reactor.borrow().as_ref()
            && self.has("the host runs turns for nothing")
        {
            reactor.turn();
        }
    }
}
