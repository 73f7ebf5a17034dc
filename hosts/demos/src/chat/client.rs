//! The client.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use async_channel::{Receiver, Sender};
use futures_lite::{AsyncWriteExt, future};
use interloop::net::TcpStream;
use interloop::{Handle, Task};

use super::event::{self, Event};
use super::lines::{LONGEST, LONGEST_WITH_NAME, Lines};

/// Somebody in a chat, from [`Client::join`]. Dropping it closes the connection, and nothing more is told; to
/// part with what was said delivered, [`leave`](Client::leave) first, and wait for [`Event::End`].
#[must_use = "dropping it closes the connection"]
#[derive(Debug)]
pub struct Client {
    is_wanted: Rc<Cell<bool>>,
    saying: Sender<String>,
    _task: Task<()>,
}

impl Client {
    /// Joins the chat of a server, `host:port`, and tells `on_event` what happens: on the thread of the
    /// reactor, in its turns, and never from inside this function. The last event is
    /// [`Event::End`].
    pub fn join(
        handle: &Handle,
        address: &str,
        name: &str,
        mut on_event: impl FnMut(Event) + 'static,
    ) -> Client {
        // What is said waits here while the server does not read.
        let (saying, said) = async_channel::unbounded();
        let is_wanted = Rc::new(Cell::new(true));
        let (handle, address, name) = (handle.clone(), address.to_owned(), name.to_owned());
        let (reactor, wanted) = (handle.clone(), Rc::clone(&is_wanted));
        let task = handle.spawn_local(async move {
            // A task that is dropped while it runs runs on to where it waits.
            let mut tell = |event| {
                if wanted.get() {
                    on_event(event);
                }
            };
            let end = chat(&reactor, &address, &name, said, &mut tell).await;
            tell(Event::End(end));
        });
        Client { is_wanted, saying, _task: task.label("chat client") }
    }

    /// Says something to all others. What has more than one line, or is too long for one, is said in
    /// several.
    pub fn say(&self, text: &str) {
        for line in text.lines() {
            let mut rest = line;
            while !rest.is_empty() {
                let (piece, next) = rest.split_at(longest_piece(rest));
                // After the end nobody listens.
                let _gone = self.saying.try_send(format!("{piece}\n"));
                rest = next;
            }
        }
    }

    /// Leaves when all has been said. The server closes the connection then, which is an
    /// [`Event::End`].
    pub fn leave(&self) {
        self.saying.close();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.is_wanted.set(false);
    }
}

/// Where to cut a text whose beginning is to fit into a line.
fn longest_piece(text: &str) -> usize {
    let fits = |cut: &usize| text.is_char_boundary(*cut);
    (0..=LONGEST.min(text.len())).rev().find(fits).unwrap_or(0)
}

/// Ends when the server has closed the connection.
async fn chat(
    handle: &Handle,
    address: &str,
    name: &str,
    said: Receiver<String>,
    tell: &mut dyn FnMut(Event),
) -> Result<(), String> {
    let mut stream = TcpStream::connect(handle, address)
        .await
        .map_err(|error| format!("{address}: {error}; is the server there?"))?;
    stream.write_all(format!("{name}\n").as_bytes()).await.map_err(|error| lost(&error))?;
    let is_leaving = Cell::new(false);
    let speak = async {
        is_leaving.set(send(said, stream.clone()).await);
        // The server hears the end, and closes when it has sent what was left.
        future::pending().await
    };
    let was_orderly = future::or(hear(stream.clone(), tell), speak).await?;
    if was_orderly || is_leaving.get() {
        return Ok(());
    }
    Err("the server has closed the connection without a goodbye".to_owned())
}

/// Sends what is said, and closes the writing half of the connection when that ends. False where the
/// connection does not take it.
async fn send(said: Receiver<String>, mut stream: TcpStream) -> bool {
    while let Ok(mut text) = said.recv().await {
        // All that waits goes in one write.
        while let Ok(more) = said.try_recv() {
            text.push_str(&more);
        }
        // Who hears knows better why the server has closed.
        if stream.write_all(text.as_bytes()).await.is_err() {
            return false;
        }
    }
    stream.close().await.is_ok()
}

/// Tells what comes, until the server closes. True when it has said goodbye.
async fn hear(stream: TcpStream, tell: &mut dyn FnMut(Event)) -> Result<bool, String> {
    let mut lines = Lines::new(stream, LONGEST_WITH_NAME);
    let mut was_goodbye = false;
    while let Some(line) = lines.next().await.map_err(|error| lost(&error))? {
        if let Some(refusal) = line.strip_prefix("! ") {
            return Err(refusal.to_owned());
        }
        was_goodbye = line.starts_with("* goodbye");
        tell(event::read(&line));
    }
    Ok(was_goodbye)
}

fn lost(error: &io::Error) -> String {
    format!("the connection to the server is lost: {error}")
}
