//! The embedded drive: a source that watches the reactor's own descriptor.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicUsize, Ordering};

use glib::{ControlFlow, MainContext, Priority};
use interloop::{Embedded, Handle};

use crate::source::{Dispatch, Source};

thread_local! {
    /// The reactors that are embedded on this thread. A source may be dispatched or finalized by another
    /// thread, so it has no more than a number, which leads to a reactor here and nowhere else.
    static EMBEDDED: RefCell<Vec<(usize, Weak<Embedded>)>> = const { RefCell::new(Vec::new()) };
}

/// The next number. It orders nothing.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// A reactor that is embedded in a context, until this is dropped.
pub(crate) struct Watch {
    // Dropped first, for GLib polls the descriptor until then.
    _source: Source<Number>,
    number: usize,
    _embedded: Rc<Embedded>,
}

impl Watch {
    /// # Errors
    ///
    /// As [`Handle::embed`].
    pub(crate) fn new(
        handle: &Handle,
        context: &MainContext,
        priority: Priority,
    ) -> io::Result<Watch> {
        let embedded = Rc::new(handle.embed()?.polled_by_number());
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        EMBEDDED.with_borrow_mut(|all| all.push((number, Rc::downgrade(&embedded))));
        let source = Source::attach(context, priority, Number(number));
        source.watch(embedded.as_fd());
        Ok(Watch { _source: source, number, _embedded: embedded })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // A thread that ends takes the list with it.
        let _gone = EMBEDDED.try_with(|all| {
            all.borrow_mut().retain(|(number, _)| *number != self.number);
        });
    }
}

struct Number(usize);

impl Dispatch for Number {
    const IS_READY: Option<fn(&Number) -> bool> = None;

    fn dispatch(&self) -> ControlFlow {
        let find = |all: &RefCell<Vec<(usize, Weak<Embedded>)>>| {
            let all = all.borrow();
            all.iter().find(|(number, _)| *number == self.0).and_then(|(_, found)| found.upgrade())
        };
        match EMBEDDED.try_with(find).ok().flatten() {
            Some(embedded) if embedded.turn() => ControlFlow::Continue,
            // It is readable for ever from here on.
            Some(_) => ControlFlow::Break,
            // Not this thread's to run.
            None => ControlFlow::Continue,
        }
    }
}
