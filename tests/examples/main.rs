//! The examples as a user runs them: what they print, what they send, and how they exit.

#![cfg(unix)]

mod chat;
#[cfg(feature = "hyper")]
mod fetched;
#[cfg(feature = "hyper")]
mod folder;
#[cfg(feature = "hyper")]
mod http_client;
#[cfg(feature = "hyper")]
mod http_server;
mod program;
#[cfg(feature = "hyper")]
mod scripted;
#[cfg(feature = "hyper")]
mod tls;
mod your_own_host;
