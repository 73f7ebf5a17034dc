//! The claims of the test kit on wxWidgets, with and without windows, and the traps of its own.

mod traps;
mod wx;

use std::process::ExitCode;

use interloop::testing::Kit;

use wx::Wx;

type Console = Wx<false>;
type Windows = Wx<true>;

fn main() -> ExitCode {
    let kit = Kit::new().host::<Console>().host::<Windows>();
    let kit = traps::add::<false>(kit);
    let kit = traps::add::<true>(kit);
    kit.run()
}
