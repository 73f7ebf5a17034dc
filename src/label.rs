//! Names for what the user made, to be recognised by in reports and dumps.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

/// The name that the user gave to a source, a timer, a task or a trigger; without one, the place
/// in the program where it was made.
#[derive(Clone, PartialEq, Eq)]
pub struct Label(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Made(&'static Location<'static>),
    /// Boxed, as few have a name and every source, timer and task has a label.
    Named(Box<Cow<'static, str>>),
}

impl Label {
    #[track_caller]
    pub(crate) fn caller() -> Label {
        Label(Kind::Made(Location::caller()))
    }

    pub(crate) fn named(name: impl Into<Cow<'static, str>>) -> Label {
        Label(Kind::Named(Box::new(name.into())))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Made(place) => write!(f, "{place}"),
            Kind::Named(name) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}
