//! The client.

use std::cell::Cell;
use std::io::{self, Write};
use std::time::Duration;

use futures_lite::{AsyncWriteExt, future};
use interloop::net::TcpStream;
use interloop::{Handle, Reactor};

use crate::Result;
use crate::input::Input;
use crate::lines::{LONGEST_WITH_NAME, Lines};

pub fn run(connect: &str, name: &str) -> Result<()> {
    // No host waits for this thread: to be slow, as the output may be, is not worth a report.
    let reactor = Reactor::builder().slow_callback(Duration::MAX).build();
    let reactor = reactor.map_err(|error| error.to_string())?;
    // The future borrows: `block_on` polls it on this thread.
    reactor.block_on(chat(&reactor, connect, name)).map_err(|error| error.to_string())?
}

async fn chat(handle: &Handle, connect: &str, name: &str) -> Result<()> {
    let mut stream = TcpStream::connect(handle, connect).await.map_err(|error| {
        format!(
            "{error}: is the server there? `chat server` starts one, --connect says where it is"
        )
    })?;
    stream.write_all(format!("{name}\n").as_bytes()).await.map_err(|error| lost(&error))?;
    let input = Input::new(handle).map_err(|error| format!("the input: {error}"))?;
    let is_leaving = Cell::new(false);
    // The stream is one object with as many handles as it takes.
    let sending = async {
        send(input, stream.clone()).await?;
        is_leaving.set(true);
        // The server hears the end, and closes when it has sent what was left.
        future::pending().await
    };
    let was_orderly = future::or(show(stream.clone()), sending).await?;
    if was_orderly || is_leaving.get() {
        return Ok(());
    }
    Err("the server has closed the connection without a goodbye".to_owned())
}

/// Sends the input, and closes the writing half of the connection when it ends.
async fn send(mut input: Input, mut stream: TcpStream) -> Result<()> {
    loop {
        let bytes = input.read().await.map_err(|error| format!("the input: {error}"))?;
        let sent = match bytes.as_slice() {
            [] => return stream.close().await.map_err(|error| lost(&error)),
            bytes => stream.write_all(bytes).await,
        };
        // The reader knows better why the server has closed.
        if sent.is_err() {
            return Ok(());
        }
    }
}

/// Prints what comes, until the server closes. True when it has said goodbye.
async fn show(stream: TcpStream) -> Result<bool> {
    let mut lines = Lines::new(stream, LONGEST_WITH_NAME);
    let mut was_goodbye = false;
    while let Some(line) = lines.next().await.map_err(|error| lost(&error))? {
        if let Some(refusal) = line.strip_prefix("! ") {
            return Err(format!("{refusal} (--name says who you are)"));
        }
        was_goodbye = line.starts_with("* goodbye");
        writeln!(io::stdout(), "{line}").map_err(|error| format!("the output: {error}"))?;
    }
    Ok(was_goodbye)
}

fn lost(error: &io::Error) -> String {
    format!("the connection to the server is lost: {error}")
}
