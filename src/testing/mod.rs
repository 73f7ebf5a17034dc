//! The test kit for hosts: the author of an adapter gives his event loop a face, [`Host`], and one call
//! tries five claims on it.
//!
//! ```no_run
//! # use interloop::{Reactor, testing::Host};
//! # struct MyHost;
//! # impl Host for MyHost {
//! #     const NAME: &'static str = "mine";
//! #     fn open() -> std::io::Result<std::rc::Rc<Self>> { unimplemented!() }
//! #     fn attach(self: &std::rc::Rc<Self>, _: &Reactor) -> std::io::Result<Box<dyn std::any::Any>> { unimplemented!() }
//! #     fn run(&self) {}
//! #     fn quit(&self) {}
//! #     fn nested(&self, _: std::rc::Rc<dyn Fn() -> bool>) -> std::io::Result<()> { unimplemented!() }
//! #     fn every(&self, _: std::time::Duration, _: Box<dyn FnMut()>) {}
//! #     fn post(&self, _: Box<dyn FnOnce()>) {}
//! #     fn destroy(&self) {}
//! # }
//! // tests/host.rs, with `harness = false` in Cargo.toml
//! fn main() -> std::process::ExitCode {
//!     interloop::testing::run::<MyHost>()
//! }
//! ```
//!
//! A toolkit can be initialised once in a process, and on its main thread: so each case runs on the main
//! thread of a process of its own, which is the test program started again. Beside that it is a test
//! program like others: it takes a part of a name, `--exact`, `--list`, `--skip` and `--nocapture`, and
//! sums up in the last line. Where the toolkit cannot run, its cases are skipped, and say why; with
//! `INTERLOOP_REQUIRE_HOSTS=1` in the environment they fail. A case that hangs is killed after 120 seconds,
//! or `INTERLOOP_TESTING_LIMIT`.
//!
//! | cases | claim |
//! | --- | --- |
//! | `echo` | 20,000 messages through TCP by callbacks, none lost, while the toolkit's timer goes on at 60 Hz |
//! | `nested::*` | a nested loop inside a callback of each kind: connections, timers, calls, tasks and what was queued behind the callback go on, the callback itself is not entered again |
//! | `start::*` | whatever comes first: the reactor, the calls, the toolkit, its first callback, `stop()` |
//! | `shutdown::*` | whatever ends first: the window, the reactor, the loop, what the adapter posts to: `Before` triggers complete with network I/O, and no thread and no descriptor is left |
//! | `calls` | 100,000 calls from 4 threads, at most one tick outstanding, the toolkit's own input goes on |

mod arguments;
mod calls;
mod case;
mod child;
mod echo;
mod frames;
mod host;
mod kit;
mod leaks;
mod nested;
mod shutdown;
mod start;
mod traffic;
mod trial;

pub use case::inapplicable;
pub use host::Host;
pub use kit::{Kit, run};
