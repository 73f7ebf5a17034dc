//! What an adapter can do wrong, one thing at a time, and the case of the kit that finds it out.

use std::io;

use interloop::testing::Host;

use crate::broken::Broken;
use crate::reports;

/// Names the fault that a process is to have.
pub const FAULT: &str = "INTERLOOP_TESTS_FAULT";

/// No fault: the toolkit is not here.
pub const ABSENT: &str = "the toolkit is absent";

/// What is wrong, and what finds it out.
pub struct Fault {
    pub name: &'static str,
    /// The case that fails, and what it says then.
    case: &'static str,
    says: &'static str,
}

pub const FAULTS: &[Fault] = &[
    Fault {
        name: "the waker drops ticks",
        case: "start::attach_in_the_first_callback",
        says: "ticks that failed",
    },
    Fault {
        name: "the waker swallows ticks",
        case: "start::attach_in_the_first_callback",
        says: "in vain for an echo",
    },
    Fault {
        name: "the waker runs ticks itself",
        case: "start::attach_in_the_first_callback",
        says: "not the host thread",
    },
    Fault {
        name: "nothing is held before the loop runs",
        case: "start::calls_before_the_loop",
        says: "in vain for the run of the calls",
    },
    Fault {
        name: "nothing is released",
        case: "start::calls_before_the_loop",
        says: "in vain for the run of the calls",
    },
    Fault {
        name: "the loop ends at once",
        case: "start::calls_before_the_loop",
        says: "the loop ended by itself",
    },
    Fault {
        name: "a second attach is taken",
        case: "start::attach_twice",
        says: "a reactor was attached twice",
    },
    Fault {
        name: "stop does not end the loop",
        case: "start::stop_before_the_loop",
        says: "in vain for the end of the loop",
    },
    Fault {
        name: "nothing finishes the reactor",
        case: "start::never_run",
        says: "has not finished the reactor",
    },
    Fault {
        name: "ticks wait for the outer loop",
        case: "nested::in_a_call",
        says: "in vain for what should go on inside",
    },
    Fault { name: "turns keep the loop", case: "echo", says: "it hung" },
    Fault { name: "each tick is two turns", case: "calls", says: "turns that no tick asked for" },
    Fault {
        name: "the finish has no time",
        case: "shutdown::the_toolkit_quits",
        says: "a Before trigger did not come to its end",
    },
    Fault {
        name: "the window ends the process",
        case: "shutdown::the_window_is_closed",
        says: "before the case did",
    },
    Fault {
        name: "the waker panics when the toolkit is gone",
        case: "shutdown::the_toolkit_is_destroyed",
        says: "there is a loop",
    },
    Fault {
        name: "a descriptor is leaked",
        case: "shutdown::the_reactor_is_dropped",
        says: "left behind: {\"socket\": 1}",
    },
    Fault {
        name: "a thread is leaked",
        case: "shutdown::stop_in_a_callback",
        says: "left behind: {\"thread",
    },
];

impl Fault {
    /// Runs the case that finds it out, and expects it to fail for the reason expected.
    pub fn is_found_out(&self) -> io::Result<()> {
        if cfg!(not(target_os = "linux")) && self.name.ends_with("leaked") {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it is found out in /proc"));
        }
        let case = format!("{}::{}", Broken::NAME, self.case);
        let mut command = reports::run(self.name, &["--exact", &case])?;
        // Seconds: short where the case can only wait, and long where it must not come in between.
        let waits = ["in vain", "hung", "host thread", "left behind"]
            .iter()
            .any(|word| self.says.contains(word));
        let limit = if waits { "8" } else { "120" };
        let output = command.env("INTERLOOP_TESTING_LIMIT", limit).output()?;
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "it passed: {out}");
        assert!(out.contains("1 failed") && out.contains(self.says), "it failed otherwise: {out}");
        Ok(())
    }
}
