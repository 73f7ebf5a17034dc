//! A host that nobody has heard of: `cargo run --example your_own_host`.
//!
//! `toolkit` is a made-up GUI toolkit. `adapter` joins a reactor to it, in some forty lines, which are
//! those to write for a toolkit of your own. This program is what its users write: messages go round
//! over TCP on the toolkit's thread, a callback opens a modal dialog, in which they go on, the user closes
//! the window, and a goodbye is sent after that.

#[path = "your_own_host/adapter.rs"]
mod adapter;
#[path = "your_own_host/toolkit.rs"]
mod toolkit;

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use interloop::{Action, Handle, Interest, Phase, Reactor};

use toolkit::App;

/// After how many messages the dialog opens, and after how many it is closed.
const OPENS: u32 = 10;
const CLOSES: u32 = 20;

fn main() -> io::Result<()> {
    let app = App::new();
    let reactor = Reactor::new()?;
    let attached = adapter::attach(&app, &reactor)?;

    let address = serve(&reactor)?;
    let goodbye = say_goodbye(reactor.handle(), address);
    reactor.on_shutdown(Phase::Before, goodbye)?.label("say goodbye").detach();
    let pings = Rc::new(Cell::new(0));
    ping(&reactor, address, &app, &pings)?;

    // The user closes the window when he has seen enough.
    let user = app.clone();
    app.every(Duration::from_millis(10), move || {
        if pings.get() > CLOSES {
            user.quit();
        }
    });
    app.run();
    println!("the window is closed");
    drop(attached);
    println!("the reactor has finished: {}", reactor.is_stopped());
    Ok(())
}

/// Sends back whatever comes.
fn serve(reactor: &Handle) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let handle = reactor.handle();
    let accept = move |listener: &TcpListener, _| {
        while let Ok((stream, _)) = listener.accept() {
            if let Err(error) = stream.set_nonblocking(true).and_then(|()| echo(&handle, stream)) {
                eprintln!("your_own_host: a connection: {error}");
            }
        }
        Action::Rearm
    };
    reactor.register(listener, Interest::READABLE, accept)?.label("server").detach();
    Ok(address)
}

fn echo(reactor: &Handle, stream: TcpStream) -> io::Result<()> {
    let answer = |mut stream: &TcpStream, _| {
        let mut bytes = [0; 64];
        match stream.read(&mut bytes) {
            Ok(0) => Action::Remove,
            // What is this short does not fill the socket.
            Ok(count) if stream.write_all(&bytes[..count]).is_ok() => Action::Rearm,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Action::Rearm,
            Ok(_) | Err(_) => Action::Remove,
        }
    };
    reactor.register(stream, Interest::READABLE, answer)?.detach();
    Ok(())
}

/// Sends one byte to and fro, and opens a dialog on the way.
fn ping(reactor: &Handle, address: SocketAddr, app: &App, pings: &Rc<Cell<u32>>) -> io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    stream.write_all(b".")?;
    let (app, pings) = (app.clone(), Rc::clone(pings));
    let handle = reactor.handle();
    let again = move |mut stream: &TcpStream, _| {
        let mut byte = [0];
        if !matches!(stream.read(&mut byte), Ok(1)) || stream.write_all(&byte).is_err() {
            return Action::Rearm;
        }
        pings.set(pings.get() + 1);
        if pings.get() == OPENS {
            let (app, pings) = (app.clone(), Rc::clone(&pings));
            // Not here: this callback is the one that counts, and it is not entered again while it runs.
            let open = move || {
                println!("a dialog opens after {OPENS} messages");
                app.dialog(&|| pings.get() >= CLOSES);
                println!("it is closed after {CLOSES}: they went on");
            };
            handle.after(Duration::ZERO, open).detach();
        }
        Action::Rearm
    };
    reactor.register(stream, Interest::READABLE, again)?.label("client").detach();
    Ok(())
}

/// Talks to the server when the loop has ended.
async fn say_goodbye(reactor: Handle, address: SocketAddr) -> io::Result<()> {
    let stream = TcpStream::connect(address)?;
    stream.set_nonblocking(true)?;
    let source = reactor.source(stream)?;
    source.get_ref().write_all(b"goodbye")?;
    source.ready(Interest::READABLE).await?;
    let mut answer = [0; 64];
    let count = source.get_ref().read(&mut answer)?;
    println!("the server says {:?}", String::from_utf8_lossy(&answer[..count]));
    Ok(())
}
