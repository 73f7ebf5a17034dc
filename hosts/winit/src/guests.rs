//! The reactors that are attached on a thread, as [`Host`](crate::Host) finds them.
//!
//! winit lends the application to the loop, so that nothing can be added to it once the loop runs. What is
//! attached from inside a callback is found here.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use interloop::Handle;

thread_local! {
    static GUESTS: RefCell<Vec<Rc<Guest>>> = const { RefCell::new(Vec::new()) };
}

/// An attached reactor.
pub(crate) struct Guest {
    pub(crate) handle: Handle,
    pub(crate) ticked: Arc<Ticked>,
    /// How long the reactor may take to finish.
    pub(crate) timeout: Cell<Duration>,
    /// The loop is to exit: the reactor has run its `After` triggers.
    pub(crate) exit: Cell<bool>,
}

/// How many events were sent to the loop since the last turn.
///
/// Counted up by the thread that is inside the waker, before it sends the event; taken by the loop's thread
/// before the turn. An earlier event may be what takes it there: Release and Acquire make the turn see the
/// wake that it was counted for, since no other turn will come for that.
#[derive(Default)]
pub(crate) struct Ticked(AtomicUsize);

impl Ticked {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn take(&self) -> bool {
        self.0.swap(0, Ordering::Acquire) > 0
    }

    /// The reactor has waited for a turn, and sent another event.
    fn is_overdue(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

impl Guest {
    /// Runs a turn if a tick has come.
    pub(crate) fn turn(&self) {
        if self.ticked.take() {
            self.handle.turn();
        }
    }

    /// Runs a turn if one is overdue.
    pub(crate) fn turn_if_overdue(&self) {
        if self.ticked.is_overdue() {
            self.turn();
        }
    }

    /// Completes the reactor's shutdown, here and now.
    pub(crate) fn finish(&self) {
        // The program may run the loop again, where it has caught the panic of a callback too.
        let _goes_on = GoesOn(&self.exit);
        drop(self.handle.finish_on_drop(self.timeout.get()));
    }
}

/// Lets the loop go on when it is dropped: it has ended, and what the reactor's end says comes late.
struct GoesOn<'a>(&'a Cell<bool>);

impl Drop for GoesOn<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

pub(crate) fn enter(guest: &Rc<Guest>) {
    GUESTS.with_borrow_mut(|guests| guests.push(Rc::clone(guest)));
}

pub(crate) fn leave(guest: &Rc<Guest>) {
    // The guest is dropped without the borrow, and where the thread is ending there is no table any more.
    let _gone = GUESTS.try_with(|guests| {
        let mut guests = guests.borrow_mut();
        let at = guests.iter().position(|other| Rc::ptr_eq(other, guest));
        at.map(|at| guests.remove(at))
    });
}

/// Calls `f` with each guest of this thread. Others may come and go meanwhile: from the last to the first,
/// those that go make it pass over none that stays.
pub(crate) fn for_each(f: impl Fn(&Guest)) {
    let guest = |index| GUESTS.with_borrow(|guests| guests.get(index).cloned());
    for index in (0..GUESTS.with_borrow(Vec::len)).rev() {
        if let Some(guest) = guest(index) {
            f(&guest);
        }
    }
}
