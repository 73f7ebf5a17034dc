//! What the example applications of the hosts share: everything but the windows. A module serves one or
//! two of them, knows no toolkit, and runs on any reactor.

pub mod chat;
pub mod download;
pub mod game;
pub mod testing;
pub mod traffic;
pub mod web;
