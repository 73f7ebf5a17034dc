//! The claims of the test kit on Qt, with and without windows, on both drives and both of Qt's event
//! dispatchers, and the traps of its own.

#[cfg_attr(not(unix), path = "closed/absent.rs")]
mod closed;
mod early;
mod frames;
mod qt;
mod traps;

use std::process::ExitCode;

use interloop::testing::Kit;

use qt::Qt;

type Core<const EMBEDDED: bool, const GLIB: bool> = Qt<false, EMBEDDED, GLIB>;
type Widgets<const EMBEDDED: bool, const GLIB: bool> = Qt<true, EMBEDDED, GLIB>;

fn main() -> ExitCode {
    let kit = Kit::new()
        .host::<Core<true, true>>()
        .host::<Core<true, false>>()
        .host::<Core<false, true>>()
        .host::<Core<false, false>>()
        .host::<Widgets<true, true>>()
        .host::<Widgets<false, false>>();
    let kit = traps::add::<Core<true, true>>(kit);
    let kit = traps::add::<Core<false, false>>(kit);
    let kit = frames::add::<Core<true, true>>(kit);
    let kit = frames::add::<Core<true, false>>(kit);
    let kit = frames::add::<Core<false, true>>(kit);
    let kit = frames::add::<Core<false, false>>(kit);
    let kit = early::add::<Core<true, true>>(kit);
    let kit = early::add::<Core<false, false>>(kit);
    let kit = closed::add::<Core<true, true>>(kit);
    let kit = closed::add::<Core<true, false>>(kit);
    kit.run()
}
