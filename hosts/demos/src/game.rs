//! A game for two over UDP: each moves a disc through an arena, and who reaches the coin first has a point.
//!
//! Every packet has all that its sender knows best, and a number. Each player decides where he is himself, and the
//! host decides about the coin and the score. So a packet that is lost is made good by the next, one
//! that is late or comes twice is passed over, and nothing is ever asked for again. The other player is shown
//! as he was a tenth of a second ago, between two positions that are known.
//!
//! [`Session`] is one side of it, without socket and clock; [`Play`] plays it on a reactor:
//!
//! ```
//! use std::{ops::ControlFlow, rc::Rc, time::Duration};
//! use interloop::Reactor;
//! use interloop_demos::game::{Play, Steering};
//!
//! let reactor = Reactor::new()?;
//! let host = Play::host(&reactor, "127.0.0.1:0")?;
//! let guest = Play::join(&reactor, host.local_addr()?)?;
//! let handle = reactor.handle();
//! reactor.every(Duration::from_millis(5), move || {
//!     host.frame(Steering::default());
//!     let view = guest.frame(Steering::default());
//!     if view.other.is_none() {
//!         return ControlFlow::Continue(());
//!     }
//!     handle.stop();
//!     ControlFlow::Break(())
//! }).detach();
//! reactor.run()?;
//! # std::io::Result::Ok(())
//! ```

mod arena;
mod order;
mod packet;
mod play;
mod random;
mod session;
#[cfg(test)]
mod tests;
mod track;

pub use arena::{ARENA, COIN, PLAYER, Point, Steering};
pub use play::Play;
pub use session::{Link, Role, Session, View};
