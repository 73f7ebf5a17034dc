//! Why something was not fetched, in words for who asked for it.

use std::fmt;

/// Why something was not fetched. It is displayed as one line for a person: what was asked for, what
/// happened, and, where there is something to do about it, what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// At which point it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The address is none that can be fetched.
    Address,
    /// The host was not found, or nobody there has answered.
    Connect,
    /// The connection could not be made safe.
    Tls,
    /// The server's answer is no HTTP, or there was none.
    Protocol,
    /// The redirects lead nowhere, or where it is not safe.
    Redirect,
    /// Nothing at all has come for too long.
    Silence,
    /// The answer has begun, and has not come to its end.
    CutOff,
}

impl Error {
    pub(super) fn new(kind: ErrorKind, message: String) -> Error {
        Error { kind, message }
    }

    /// At which point it failed.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What an error says, and what its sources say: hyper's say why only there.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
