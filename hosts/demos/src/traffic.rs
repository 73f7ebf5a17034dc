//! A load for a reactor to be watched at: a server, its clients, and a thread that makes calls. Both ends of
//! every connection are in the same reactor.
//!
//! [`Traffic`] makes the load, [`Meter`] turns what it and the reactor have counted into rates.
//!
//! ```
//! use std::{rc::Rc, time::{Duration, Instant}};
//! use interloop::Reactor;
//! use interloop_demos::traffic::{Load, Meter, Traffic};
//!
//! let reactor = Reactor::new()?;
//! let traffic = Traffic::start(&reactor)?;
//! traffic.set(Load { clients: 8, ..Load::default() });
//! let mut meter = Meter::new(Instant::now(), &reactor.stats());
//! reactor.block_on(reactor.sleep(Duration::from_millis(100)))?;
//! let sample = meter.sample(Instant::now(), &reactor.stats(), &traffic);
//! println!("{:.0} messages a second", sample.messages);
//! # std::io::Result::Ok(())
//! ```

mod caller;
mod client;
mod load;
mod meter;
mod server;

pub use load::{Counts, Load, Traffic};
pub use meter::{Meter, Sample, percentile};
