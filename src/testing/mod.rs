//! The test kit for hosts: the author of an adapter gives his event loop a face, [`Host`], and one call
//! tries five claims on it, each in a process of its own.

mod host;

pub use host::Host;
