//! A host that watches the backend's descriptor, and has no worker.

use std::sync::Arc;

use loom::thread;

use crate::shared::{Flag, Shared};
use crate::tick::Tick;

/// The turn of `Core::quiet_turn`: the wait that makes the descriptor silent comes first, then the
/// inbox's clear, then the drain. How many calls ran.
fn turn(shared: &Shared, descriptor: &Flag) -> usize {
    descriptor.wait();
    shared.inbox.begin();
    std::iter::from_fn(|| shared.inbox.pop_call()).map(|call| call.run()).count()
}

fn post_one(shared: &Arc<Shared>) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        if shared.inbox.push_call(|| ()).is_ok_and(|wake| wake) {
            shared.wake_posted();
        }
    })
}

/// What `embed` does with the proxy: its own waker makes the descriptor readable.
fn embed(shared: &Arc<Shared>, descriptor: &Arc<Flag>) {
    let descriptor = Arc::clone(descriptor);
    shared.proxy.seize(Arc::new(move |tick: Tick| {
        tick.spend();
        descriptor.notify().unwrap();
    }));
    shared.rewake();
}

/// The host looks at nothing but the descriptor, and every call runs.
#[test]
fn embed_is_readable_for_every_item() {
    loom::model(|| {
        let (shared, descriptor) = (Shared::new(), Arc::new(Flag::new()));
        embed(&shared, &descriptor);
        let producers = [post_one(&shared), post_one(&shared)];
        let mut ran = 0;
        while ran < producers.len() {
            ran += turn(&shared, &descriptor);
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

/// A call that is posted before, while and after the reactor is embedded makes the descriptor readable.
#[test]
fn embed_hears_of_what_came_before() {
    loom::model(|| {
        let (shared, descriptor) = (Shared::new(), Arc::new(Flag::new()));
        let producer = post_one(&shared);
        embed(&shared, &descriptor);
        while turn(&shared, &descriptor) == 0 {}
        producer.join().unwrap();
    });
}
