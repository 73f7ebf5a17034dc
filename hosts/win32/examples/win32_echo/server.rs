//! The server: a task for each connection, all on the thread of the window.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use async_channel::{Receiver, Sender, bounded};
use futures_lite::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use futures_lite::{StreamExt, future};
use interloop::net::{TcpListener, TcpStream};
use interloop::{Handle, Phase};

use crate::window::Window;

/// How many lines are shown.
const SHOWN: usize = 10;

/// What goes on, and where it is shown.
struct Server {
    handle: Handle,
    window: Rc<Window>,
    address: SocketAddr,
    lines: Cell<u64>,
    last: RefCell<VecDeque<String>>,
    /// Closed when the connections are to end.
    closing: Receiver<()>,
    /// Each connection has one, so that their end is known.
    connected: RefCell<Option<Sender<()>>>,
}

/// Listens, and serves whoever comes. When the reactor shuts down, says goodbye to those who are there.
pub fn start(handle: &Handle, address: &str, window: Rc<Window>) -> io::Result<()> {
    let listener = TcpListener::bind(handle, address)?;
    let (close, closing) = bounded(1);
    let (connected, gone) = bounded(1);
    let server = Rc::new(Server {
        handle: handle.handle(),
        window,
        address: listener.local_addr()?,
        lines: Cell::new(0),
        last: RefCell::default(),
        closing,
        connected: RefCell::new(Some(connected)),
    });
    server.show();
    let ending = Rc::clone(&server);
    let goodbye = async move {
        drop(close);
        ending.connected.take();
        // It ends when the last connection does.
        let _gone = gone.recv().await;
    };
    handle.on_shutdown(Phase::Before, goodbye)?.label("goodbye").detach();
    let accepting = async move {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => server.welcome(stream, peer),
                Err(error) => server.say(format!("accept: {error}")),
            }
        }
    };
    handle.spawn_local(accepting).label("accepting").detach();
    Ok(())
}

impl Server {
    fn welcome(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        let Some(connected) = self.connected.borrow().clone() else { return };
        let server = Rc::clone(self);
        let serving = async move {
            server.say(format!("{peer} has come"));
            let ended = server.serve(stream, peer).await;
            drop(connected);
            server.say(match ended {
                Ok(()) => format!("{peer} has gone"),
                Err(error) => format!("{peer}: {error}"),
            });
        };
        self.handle.spawn_local(serving).label(peer.to_string()).detach();
    }

    /// Sends back line by line, until the peer ends, or the server.
    async fn serve(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        let closing = async {
            let _closed = self.closing.recv().await;
            None
        };
        let mut closing = std::pin::pin!(closing);
        loop {
            match future::or(lines.next(), closing.as_mut()).await {
                Some(line) => {
                    let line = line?;
                    self.lines.set(self.lines.get() + 1);
                    self.say(format!("{peer}: {line}"));
                    writer.write_all(format!("{line}\n").as_bytes()).await?;
                }
                None if self.closing.is_closed() => return writer.write_all(b"goodbye\n").await,
                None => return Ok(()),
            }
        }
    }

    fn say(&self, what: String) {
        let mut last = self.last.borrow_mut();
        last.push_back(what);
        if last.len() > SHOWN {
            last.pop_front();
        }
        drop(last);
        self.show();
    }

    fn show(&self) {
        let connected = self.connected.borrow().as_ref().map_or(0, |own| own.sender_count() - 1);
        let (address, lines) = (self.address, self.lines.get());
        let mut text = format!("{address}: {connected} connected, {lines} lines\n\n");
        for line in self.last.borrow().iter() {
            text.push_str(line);
            text.push('\n');
        }
        self.window.show(&text);
    }
}
