//! Files of http and https, downloaded to the disk: each can be stopped, and goes on where it was stopped or
//! cut off.
//!
//! What is written is written on the thread pool, and no more is asked of the network than the disk
//! takes. The part that has come lies beside the file that is to be, with the ending `.part`.
//!
//! ```
//! use interloop::Reactor;
//! use interloop_demos::download::{Download, End, Event};
//! use interloop_demos::web::Client;
//!
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let address = format!("http://{}/", listener.local_addr()?);
//! # let server = std::thread::spawn(move || {
//! #     use std::io::{Read, Write};
//! #     let (mut stream, _) = listener.accept().unwrap();
//! #     stream.read(&mut [0; 1000]).unwrap();
//! #     stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").unwrap();
//! # });
//! # let output = std::env::temp_dir().join(format!("download-{}", std::process::id()));
//! let reactor = Reactor::new()?;
//! let handle = reactor.handle();
//! let download = Download::start(&Client::new(&reactor), &address, &output, move |event| match event {
//!     Event::Step(step) => println!("{step}"),
//!     Event::Begun { total, .. } => println!("{total:?} bytes"),
//!     Event::Come(bytes) => println!("{bytes} bytes have come"),
//!     Event::End(End::Complete(bytes)) => { println!("all {bytes}"); handle.stop(); }
//!     Event::End(end) => { println!("{end:?}"); handle.stop(); }
//! });
//! reactor.run()?;
//! drop(download);
//! # server.join().unwrap();
//! # assert_eq!(std::fs::read(&output)?, b"hello");
//! # std::fs::remove_file(&output)?;
//! # std::io::Result::Ok(())
//! ```

#[path = "../../../examples/http_client/partial.rs"]
mod partial;
#[path = "../../../examples/http_client/ranges.rs"]
mod ranges;
mod transfer;
#[path = "../../../examples/http_client/writer.rs"]
mod writer;

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;

use async_channel::Sender;
use interloop::Task;

use crate::web::{Client, Step};
use transfer::Transfer;

/// What one line says of a failure.
type Result<T> = std::result::Result<T, String>;

/// What [`Download::start`] tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// What happens until there is an answer.
    Step(Step),
    /// The answer has begun.
    Begun {
        /// How many bytes there were already.
        before: u64,
        /// How many there will be in all, where the server says so.
        total: Option<u64>,
    },
    /// This many bytes have come in all.
    Come(u64),
    /// It has ended. Nothing comes after this.
    End(End),
}

/// How a download has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The file is there, with this many bytes.
    Complete(u64),
    /// It was stopped. What has come is on the disk, and the next download of the same to the same place
    /// goes on there.
    Stopped,
    /// It has failed, for a reason to be shown. What has come is kept too.
    Failed(String),
}

/// Something that is downloaded. Dropping it ends it without a word; [`stop`](Download::stop) has what has
/// come written first.
#[must_use = "dropping it ends the download"]
#[derive(Debug)]
pub struct Download {
    is_wanted: Rc<Cell<bool>>,
    stop: Sender<()>,
    _task: Task<()>,
}

impl Download {
    /// Downloads what is at an address to a file, and goes on where an earlier download of it was stopped.
    /// `on_event` is called on the thread of the reactor, in its turns, and never from inside this
    /// function.
    ///
    /// Nobody else may be downloading to the same file.
    pub fn start(
        client: &Client,
        address: &str,
        output: &Path,
        mut on_event: impl FnMut(Event) + 'static,
    ) -> Download {
        let is_wanted = Rc::new(Cell::new(true));
        let (stop, stopped) = async_channel::bounded(1);
        let (address, output) = (address.to_owned(), output.to_owned());
        let (client, wanted) = (client.clone(), Rc::clone(&is_wanted));
        let handle = client.handle().clone();
        let task = handle.spawn_local(async move {
            // A task that is dropped while it runs runs on to where it waits.
            let mut tell = |event| {
                if wanted.get() {
                    on_event(event);
                }
            };
            let transfer =
                Transfer { client: &client, address: &address, stopped, tell: &mut tell };
            let end = transfer.run(&output).await.unwrap_or_else(End::Failed);
            tell(Event::End(end));
        });
        Download { is_wanted, stop, _task: task.label("download") }
    }

    /// Stops it, when what has come is written. [`Event::End`] says so.
    pub fn stop(&self) {
        // Asking twice changes nothing.
        let _asked = self.stop.try_send(());
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        self.is_wanted.set(false);
    }
}
