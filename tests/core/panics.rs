//! Panics of user code: they come out of a turn, or go to the one who awaits.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use interloop::{Action, Interest, Reactor};

use crate::cases;
use crate::futures::{Flag, yield_now};
use crate::pairs::{Heard, closed, pair, read, write};
use crate::tasks::block_on;
use crate::world::{Drive, Host, LIMIT, World};

cases!(
    a_panic_goes_to_the_one_who_awaits,
    a_panic_of_a_detached_task_comes_out_of_the_turn,
    a_panic_of_a_task_that_nobody_awaits_goes_with_its_handle,
    a_panicking_callback_costs_its_own_source_only,
    each_of_two_panics_comes_out_of_a_turn,
);

/// Issue point 8.
fn a_panic_goes_to_the_one_who_awaits(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let bad = reactor.spawn_local(async {
        yield_now().await;
        std::panic::panic_any("a bad task");
    });
    let mut bad = Box::pin(bad);
    let awaits =
        poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| bad.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => panic!("it ended"),
            Err(panic) => Poll::Ready(*panic.downcast::<&str>().unwrap()),
        });
    assert_eq!(block_on(&reactor, &host, awaits), "a bad task");
}

/// Issue point 8, behaviour 20: once everything else in that turn has run.
fn a_panic_of_a_detached_task_comes_out_of_the_turn(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    reactor.spawn_local(async { std::panic::panic_any("nobody's") }).detach();
    let other = Flag::default();
    let set = other.clone();
    reactor.spawn_local(async move { set.set() }).detach();
    let panic = catch_unwind(AssertUnwindSafe(|| reactor.turn())).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "nobody's");
    assert!(other.is_set());
    block_on(&reactor, &host, yield_now());
}

/// Issue point 8: whoever holds the handle has the panic, even if to drop it.
fn a_panic_of_a_task_that_nobody_awaits_goes_with_its_handle(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let bad = reactor.spawn_local(async { std::panic::panic_any("kept") });
    block_on(&reactor, &host, yield_now());
    assert!(bad.is_finished());
    drop(bad);
}

/// Runs the host until a turn panics, and returns the text.
fn next_panic(host: &Host, reactor: &Reactor) -> &'static str {
    let panic = catch_unwind(AssertUnwindSafe(|| match host.drive {
        Drive::Interleaved | Drive::Embed => host.run_until(|| false),
        Drive::Run | Drive::BlockOn => reactor.run().unwrap(),
    }));
    panic.expect_err("a callback panics").downcast_ref::<&str>().expect("a text")
}

/// Behaviour 20.
fn a_panicking_callback_costs_its_own_source_only(world: &World) {
    // Printing a panic may take longer than a turn has.
    let reactor = world.builder().turn_budget(1000, LIMIT).build().unwrap();
    let heard = Heard::new();
    let mut sources = Vec::new();
    let mut far_ends = Vec::new();
    for own in 0..3 {
        let (near, far) = pair();
        write(&far, b"a");
        far_ends.push(far);
        let tell = heard.clone();
        let source = reactor.register(near, Interest::READABLE, move |io, _| {
            if own == 1 {
                panic!("a source");
            }
            tell.tell(read(io).map(|_| own));
            Action::Rearm
        });
        sources.push(source.unwrap());
    }
    let host = world.host(&reactor);
    assert_eq!(next_panic(&host, &reactor), "a source");
    let told = heard.rest();
    assert!(told.contains(&Some(0)) && told.contains(&Some(2)), "the batch went on: {told:?}");
    assert!(!sources[1].is_registered());
    let (inner, done) = (reactor.handle(), host.clone());
    let rest = reactor.spawn_local(async move {
        write(&far_ends[1], b"b");
        for own in [0, 2] {
            write(&far_ends[own], b"b");
            assert_eq!(heard.next().await, Some(own));
        }
        drop(sources);
        for far in far_ends {
            closed(&inner, far).await;
        }
        done.done();
    });
    rest.detach();
    host.run();
}

/// Behaviour 20: of every kind of callback, and each on its own.
fn each_of_two_panics_comes_out_of_a_turn(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let timer = reactor.after(Duration::ZERO, || panic!("a timer"));
    reactor.remote().call(|| panic!("a call")).unwrap();
    reactor.spawn_local(async { panic!("a task") }).detach();
    let every = reactor.every(Duration::from_nanos(1), || panic!("a period"));
    let mut panics: Vec<_> = (0..4).map(|_| next_panic(&host, &reactor)).collect();
    panics.sort_unstable();
    assert_eq!(panics, ["a call", "a period", "a task", "a timer"]);
    assert!(!timer.is_pending() && !every.is_pending());
    let done = host.clone();
    reactor.after(Duration::ZERO, move || done.done()).detach();
    host.run();
}
