//! A window that fetches web pages, and shows their source and their headers:
//! `cargo run -p interloop-glib --features gtk4 --example web_client -- example.com`.
//!
//! The protocol is hyper's and TLS is that of rustls, both on the thread of the widgets; they are in
//! `hosts/demos/src/web.rs`. Here is what a program with GTK has: an application, a window, and one line
//! that joins a reactor to it.

#[path = "web_client/load.rs"]
mod load;
#[path = "web_client/widgets.rs"]
mod widgets;
#[path = "web_client/window.rs"]
mod window;

use std::process::ExitCode;

use gtk4::Application;
use gtk4::gio::ApplicationFlags;
use gtk4::prelude::*;
use interloop::Reactor;
use interloop_demos::web::Client;
use lexopt::{Arg, Parser, ValueExt};
use window::Window;

const HELP: &str = "\
Shows the source and the headers of a web page.

Usage: web_client [ADDRESS]

The scheme of the address may be left out. SSL_CERT_FILE in the environment names a file with the
certificates to trust, in the place of the system's.

Enter in the address bar loads, Escape cancels, Ctrl+L goes to the address, Ctrl+R loads again, Ctrl+W closes.
";

/// What the command line asks for.
enum Asked {
    Help,
    Window { address: Option<String> },
}

fn main() -> ExitCode {
    let result = match parse(Parser::from_env()) {
        Ok(Asked::Window { address }) => run(address),
        Ok(Asked::Help) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("web_client: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("web_client: {error}");
        ExitCode::FAILURE
    })
}

fn parse(mut arguments: Parser) -> Result<Asked, lexopt::Error> {
    let mut address = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Asked::Help),
            Arg::Value(value) if address.is_none() => address = Some(value.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Asked::Window { address })
}

fn run(address: Option<String>) -> std::io::Result<ExitCode> {
    // Without a display GTK would end the process itself, with a warning.
    gtk4::init().map_err(|error| std::io::Error::other(format!("{error}. Is there a display?")))?;
    // A second one is another window, and another process: nobody is asked over D-Bus.
    let application = Application::new(None::<&str>, ApplicationFlags::NON_UNIQUE);
    window::set_keys(&application);
    let reactor = Reactor::new()?;
    let _attached = interloop_glib::attach(&reactor)?;
    let client = Client::new(&reactor);
    let handle = reactor.handle();
    application.connect_activate(move |application| {
        let window = Window::open(application, &handle, &client);
        if let Some(address) = &address {
            window.go_to(address);
        }
    });
    Ok(ExitCode::from(application.run_with_args::<&str>(&[]).get()))
}
