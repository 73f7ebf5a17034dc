//! The loom models: the reactor's own ordering files, compiled against loom.
//!
//! `RUSTFLAGS="--cfg interloop_loom" cargo test --release --test loom` runs them exhaustively;
//! `LOOM_MAX_PREEMPTIONS=3` bounds them. docs/ordering.md says what each proves, and which planted
//! bug each has caught. Without the cfg this file is empty.
#![cfg(interloop_loom)]
#![allow(dead_code)]

#[path = "../../src/call.rs"]
mod call;
#[path = "../../src/clock.rs"]
mod clock_source;
#[path = "../../src/inbox.rs"]
mod inbox;
#[path = "../../src/park.rs"]
mod park;
#[path = "../../src/proxy.rs"]
mod proxy;
#[path = "../../src/rest.rs"]
mod rest;
#[path = "../../src/sync.rs"]
mod sync;
#[path = "../../src/tally.rs"]
mod tally;
#[path = "../../src/wake.rs"]
mod wake;
#[path = "../../src/watchdog.rs"]
mod watchdog;

mod fakes;
mod models_embed;
mod models_inbox;
mod models_park;
mod models_proxy;
mod models_rest;
mod models_tally;
mod models_watch;

use fakes::{builder, clock, local, report, shared, tick, worker};
