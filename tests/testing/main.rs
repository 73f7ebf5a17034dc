//! The test kit for hosts, on the simplest host there is: a queue and a condvar.

mod queue;

use std::process::ExitCode;

use interloop::testing::Kit;

fn main() -> ExitCode {
    Kit::new().host::<queue::Queue>().run()
}
