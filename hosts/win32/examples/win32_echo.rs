//! An echo server with a window: plain Win32, and I/O on the thread of the window.
//!
//! `win32_echo [ADDRESS]`, by default `127.0.0.1:7007`. Talk to it with `telnet` or `nc`; it sends back each line. A
//! click opens a message box, beside which everything goes on. Closing the window says goodbye to
//! those who are connected.

#[cfg(windows)]
#[path = "win32_echo/server.rs"]
mod server;
#[cfg(windows)]
#[path = "win32_echo/window.rs"]
mod window;

#[cfg(windows)]
fn main() -> std::io::Result<()> {
    use std::rc::Rc;

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7007".to_owned());
    let reactor = interloop::Reactor::new()?;
    let _attached = interloop_win32::attach(&reactor)?;
    let view = Rc::new(window::Window::open("interloop echo")?);
    server::start(&reactor, &address, Rc::clone(&view))?;
    window::run();
    Ok(())
}

#[cfg(not(windows))]
fn main() {
    eprintln!("this is a program for Windows, or for wine");
}
