//! The host: a loop that takes messages from a queue and runs them, as the loop of every toolkit
//! does at its heart. Any thread posts; the thread that runs the loop is the host thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};

use interloop::Tick;

#[derive(Default)]
pub struct Host {
    queue: Mutex<VecDeque<Message>>,
    posted: Condvar,
}

/// A toolkit would have more of these: paint, click, key.
pub enum Message {
    Tick(Tick),
    Quit,
}

impl Host {
    pub fn post(&self, message: Message) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(message);
        self.posted.notify_one();
    }

    pub fn run(&self) {
        loop {
            match self.next() {
                Message::Tick(tick) => tick.run(),
                Message::Quit => return,
            }
        }
    }

    fn next(&self) -> Message {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match queue.pop_front() {
                Some(message) => return message,
                None => queue = self.posted.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}
