//! The priority is the user's.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use glib::{ControlFlow, Priority};
use interloop::Reactor;

use crate::world::each_drive;

/// What was dispatched in which order: three sources of GLib's at `DEFAULT`, and a call.
fn order(priority: Priority) -> Vec<Vec<&'static str>> {
    let orders = Mutex::new(Vec::new());
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.priority(priority).to(&reactor).unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let ran = Arc::clone(&order);
        reactor.remote().call(move || ran.lock().unwrap().push("call")).unwrap();
        for _ in 0..3 {
            let ran = Arc::clone(&order);
            world.idle(Priority::DEFAULT, move || {
                ran.lock().unwrap().push("glib");
                ControlFlow::Break
            });
        }
        world.iterate_until(|| order.lock().unwrap().len() == 4);
        orders.lock().unwrap().push(order.lock().unwrap().clone());
    });
    orders.into_inner().unwrap()
}

#[test]
fn a_lower_priority_comes_after_the_sources_of_higher_ones() {
    assert_eq!(order(Priority::DEFAULT_IDLE), [["glib", "glib", "glib", "call"]; 2]);
}

#[test]
fn a_higher_priority_comes_first() {
    assert_eq!(order(Priority::HIGH), [["call", "glib", "glib", "glib"]; 2]);
}

/// Has the reactor busy for ever, and counts the turns of a source at `priority`, to `enough`.
fn beside_a_flood(ours: Priority, theirs: Priority) {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.priority(ours).to(&reactor).unwrap();
        let busy = poll_fn(|context| -> Poll<()> {
            context.waker().wake_by_ref();
            Poll::Pending
        });
        let _busy = reactor.spawn_local(busy);
        let (quitting, mut turns) = (world.main_loop.clone(), 0);
        world.idle(theirs, move || {
            turns += 1;
            if turns == 100 {
                quitting.quit();
            }
            ControlFlow::Continue
        });
        world.run();
    });
}

#[test]
fn a_flood_leaves_sources_of_its_own_priority_their_turn() {
    beside_a_flood(Priority::DEFAULT, Priority::DEFAULT);
    beside_a_flood(Priority::DEFAULT_IDLE, Priority::DEFAULT_IDLE);
}

#[test]
fn a_flood_at_a_low_priority_holds_up_nobody_above() {
    beside_a_flood(Priority::LOW, Priority::DEFAULT_IDLE);
}
