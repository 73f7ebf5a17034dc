//! The server as a program.

use std::io::{self, Write};

use interloop::{Phase, Reactor};

use crate::Result;
use crate::input::Input;
use crate::interrupt::interrupted;
use crate::server::Server;

pub fn run(listen: &str) -> Result<()> {
    serve(listen).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("{error}: another program listens there; choose another port with --listen")
        }
        _ => error.to_string(),
    })
}

fn serve(listen: &str) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let server = Server::start(&reactor, listen, print)?;
    writeln!(io::stdout(), "listening on {}", server.address())?;
    // Before anything closes: network, timers and tasks still work, and the shutdown waits.
    reactor.on_shutdown(Phase::Before, server.end())?.label("goodbye").detach();

    let handle = reactor.handle();
    reactor.spawn_then(interrupted(&handle)?, move |()| handle.stop()).label("signals").detach();
    let handle = reactor.handle();
    let ended = input_ended(Input::new(&handle)?);
    reactor.spawn_then(ended, move |()| handle.stop()).label("input").detach();

    reactor.run()
}

/// Prints for who watches the server, if anybody does.
fn print(line: &str) {
    let _closed = writeln!(io::stdout(), "{line}");
}

/// Waits until the input ends, and passes over what comes. A file or `/dev/null`, as a service has
/// it, says nothing by its end.
async fn input_ended(mut input: Input) {
    if !input.is_watched() {
        return std::future::pending().await;
    }
    while input.read().await.is_ok_and(|bytes| !bytes.is_empty()) {}
}
