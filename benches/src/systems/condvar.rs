//! The plainest foreign host: a queue that its thread sleeps on.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use interloop::{Reactor, Tick};

use super::left_out;
use super::ours::Drive;

#[derive(Default)]
struct Queue {
    ticks: Mutex<VecDeque<Tick>>,
    posted: Condvar,
}

impl Queue {
    fn post(&self, tick: Tick) {
        self.ticks.lock().unwrap_or_else(PoisonError::into_inner).push_back(tick);
        self.posted.notify_one();
    }

    fn take(&self) -> Tick {
        let ticks = self.ticks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ticks = self
            .posted
            .wait_while(ticks, |ticks| ticks.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        ticks.pop_front().expect("it has waited for one")
    }
}

/// Runs a reactor with a worker until it has stopped.
pub(crate) fn host(reactor: &Reactor, drive: Drive) -> io::Result<()> {
    if drive != Drive::Worker {
        return Err(left_out("a condition variable cannot watch a descriptor"));
    }
    let queue = Arc::new(Queue::default());
    let posts = Arc::clone(&queue);
    reactor.interleave(move |tick| posts.post(tick))?;
    while !reactor.is_stopped() {
        queue.take().run();
    }
    Ok(())
}
