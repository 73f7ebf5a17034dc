//! Chat over TCP, a line at a time, with names:
//! `cargo run --example chat -- server` in one terminal, and
//! `cargo run --example chat -- client --name alice` in others.
//!
//! The server has one task that accepts, and two for each client: one reads its lines, the other
//! writes what waits in its queue. All of them run on one thread, so that the room they share is an
//! `Rc` with a `RefCell`. A line of text is all there is of a protocol; `nc` is a client too.

#[path = "chat/client.rs"]
mod client;
#[path = "common/input.rs"]
mod input;
#[path = "common/interrupt.rs"]
mod interrupt;
#[path = "chat/lines.rs"]
mod lines;
#[path = "chat/options.rs"]
mod options;
#[path = "chat/room.rs"]
mod room;
#[path = "chat/serve.rs"]
mod serve;
#[path = "chat/server.rs"]
mod server;

use std::process::ExitCode;

use options::Options;

/// What one line on the standard error says of a failure.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    let ended = match options {
        Options::Server { listen } => serve::run(&listen),
        Options::Client { connect, name } => client::run(&connect, &name),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("chat: {message}");
            ExitCode::FAILURE
        }
    }
}
