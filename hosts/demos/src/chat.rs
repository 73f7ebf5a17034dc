//! Chat over TCP, a line at a time, with names: the protocol of the example `chat` of `interloop` itself,
//! whose server this is, and a client that tells a callback what happens.
//!
//! ```
//! use interloop::Reactor;
//! use interloop_demos::chat::{Client, Event, Server};
//!
//! let reactor = Reactor::new()?;
//! let server = Server::start(&reactor, "127.0.0.1:0", |line| println!("server: {line}"))?;
//! let address = server.address().to_string();
//! let handle = reactor.handle();
//! let client = Client::join(&reactor, &address, "alice", move |event| match event {
//!     Event::Welcome { others } => { println!("{} others", others.len()); handle.stop(); }
//!     Event::Said { from, text } => println!("{from}: {text}"),
//!     Event::End(Err(error)) => println!("{error}"),
//!     _ => {}
//! });
//! client.say("hello");
//! reactor.run()?;
//! # std::io::Result::Ok(())
//! ```

mod client;
mod event;
#[path = "../../../examples/chat/lines.rs"]
mod lines;
#[path = "../../../examples/chat/room.rs"]
mod room;
#[path = "../../../examples/chat/server.rs"]
mod server;

pub use client::Client;
pub use event::Event;
pub use room::check_name;
pub use server::Server;
