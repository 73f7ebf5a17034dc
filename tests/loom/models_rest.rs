//! The worker's rest, in which the host thread polls in its place.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread;

use crate::rest::Rest;

/// The rest ends at any time, by itself or by the host. The two never poll at a time, and who polls sees
/// what the other has done to the backend: loom fails a model that touches the cell otherwise.
fn one_polls_at_a_time(rests_on: bool) {
    loom::model(move || {
        let rest = Arc::new(Rest::new());
        let backend = Arc::new(UnsafeCell::new(0));
        let poll = |backend: &UnsafeCell<i32>| {
            // SAFETY: what the model is about; loom checks it.
            #[allow(unsafe_code)]
            backend.with_mut(|polls| unsafe { *polls += 1 });
        };
        let worker = {
            let (rest, backend) = (Arc::clone(&rest), Arc::clone(&backend));
            thread::spawn(move || {
                poll(&backend);
                rest.rest(thread::yield_now);
                poll(&backend);
            })
        };
        // Two turns, of which each, one or none finds the worker at rest.
        for _ in 0..2 {
            if rest.claim() {
                poll(&backend);
                rest.release(rests_on);
            }
        }
        worker.join().unwrap();
        assert!(!rest.claim(), "the worker is back");
    });
}

#[test]
fn rest_has_one_thread_poll_at_a_time() {
    one_polls_at_a_time(true);
}

#[test]
fn rest_ends_when_the_host_finds_nothing() {
    one_polls_at_a_time(false);
}
