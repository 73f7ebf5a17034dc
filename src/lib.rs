//! A reactor that is a guest in any event loop.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

mod action;
mod builder;
mod clock;
mod core;
mod dump;
mod executor;
mod fork;
mod histogram;
mod inbox;
mod label;
mod local;
mod park;
mod proxy;
mod reactor;
mod remote;
mod report;
mod run;
mod shared;
mod shutdown;
mod slots;
mod source;
mod sources;
mod stats;
mod stopped;
mod sync;
mod task;
mod tick;
mod timer;
mod timers;
mod trigger;
mod turn;
mod waker_proxy;
mod watchdog;
mod worker;

pub use action::Action;
pub use builder::Builder;
pub use dump::{Dump, SourceDump, TimerDump};
pub use histogram::Histogram;
pub use interloop_backends as backends;
pub use interloop_backends::{AsSource, BackendKind, Interest, Key, Poller, Readiness};
pub use label::Label;
pub use reactor::{Handle, Reactor};
pub use remote::{CallError, Remote};
pub use report::Report;
pub use run::{FinishGuard, Finished};
pub use shutdown::Phase;
pub use source::{Ready, RegisterError, Source};
pub use stats::Stats;
pub use stopped::Stopped;
pub use task::Task;
pub use tick::Tick;
pub use timer::{Sleep, Timer};
pub use trigger::{Trigger, TriggerOutcome};
pub use waker_proxy::WakerProxy;
