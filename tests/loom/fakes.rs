//! What stands round the ordering files in a model: a clock that jumps, a backend that is a flag
//! and a condvar, a tick that tells what became of it.

pub mod clock {
    pub(crate) use crate::clock_source::{NEVER, Nanos, nanos};
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A clock that is an hour later each time that somebody looks, so that whatever waits for a
    /// time need not wait for long. Not modelled: time orders nothing.
    pub struct Clock(AtomicU64);

    impl Clock {
        pub fn new() -> Clock {
            Clock(AtomicU64::new(0))
        }

        pub fn now(&self) -> Nanos {
            self.0.fetch_add(3_600_000_000_000, Ordering::Relaxed) + 1
        }
    }
}

pub mod local {
    use std::fmt;

    #[derive(Clone, Copy, PartialEq, Eq)]
    pub struct ThreadToken(loom::thread::ThreadId);

    impl fmt::Display for ThreadToken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "thread {:?}", self.0)
        }
    }

    pub fn thread() -> ThreadToken {
        ThreadToken(loom::thread::current().id())
    }

    pub fn waking() {}
}

pub mod builder {
    use std::time::Duration;

    pub struct Options {
        pub grace: Duration,
        pub rewake_after: Duration,
        pub swap_limit: Duration,
    }
}

pub mod report {
    pub enum Report<'a> {
        WakerPanicked,
        BackendFailed(&'a std::io::Error),
    }
}

pub mod worker {
    pub const NOW: u64 = 1;
    pub const FOREVER: u64 = u64::MAX;
}

pub mod tick {
    use crate::shared::Shared;
    use std::sync::Arc;

    /// The tick: dropped without `run`, it is a failed post.
    pub struct Tick {
        shared: Arc<Shared>,
        spent: bool,
    }

    impl Tick {
        pub fn new(shared: Arc<Shared>) -> Tick {
            Tick { shared, spent: false }
        }

        pub fn spend(mut self) {
            self.spent = true;
        }
    }

    impl Drop for Tick {
        fn drop(&mut self) {
            if !self.spent {
                self.shared.post_failed();
            }
        }
    }
}

pub mod shared {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::time::Duration;

    use loom::sync::{Condvar, Mutex};

    use crate::builder::Options;
    use crate::clock::Clock;
    use crate::inbox::Inbox;
    use crate::park::Park;
    use crate::proxy::Proxy;
    use crate::report::Report;
    use crate::watchdog::Watchdog;

    /// A counter that is not modelled: the counters order nothing.
    pub struct Counter(AtomicU64);

    impl Counter {
        pub fn add(&self, more: u64) {
            self.0.fetch_add(more, Ordering::Relaxed);
        }

        pub fn get(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    macro_rules! counters {
        ($($name:ident),*) => {
            pub struct Counters { $(pub $name: Counter),* }

            impl Counters {
                fn new() -> Counters {
                    Counters { $($name: Counter(AtomicU64::new(0))),* }
                }

                pub fn woken_at(&self, _now: u64) {}
            }
        };
    }

    counters!(
        requested,
        issued,
        coalesced,
        call_wakes,
        failed,
        rewoken,
        nested_wakes,
        turns,
        interrupts,
        interrupts_saved
    );

    /// The backend: `wait` ends when it was notified.
    pub struct Flag {
        notified: Mutex<bool>,
        changed: Condvar,
    }

    impl Flag {
        pub fn new() -> Flag {
            Flag { notified: Mutex::new(false), changed: Condvar::new() }
        }

        pub fn notify(&self) -> std::io::Result<()> {
            *self.notified.lock().unwrap() = true;
            self.changed.notify_all();
            Ok(())
        }

        /// Blocks until notified. In a model where nobody does, loom reports the deadlock.
        pub fn wait(&self) {
            let mut notified = self.notified.lock().unwrap();
            while !*notified {
                notified = self.changed.wait(notified).unwrap();
            }
            *notified = false;
        }

        pub fn take(&self) -> bool {
            std::mem::take(&mut *self.notified.lock().unwrap())
        }
    }

    pub struct Process;

    impl Process {
        pub fn is_current(&self) -> bool {
            true
        }
    }

    pub struct Worker;

    impl Worker {
        pub fn unpark(&self) {}
    }

    pub struct Shared {
        pub clock: Clock,
        pub options: Options,
        pub poller: Flag,
        pub inbox: Inbox,
        pub park: Park,
        pub proxy: Proxy,
        pub counters: Counters,
        pub worker: Worker,
        pub process: Process,
        pub inline: AtomicBool,
    }

    impl Shared {
        pub fn new() -> Arc<Shared> {
            let second = Duration::from_secs(1);
            Arc::new(Shared {
                clock: Clock::new(),
                options: Options { grace: second, rewake_after: second, swap_limit: second },
                poller: Flag::new(),
                inbox: Inbox::new(),
                park: Park::new(),
                proxy: Proxy::new(),
                counters: Counters::new(),
                worker: Worker,
                process: Process,
                inline: AtomicBool::new(false),
            })
        }

        pub fn is_host(&self) -> bool {
            false
        }

        pub fn report(&self, _report: &Report<'_>) {}

        /// One round of the worker: sleeps as long as it plans to, a time that comes counting as
        /// come; then looks after timers and the watch. False when it has to end.
        pub fn work(self: &Arc<Shared>, watchdog: &mut Watchdog) -> bool {
            let plan = || watchdog.until(self).min(self.park.deadline());
            let Some(until) = self.park.sleep_until(plan) else { return false };
            let mut now = self.clock.now();
            if until == crate::worker::FOREVER {
                self.poller.wait();
            } else {
                self.poller.take();
                now = now.max(until);
            }
            self.park.awake();
            if self.park.take_due(now) {
                self.park.raise(crate::park::Watch::Tick);
                self.wake();
            }
            watchdog.check(self, now);
            true
        }
    }
}
