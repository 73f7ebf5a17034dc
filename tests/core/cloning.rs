//! A waker of somebody else's whose clone takes its time: it runs a host loop.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::future::Future;
use std::io::Read;
use std::rc::Rc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use interloop::Async;

use crate::cases;
use crate::pairs::{pair, reader, write};
use crate::world::World;

cases!(;
    hosted:
    what_comes_while_a_waker_is_cloned_wakes_it,
);

/// What a waker points to that never leaves this thread.
struct Slow {
    wakes: Cell<usize>,
    /// Done by the first clone.
    meanwhile: Cell<Option<Box<dyn FnOnce()>>>,
}

static TABLE: RawWakerVTable = RawWakerVTable::new(
    |slow| {
        // SAFETY: it came from an `Rc` of this thread, of which the waker holds a count.
        let slow = unsafe {
            Rc::increment_strong_count(slow.cast::<Slow>());
            &*slow.cast::<Slow>()
        };
        slow.meanwhile.take().into_iter().for_each(|does| does());
        RawWaker::new(std::ptr::from_ref(slow).cast(), &TABLE)
    },
    |slow| {
        // SAFETY: as above, and the count goes with the waker.
        let slow = unsafe { Rc::from_raw(slow.cast::<Slow>()) };
        slow.wakes.set(slow.wakes.get() + 1);
    },
    |slow| {
        // SAFETY: as above.
        let slow = unsafe { &*slow.cast::<Slow>() };
        slow.wakes.set(slow.wakes.get() + 1);
    },
    // SAFETY: as above, and the count goes with the waker.
    |slow| drop(unsafe { Rc::from_raw(slow.cast::<Slow>()) }),
);

impl Slow {
    fn waker(self: &Rc<Slow>) -> Waker {
        let slow = Rc::into_raw(Rc::clone(self));
        // SAFETY: the table takes pointers from an `Rc`; nothing here gives the waker to another thread.
        unsafe { Waker::new(slow.cast(), &TABLE) }
    }
}

/// Behaviour 49: the event comes when it has been seen that there is none, and before anybody is known to wait.
fn what_comes_while_a_waker_is_cloned_wakes_it(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (near, far) = pair();
    let near = Async::new_nonblocking(&reactor, near).unwrap();
    // Reported when what was ready before it is.
    let (fence, behind) = pair();
    let (_fence, fenced) = reader(&reactor, fence);
    reactor.turn();
    let (inner, ends) = (host.clone(), Rc::new(Cell::new(None)));
    let open = Rc::clone(&ends);
    let meanwhile = move || {
        write(&far, b"a");
        write(&behind, b"b");
        inner.run_until(|| !fenced.rest().is_empty());
        // Their ends would be events too.
        open.set(Some((far, behind)));
    };
    let slow =
        Rc::new(Slow { wakes: Cell::new(0), meanwhile: Cell::new(Some(Box::new(meanwhile))) });
    let waker = slow.waker();
    let mut context = Context::from_waker(&waker);
    let mut byte = [0];
    let mut read = std::pin::pin!(near.read_with(|mut stream| stream.read(&mut byte)));
    assert!(read.as_mut().poll(&mut context).is_pending());
    host.run_until(|| slow.wakes.get() > 0);
    let Poll::Ready(read) = read.as_mut().poll(&mut context) else { panic!("woken for nothing") };
    assert_eq!(read.unwrap(), 1);
    drop(ends);
}
