//! An error of the operating system, with what was asked for.

use std::error::Error;
use std::fmt;
use std::io;

/// What failed, and why.
pub(crate) struct Context {
    what: String,
    source: io::Error,
}

impl Context {
    /// Says what `error` came of, and keeps its kind.
    pub(crate) fn add(what: impl fmt::Display, source: io::Error) -> io::Error {
        io::Error::new(source.kind(), Context { what: what.to_string(), source })
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.source)
    }
}

/// `main` prints what it returns in this form.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Error for Context {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
