//! What a reactor leaves in SDL for those that come after it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;

use interloop::Reactor;
use interloop_sdl::{attach, waker};

use super::{call, check_nothing_is_left, open, run_until};
use crate::common::Sdl;

/// How many types of user events SDL has.
const TYPES: usize = 32_767;

/// The types come back, those of refused reactors too; the raw hook keeps its own.
pub fn types_of_events_come_back<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    let (_, first) = waker(sdl.events())?;
    for _ in 0..TYPES {
        let refused = attach(&reactor, sdl.events()).expect_err("it is attached");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    }
    drop(attached);
    for _ in 0..10 {
        let reactor = Reactor::new()?;
        let attached = attach(&reactor, sdl.events())?;
        let ran = call(&reactor);
        run_until(&sdl, &[&attached], |_| ran.load(Ordering::Relaxed));
    }
    // Two are free again: that of the reactor that was attached, and that of the refused ones.
    let numbers = (0..3).map(|_| Ok(waker(sdl.events())?.1)).collect::<io::Result<Vec<u32>>>()?;
    assert_eq!(numbers.iter().max(), Some(&(first + 2)), "{first}, {numbers:?}");
    Ok(())
}

/// The program ends its loop in the pass in which the reactor has stopped.
pub fn a_quit_that_nobody_has_seen_goes_with_the_guard<S: Sdl>() -> io::Result<()> {
    let sdl = open::<S>()?;
    for (before, after) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let push = |count| (0..count).for_each(|_| sdl.push_quit().expect("there is room"));
        let reactor = Reactor::new()?;
        let attached = attach(&reactor, sdl.events())?;
        push(before);
        reactor.stop();
        while !reactor.is_stopped() {
            reactor.turn();
        }
        push(after);
        drop(attached);
        assert_eq!(quits(&sdl), before + after, "those of the user stay");
    }
    Ok(())
}

/// How many calls to quit are in the queue.
fn quits<S: Sdl>(sdl: &S) -> usize {
    let mut quits = 0;
    // SDL says that there are no more events where a round of looking ends, and goes on in the next.
    for _ in 0..2 {
        while let Some(event) = sdl.poll() {
            quits += usize::from(S::is_quit(&event));
        }
    }
    quits
}

/// A callback panics while the guard finishes the reactor, and the program catches that.
pub fn a_panic_out_of_the_guard_leaves_nothing<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    let ran = call(&reactor);
    // Without the hook, which would print it.
    reactor.spawn_local(async { resume_unwind(Box::new("of a task")) }).detach();
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(attached)));
    assert!(panicked.is_err() && ran.load(Ordering::Relaxed));
    check_nothing_is_left(&sdl);
    Ok(())
}
