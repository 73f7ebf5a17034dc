//! One thread registers while another waits, as the reactor does.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use interloop_backends::{Event, Interest, Key, Mode, Poller, Release};

use crate::rig::{LIMIT, Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 3] = claims![claim:
    changes_made_while_another_thread_waits_take_effect,
    sources_come_and_go_while_another_thread_waits,
    nothing_is_lost_between_four_writers_one_waiter_and_one_host,
];

/// A thread that waits and hands over what it hears. This thread is the host.
struct Worker {
    poller: Arc<dyn Poller>,
    events: Receiver<Event>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    fn start(rig: &Rig) -> Worker {
        let (sender, events) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (poller, stopped) = (Arc::clone(&rig.poller), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut events = Vec::new();
            while !stopped.load(Ordering::SeqCst) {
                poller.wait(&mut events, None).unwrap();
                events.drain(..).for_each(|event| sender.send(event).unwrap());
            }
        });
        let poller = Arc::clone(&rig.poller);
        Worker { poller, events, stop, thread: Some(thread) }
    }

    /// After a change.
    fn changed(&self) {
        if !self.poller.applies_at_once() {
            self.poller.notify().unwrap();
        }
    }

    fn next(&self) -> Event {
        self.events.recv_timeout(LIMIT).expect("an event")
    }

    fn assert_ready(&self, wanted: Key) {
        let event = self.next();
        assert!(matches!(event, Event::Ready { key, .. } if key == wanted), "{event:?}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.poller.notify().unwrap();
        let result = self.thread.take().expect("joined once").join();
        if !thread::panicking() {
            result.unwrap();
        }
    }
}

// 3, 16
fn changes_made_while_another_thread_waits_take_effect(rig: &Rig) {
    let worker = Worker::start(rig);
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::NONE);
    for _ in 0..500 {
        rig.arm(&near, key, Interest::WRITABLE);
        worker.changed();
        worker.assert_ready(key);
    }
    rig.arm(&near, key, Interest::READABLE);
    worker.changed();
    far.write_all(b"a").unwrap();
    worker.assert_ready(key);
    let release = rig.poller.delete(near.as_fd(), key);
    worker.changed();
    if release == Release::Later {
        assert_eq!(worker.next(), Event::Released { key });
    }
}

// 16, 17
fn sources_come_and_go_while_another_thread_waits(rig: &Rig) {
    let worker = Worker::start(rig);
    // The numbers are used again and again; the keys are not.
    for generation in 0..500 {
        let (near, mut far) = pair();
        let key = Key::new(0, generation);
        rig.poller.add(near.as_fd(), key, Interest::READABLE, Mode::Oneshot).unwrap();
        worker.changed();
        far.write_all(b"a").unwrap();
        // Late events of the ones before are known by their keys.
        while !matches!(worker.next(), Event::Ready { key: k, .. } if k == key) {}
        rig.arm(&near, key, Interest::WRITABLE);
        let release = rig.poller.delete(near.as_fd(), key);
        worker.changed();
        // An event that was collected before the deletion may come yet.
        let mut released = release == Release::Now;
        while !released {
            released = worker.next() == Event::Released { key };
        }
    }
}

// 18, 22
fn nothing_is_lost_between_four_writers_one_waiter_and_one_host(rig: &Rig) {
    const SOCKETS: usize = 200;
    const MESSAGES: usize = 100;
    let (near, far): (Vec<_>, Vec<_>) = (0..SOCKETS).map(|_| pair()).unzip();
    let mut sources: HashMap<Key, (UnixStream, usize)> =
        near.into_iter().map(|near| (rig.add(&near, Interest::READABLE), (near, 0))).collect();
    let worker = Worker::start(rig);
    thread::scope(|scope| {
        let mut far = far;
        while !far.is_empty() {
            let mut mine = far.split_off(far.len().saturating_sub(SOCKETS / 4));
            scope.spawn(move || {
                for _ in 0..MESSAGES {
                    mine.iter_mut().for_each(|far| far.write_all(&[1]).unwrap());
                }
                mine
            });
        }
        let mut missing = SOCKETS * MESSAGES;
        while missing > 0 {
            let Event::Ready { key, .. } = worker.next() else { panic!("nothing was deleted") };
            let (near, count) = sources.get_mut(&key).expect("a key that was given out");
            let mut buffer = [0; 7];
            match near.read(&mut buffer) {
                Ok(received) => {
                    *count += received;
                    missing -= received;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            rig.arm(near, key, Interest::READABLE);
            worker.changed();
        }
    });
    assert!(sources.values().all(|(_, count)| *count == MESSAGES));
}
