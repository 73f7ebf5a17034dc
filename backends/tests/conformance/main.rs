//! One suite for every backend that opens here, black-box: what `Poller` promises, as claims.
//!
//! The trials are named `backend::claim`. `INTERLOOP_BACKEND=poll` leaves only those of one
//! backend. A backend that does not open is named, with the reason. Numbers in comments are those
//! of the behaviours that the project keeps.

#[cfg(unix)]
mod arming;
#[cfg(unix)]
mod descriptor;
#[cfg(unix)]
mod edges;
#[cfg(unix)]
mod ends;
#[cfg(unix)]
mod identity;
#[cfg(unix)]
mod kinds;
#[cfg(unix)]
mod levels;
#[cfg(unix)]
mod rig;
#[cfg(unix)]
mod scale;
#[cfg(unix)]
mod suite;
#[cfg(unix)]
mod threads;
#[cfg(unix)]
mod time;
#[cfg(unix)]
mod waking;

#[cfg(unix)]
fn main() {
    suite::main();
}

#[cfg(not(unix))]
fn main() {
    eprintln!("conformance: skipped: the suite needs a Unix");
}
