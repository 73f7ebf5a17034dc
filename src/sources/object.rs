//! A registered object, and who hears of it.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use interloop_backends::{AsSource, BorrowedSource, Readiness};

use super::waiters::Waiters;
use crate::action::Action;
use crate::cache::Cache;

/// The user's object and those who hear of it, in one allocation, which the table of sources shares with
/// the user's handle.
pub(crate) struct Object<T, H: ?Sized> {
    pub(crate) io: T,
    pub(crate) hears: H,
}

/// An object as the handle of a source with a callback holds it: what it calls is nothing to the user.
pub(crate) type Lent<T> = Rc<Object<T, dyn Any>>;

/// An object as the table holds it.
pub(crate) trait Watched {
    /// What the backend watches.
    fn source(&self) -> BorrowedSource<'_>;

    /// What it remembers, and who waits for that.
    fn cache(&self) -> Option<&Cache> {
        None
    }

    /// Who waits for its next event.
    fn waiters(&self) -> Option<&Waiters> {
        None
    }

    /// True for one that was registered with a callback.
    fn has_callback(&self) -> bool {
        false
    }

    /// Calls the callback, which is not running.
    fn call(&self, readiness: Readiness) -> Action;

    /// Drops the callback, unless it is on the stack: then whoever called it does.
    fn drop_callback(&self) {}
}

/// Hears of what happens when it happens: a callback, and futures that wait.
pub(crate) struct Listener<F> {
    waiters: Waiters,
    /// Borrowed while it runs, by the one who runs it. Nobody asks for it then but those who would drop
    /// it, who leave it to that one.
    callback: RefCell<Option<F>>,
}

impl<F> Listener<F> {
    pub(crate) fn new(callback: Option<F>) -> Listener<F> {
        Listener { waiters: Waiters::new(), callback: RefCell::new(callback) }
    }
}

impl<T, F> Watched for Object<T, Listener<F>>
where
    T: AsSource,
    F: FnMut(&T, Readiness) -> Action,
{
    fn source(&self) -> BorrowedSource<'_> {
        self.io.as_source()
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.hears.waiters)
    }

    fn has_callback(&self) -> bool {
        self.hears.callback.try_borrow().map_or(true, |callback| callback.is_some())
    }

    fn call(&self, readiness: Readiness) -> Action {
        match self.hears.callback.borrow_mut().as_mut() {
            Some(callback) => callback(&self.io, readiness),
            None => Action::Disarm,
        }
    }

    fn drop_callback(&self) {
        let callback = self.hears.callback.try_borrow_mut().ok().and_then(|mut held| held.take());
        drop(callback);
    }
}

#[cfg(feature = "net")]
impl<T: AsSource> Watched for Object<T, Cache> {
    fn source(&self) -> BorrowedSource<'_> {
        self.io.as_source()
    }

    fn cache(&self) -> Option<&Cache> {
        Some(&self.hears)
    }

    fn call(&self, _readiness: Readiness) -> Action {
        Action::Disarm
    }
}
