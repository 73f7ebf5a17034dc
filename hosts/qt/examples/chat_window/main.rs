//! Chat with a window: `cargo run -p interloop-qt --example chat_window`. One starts a server, or all join that of
//! `cargo run --example chat -- server`.
//!
//! The server, the clients and the window live on one thread, so that a callback of the network changes a
//! widget, and a button writes to the network, without a lock or a queue in between.

mod conversation;
mod options;

use std::io;
use std::process::ExitCode;
use std::rc::Rc;

use interloop::{Phase, Reactor};
use interloop_qt_widgets::chat_window::ChatWindow;
use interloop_qt_widgets::{self as widgets, Application};

use conversation::Conversation;
use options::Options;

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat_window: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> io::Result<()> {
    if !widgets::has_display() {
        return Err(io::Error::other("there is no display: set DISPLAY, or use xvfb-run"));
    }
    let application = Application::widgets();
    let reactor = Reactor::new()?;
    let attached = interloop_qt::attach(&reactor)?;
    let conversation = Rc::new_cyclic(|conversation: &std::rc::Weak<Conversation>| {
        let acting = conversation.clone();
        let window = ChatWindow::new(&application, move |action| {
            if let Some(conversation) = acting.upgrade() {
                conversation.act(action);
            }
        });
        Conversation::new(&reactor, window)
    });
    // When the window is closed: the network still works, and the program waits for it.
    let goodbye = Rc::clone(&conversation).part();
    reactor.on_shutdown(Phase::Before, goodbye)?.label("goodbye").detach();
    conversation.begin(options);
    widgets::exec();
    drop(attached);
    Ok(())
}
