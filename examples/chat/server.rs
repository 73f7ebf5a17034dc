//! The server.

use std::io::{self, Write};
use std::rc::Rc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::future::yield_now;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use interloop::net::{TcpListener, TcpStream};
use interloop::{Handle, Phase, Reactor};

use crate::Result;
use crate::input::Input;
use crate::interrupt::interrupted;
use crate::lines::{LONGEST, Lines};
use crate::room::{Room, Seat};

/// How long a client may take to say its name.
const NAME_LIMIT: Duration = Duration::from_secs(10);
/// How long the goodbye may take to reach all.
const GOODBYE_LIMIT: Duration = Duration::from_secs(3);
/// How long a client may take to hear why it is refused.
const REFUSAL_LIMIT: Duration = Duration::from_secs(3);
/// How long to wait when a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

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
    let listener = TcpListener::bind(&reactor, listen)?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;

    let room = Rc::new(Room::default());
    // Every writer holds a sender. When all of them are gone, all has been written.
    let (writing, written) = async_channel::bounded(1);
    let accepting = accept(reactor.handle(), listener, Rc::clone(&room), writing);
    let accepting = reactor.spawn_local(accepting).label("accept");

    let handle = reactor.handle();
    let goodbye = async move {
        // Cancels the task, which closes the listener.
        drop(accepting);
        room.close();
        // Clients that do not read do not hold the end up.
        let _late = handle.timeout(GOODBYE_LIMIT, written.recv()).await;
    };
    // Before anything closes: network, timers and tasks still work, and the shutdown waits.
    reactor.on_shutdown(Phase::Before, goodbye)?.label("goodbye").detach();

    let handle = reactor.handle();
    reactor.spawn_then(interrupted(&handle)?, move |()| handle.stop()).label("signals").detach();
    let handle = reactor.handle();
    let ended = input_ended(Input::new(&handle)?);
    reactor.spawn_then(ended, move |()| handle.stop()).label("input").detach();

    reactor.run()
}

/// Waits until the input ends, and passes over what comes. A file or `/dev/null`, as a service has
/// it, says nothing by its end.
async fn input_ended(mut input: Input) {
    if !input.is_watched() {
        return std::future::pending().await;
    }
    while input.read().await.is_ok_and(|bytes| !bytes.is_empty()) {}
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
                eprintln!("chat: {error}: nobody can join until that is over");
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
) -> Result<()> {
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
