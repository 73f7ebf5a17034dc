//! Downloads several files at a time, with a gauge for each: `cargo run -p interloop-wx --example downloads`.
//! Each can be stopped, and goes on where it was, in a later run too.
//!
//! HTTP, TLS and the window live on one thread; files are written on a thread pool. No more is asked of the
//! network than the disk takes.

mod options;
mod shelf;

use std::error::Error;
use std::process::ExitCode;
use std::rc::{Rc, Weak};

use interloop::{Phase, Reactor};
use interloop_wx_widgets::downloads_window::DownloadsWindow;
use interloop_wx_widgets::{self as widgets, Application};

use options::Options;
use shelf::Shelf;

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("downloads: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let application = Application::windows()
        .ok_or("the windows do not open: is there a display? Set DISPLAY, or use xvfb-run")?;
    let reactor = Reactor::new()?;
    let attached = interloop_wx::attach(&reactor)?;
    let shelf = Rc::new_cyclic(|shelf: &Weak<Shelf>| {
        let acting = shelf.clone();
        let window = DownloadsWindow::new(&application, move |action| {
            if let Some(shelf) = acting.upgrade() {
                shelf.act(action);
            }
        });
        Shelf::new(&reactor, window, options.folder.clone())
    });
    // When the window is closed: what has come is written, and the program waits for it.
    reactor.on_shutdown(Phase::Before, Rc::clone(&shelf).close())?.label("stop all").detach();
    for address in &options.addresses {
        shelf.add(address);
    }
    widgets::run();
    drop(attached);
    Ok(())
}
