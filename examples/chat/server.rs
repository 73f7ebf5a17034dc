//! The server: one task accepts, and two attend to each client, of which one reads its lines and the
//! other writes what waits in its queue.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::future::yield_now;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use interloop::net::{TcpListener, TcpStream};
use interloop::{Handle, Task};

use super::lines::{LONGEST, Lines};
use super::room::{Room, Seat};

/// How long a client may take to say its name.
const NAME_LIMIT: Duration = Duration::from_secs(10);
/// How long the goodbye may take to reach all.
const GOODBYE_LIMIT: Duration = Duration::from_secs(3);
/// How long a client may take to hear why it is refused.
const REFUSAL_LIMIT: Duration = Duration::from_secs(3);
/// How long to wait when a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server that listens. Dropping it lets nobody in any more; who is there stays.
pub struct Server {
    handle: Handle,
    address: SocketAddr,
    room: Rc<Room>,
    accepting: Task<()>,
    /// Every writer holds the other end. When all of them are gone, all has been written.
    written: Receiver<()>,
}

impl Server {
    /// Begins to listen at an address, as `host:port`; port 0 takes a free one. What is said, and who comes
    /// and goes, is told to `log`.
    ///
    /// # Errors
    ///
    /// Why it cannot listen there.
    pub fn start(
        handle: &Handle,
        listen: &str,
        log: impl Fn(&str) + 'static,
    ) -> io::Result<Server> {
        let listener = TcpListener::bind(handle, listen)?;
        let address = listener.local_addr()?;
        let room = Rc::new(Room::new(log));
        let (writing, written) = async_channel::bounded(1);
        let accepting = accept(handle.clone(), listener, Rc::clone(&room), writing);
        let accepting = handle.spawn_local(accepting).label("accept");
        Ok(Server { handle: handle.clone(), address, room, accepting, written })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says goodbye to all, and waits until they have got it. Clients that do not read do not hold the end
    /// up for long.
    pub async fn end(self) {
        // Cancels the task, which closes the listener.
        drop(self.accepting);
        self.room.close();
        let _late = self.handle.timeout(GOODBYE_LIMIT, self.written.recv()).await;
    }
}

async fn accept(handle: Handle, listener: TcpListener, room: Rc<Room>, writing: Sender<()>) {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => {
                let client = attend(handle.clone(), stream, Rc::clone(&room), writing.clone());
                handle.spawn_local(client).label("client").detach();
            }
            // Out of descriptors, for instance. The next call would fail at once.
            Err(error) => {
                room.log(&format!("! {error}: nobody can join until that is over"));
                handle.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Attends to one client until it leaves. The connection is closed when both halves are dropped.
async fn attend(handle: Handle, stream: TcpStream, room: Rc<Room>, writing: Sender<()>) {
    let mut lines = Lines::new(stream.clone(), LONGEST);
    let refused = stream.clone();
    let begin = |waiting| {
        let writer = write(stream.clone(), waiting, writing);
        handle.spawn_local(writer).label("writer")
    };
    let seat = match handle.timeout(NAME_LIMIT, lines.next()).await {
        Ok(Ok(Some(name))) => room.enter(name, stream.clone(), begin),
        Ok(Ok(None)) => return,
        Ok(Err(error)) | Err(error) => Err(format!("say your name in a line: {error}")),
    };
    let outcome = match seat {
        Ok(seat) => listen(&mut lines, &room, &seat).await,
        Err(refusal) => Err(refusal),
    };
    if let Err(message) = outcome {
        let _gone = handle.timeout(REFUSAL_LIMIT, refuse(refused, &message)).await;
    }
}

/// Says why, and waits until the client has closed too: a connection that is dropped while something
/// unread is left is reset, and what was said gets lost.
async fn refuse(mut stream: TcpStream, why: &str) -> io::Result<()> {
    stream.write_all(format!("! {why}\n").as_bytes()).await?;
    stream.close().await?;
    let mut unheard = [0; 4096];
    while stream.read(&mut unheard).await? > 0 {}
    Ok(())
}

async fn listen<R: AsyncRead + Unpin>(
    lines: &mut Lines<R>,
    room: &Room,
    seat: &Seat,
) -> Result<(), String> {
    loop {
        match lines.next().await {
            Ok(Some(line)) if line.is_empty() => {}
            Ok(Some(line)) => room.say(&seat.name, format!("{}: {line}", seat.name)),
            Ok(None) => return Ok(()),
            Err(error) => return Err(error.to_string()),
        }
        // A burst of lines gives way after each, so that the writers keep up with it.
        yield_now().await;
    }
}

/// Writes what comes into the queue, until that is closed and empty.
async fn write<W: AsyncWrite + Unpin>(
    mut stream: W,
    waiting: Receiver<Rc<str>>,
    _writing: Sender<()>,
) {
    while let Ok(line) = waiting.recv().await {
        let mut text = format!("{line}\n");
        // All that waits goes in one write.
        while let Ok(line) = waiting.try_recv() {
            text.push_str(&line);
            text.push('\n');
        }
        if stream.write_all(text.as_bytes()).await.is_err() {
            // The reader hears of it too, and leaves.
            return;
        }
    }
    let _gone = stream.close().await;
}
