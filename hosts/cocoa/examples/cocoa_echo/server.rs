//! The server: a task for each connection, all on the thread of the run loop.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;

use async_channel::{Receiver, Sender, bounded};
use futures_lite::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use futures_lite::{StreamExt, future};
use interloop::net::{TcpListener, TcpStream};
use interloop::{Handle, Phase};

pub struct Server {
    handle: Handle,
    lines: Cell<u64>,
    /// Closed when the connections are to end.
    closing: Receiver<()>,
    /// Each connection has one, so that their end is known.
    connected: RefCell<Option<Sender<()>>>,
}

/// Listens, and serves whoever comes. When the reactor shuts down, says goodbye to those who are there.
pub fn start(handle: &Handle, address: &str) -> io::Result<Rc<Server>> {
    let listener = TcpListener::bind(handle, address)?;
    println!("listening on {}", listener.local_addr()?);
    let (close, closing) = bounded(1);
    let (connected, gone) = bounded(1);
    let server = Rc::new(Server {
        handle: handle.handle(),
        lines: Cell::new(0),
        closing,
        connected: RefCell::new(Some(connected)),
    });
    let ending = Rc::clone(&server);
    let goodbye = async move {
        drop(close);
        ending.connected.take();
        // It ends when the last connection does.
        let _gone = gone.recv().await;
    };
    handle.on_shutdown(Phase::Before, goodbye)?.label("goodbye").detach();
    let accepting = Rc::clone(&server);
    let accept = async move {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => accepting.welcome(stream, peer),
                Err(error) => eprintln!("accept: {error}"),
            }
        }
    };
    handle.spawn_local(accept).label("accepting").detach();
    Ok(server)
}

impl Server {
    /// How many lines have come.
    pub fn lines(&self) -> u64 {
        self.lines.get()
    }

    fn welcome(self: &Rc<Self>, stream: TcpStream, peer: SocketAddr) {
        let Some(connected) = self.connected.borrow().clone() else { return };
        let server = Rc::clone(self);
        let serving = async move {
            if let Err(error) = server.serve(stream).await {
                eprintln!("{peer}: {error}");
            }
            drop(connected);
        };
        self.handle.spawn_local(serving).label(peer.to_string()).detach();
    }

    /// Sends back line by line, until the peer ends, or the server.
    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        let closing = async {
            let _closed = self.closing.recv().await;
            None
        };
        let mut closing = pin!(closing);
        loop {
            match future::or(lines.next(), closing.as_mut()).await {
                Some(line) => {
                    let line = line?;
                    if line == "quit" {
                        self.handle.stop();
                        continue;
                    }
                    self.lines.set(self.lines.get() + 1);
                    writer.write_all(format!("{line}\n").as_bytes()).await?;
                }
                None if self.closing.is_closed() => return writer.write_all(b"goodbye\n").await,
                None => return Ok(()),
            }
        }
    }
}
