//! Pages and files of http and https, fetched on the thread of the reactor, which is that of the widgets:
//! the protocol is hyper's, TLS is that of rustls.
//!
//! [`Client::fetch`] tells a callback what happens, and ends when what it returns is dropped. [`Client::get`] is
//! for tasks: its [`Response`] is read chunk by chunk, no faster than it is asked for, as what is written
//! to a disk must be.
//!
//! ```
//! use interloop::Reactor;
//! use interloop_demos::web::{Client, Event};
//!
//! # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let address = format!("http://{}/", listener.local_addr()?);
//! # let server = std::thread::spawn(move || {
//! #     use std::io::{Read, Write};
//! #     let (mut stream, _) = listener.accept().unwrap();
//! #     stream.read(&mut [0; 1000]).unwrap();
//! #     stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").unwrap();
//! # });
//! let reactor = Reactor::new()?;
//! let handle = reactor.handle();
//! let fetch = Client::new(&reactor).fetch(&address, move |event| match event {
//!     Event::Step(step) => println!("{step}"),
//!     Event::Head(head) => println!("{}, {:?} bytes", head.status, head.length),
//!     Event::Chunk(bytes) => println!("{} bytes have come", bytes.len()),
//!     Event::End(Ok(total)) => { println!("{total} bytes in all"); handle.stop(); }
//!     Event::End(Err(error)) => { println!("{error}"); handle.stop(); }
//! });
//! reactor.run()?;
//! drop(fetch);
//! # server.join().unwrap();
//! # std::io::Result::Ok(())
//! ```

mod address;
mod client;
mod error;
mod excerpt;
mod fetch;
mod progress;
mod response;
mod tls;

pub use client::{Client, Step};
pub use error::{Error, ErrorKind};
pub use excerpt::Excerpt;
pub use fetch::{Event, Fetch};
pub use progress::{Progress, size};
pub use response::{Head, Response};
pub use url::Url;
