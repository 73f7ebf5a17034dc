//! Names for what the user made, to be recognised by in reports and dumps.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;

/// The name that the user gave to a source, a timer, a task or a trigger; without one, the place
/// in the program where it was made.
// One word, as every source, timer and task has one: the address of the place, or that of a name
// in a box of its own, with `NAMED` set.
pub struct Label(NonNull<u8>);

/// The lowest bit of an address, which is 0 in that of a place and of a name.
const NAMED: usize = 1;

const _: () = assert!(align_of::<Location<'static>>() > NAMED && align_of::<Name>() > NAMED);

type Name = Cow<'static, str>;

#[derive(PartialEq, Eq)]
enum Kind<'a> {
    Made(&'static Location<'static>),
    Named(&'a Name),
}

impl Label {
    #[track_caller]
    pub(crate) fn caller() -> Label {
        Label::made(Location::caller())
    }

    fn made(place: &'static Location<'static>) -> Label {
        Label(NonNull::from(place).cast())
    }

    pub(crate) fn named(name: impl Into<Cow<'static, str>>) -> Label {
        let name: &mut Name = Box::leak(Box::new(name.into()));
        Label(NonNull::from(name).cast().map_addr(|address| address | NAMED))
    }

    /// The name in its box, if it is one.
    fn name(&self) -> Option<NonNull<Name>> {
        let address = self.0.addr().get();
        // What is left of the address of a box is not 0.
        (address & NAMED != 0).then(|| {
            let name = self.0.as_ptr().map_addr(|address| address & !NAMED);
            NonNull::new(name.cast()).expect("a box has an address")
        })
    }

    fn kind(&self) -> Kind<'_> {
        match self.name() {
            // SAFETY: `named` has leaked the box for this label, which alone frees it, when it is dropped.
            Some(name) => Kind::Named(unsafe { name.as_ref() }),
            // SAFETY: without the bit this is what `made` was given, which lives for ever.
            None => Kind::Made(unsafe { self.0.cast().as_ref() }),
        }
    }
}

// SAFETY: it is a shared reference to a place, or owns a name: both may go to any thread.
unsafe impl Send for Label {}

// SAFETY: nothing is changed through a shared label.
unsafe impl Sync for Label {}

impl Drop for Label {
    fn drop(&mut self) {
        if let Some(name) = self.name() {
            // SAFETY: it came out of a box in `named`, and nobody else frees it: a clone has another.
            drop(unsafe { Box::from_raw(name.as_ptr()) });
        }
    }
}

impl Clone for Label {
    fn clone(&self) -> Label {
        match self.kind() {
            Kind::Made(place) => Label::made(place),
            Kind::Named(name) => Label::named(name.clone()),
        }
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Label) -> bool {
        self.kind() == other.kind()
    }
}

impl Eq for Label {}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
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

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_word() {
        assert_eq!(size_of::<Option<Label>>(), size_of::<usize>());
    }

    #[test]
    fn a_label_says_where_it_was_made_or_its_name() {
        let made = Label::caller();
        assert!(made.to_string().contains(file!()), "{made}");
        let (lent, owned) = (Label::named("a name"), Label::named("a name".to_owned()));
        assert_eq!(lent.to_string(), "a name");
        assert_eq!(lent, owned);
        assert_eq!(format!("{:?}", owned.clone()), "\"a name\"");
        drop(owned);
        assert_ne!(lent, made);
        assert_eq!(made, made.clone());
    }

    #[test]
    fn a_label_may_be_dropped_on_another_thread() {
        let label = Label::named("a name".to_owned());
        let clone = label.clone();
        std::thread::spawn(move || drop(label)).join().unwrap();
        assert_eq!(clone.to_string(), "a name");
    }
}
