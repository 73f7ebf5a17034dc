//! What belongs to a thread: its token, the reactors that live on it, the turn that runs on it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::Core;

/// Tells threads apart, for the life of the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ThreadToken(u64);

impl fmt::Display for ThreadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {}", self.0)
    }
}

thread_local! {
    /// 0 until somebody asks.
    static TOKEN: Cell<u64> = const { Cell::new(0) };
    static REACTORS: RefCell<Vec<(usize, Weak<Core>)>> = const { RefCell::new(Vec::new()) };
    static TURN: RefCell<Option<Rc<Core>>> = const { RefCell::new(None) };
    static WAKING: Cell<bool> = const { Cell::new(false) };
}

/// The token of this thread.
#[inline]
pub(crate) fn thread() -> ThreadToken {
    /// The next token. Relaxed: only the numbers have to differ.
    static NEXT: AtomicU64 = AtomicU64::new(1);
    if TOKEN.get() == 0 {
        TOKEN.set(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    ThreadToken(TOKEN.get())
}

/// Makes a reactor known to its thread.
pub(crate) fn enter(id: usize, core: &Rc<Core>) {
    REACTORS.with_borrow_mut(|reactors| reactors.push((id, Rc::downgrade(core))));
}

/// Undoes `enter`.
pub(crate) fn leave(id: usize) {
    let _gone_with_the_thread = REACTORS.try_with(|reactors| {
        reactors.borrow_mut().retain(|(known, _)| *known != id);
    });
}

/// The reactor `id`, if it is the one whose turn runs on this thread: the one to look for first, where it mostly is.
#[inline]
pub(crate) fn find_turning(id: usize) -> Option<Rc<Core>> {
    let is_it = |core: &&Rc<Core>| core.shared.id == id;
    TURN.try_with(|turn| turn.borrow().as_ref().filter(is_it).cloned()).ok().flatten()
}

/// The reactor `id`, if it lives on this thread.
pub(crate) fn find(id: usize) -> Option<Rc<Core>> {
    REACTORS
        .try_with(|reactors| {
            let reactors = reactors.borrow();
            reactors.iter().find(|(known, _)| *known == id).and_then(|(_, core)| core.upgrade())
        })
        .ok()
        .flatten()
}

/// True when this thread ends, and finds nothing any more.
#[cold]
pub(crate) fn has_ended() -> bool {
    REACTORS.try_with(|_| ()).is_err()
}

/// The reactor whose turn runs on this thread, the innermost where they nest.
pub(crate) fn current() -> Option<Rc<Core>> {
    TURN.try_with(|turn| turn.borrow().clone()).ok().flatten()
}

/// Marks a turn of `core` until the guard goes.
pub(crate) fn turning(core: &Rc<Core>) -> Turning {
    Turning { outer: mark(Some(Rc::clone(core))) }
}

/// Says whose turn runs, and gives what was said before. A thread that ends, and drops a reactor which it had in a
/// variable of its own, may have no mark any more.
fn mark(core: Option<Rc<Core>>) -> Option<Rc<Core>> {
    TURN.try_with(|turn| turn.replace(core)).ok().flatten()
}

pub(crate) struct Turning {
    outer: Option<Rc<Core>>,
}

impl Drop for Turning {
    fn drop(&mut self) {
        drop(mark(self.outer.take()));
    }
}

/// Marks that this thread is inside a waker until the guard goes.
pub(crate) fn waking() -> Waking {
    Waking(WAKING.replace(true))
}

/// True inside a waker: a tick that is run there would run under the feet of whoever woke.
pub(crate) fn is_waking() -> bool {
    WAKING.get()
}

pub(crate) struct Waking(bool);

impl Drop for Waking {
    fn drop(&mut self) {
        WAKING.set(self.0);
    }
}
