//! What a program without a reactor would do: epoll on its only thread, and nothing else.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

/// An epoll set of streams.
pub struct RawEpoll {
    set: OwnedFd,
    streams: Vec<UnixStream>,
    flags: EventFlags,
    events: Vec<Event>,
}

impl RawEpoll {
    /// Watches `streams` for reading: level-triggered, or armed for one event at a time.
    pub fn new(streams: Vec<UnixStream>, oneshot: bool) -> RawEpoll {
        let set = epoll::create(CreateFlags::CLOEXEC).expect("epoll opens");
        let once = if oneshot { EventFlags::ONESHOT } else { EventFlags::empty() };
        let flags = EventFlags::IN | once;
        for (index, stream) in streams.iter().enumerate() {
            epoll::add(&set, stream, EventData::new_u64(index as u64), flags)
                .expect("epoll takes a socket");
        }
        RawEpoll { set, events: Vec::with_capacity(1024), flags, streams }
    }

    /// Waits and calls `deliver` until it has been called `units` times, and returns how long that
    /// took. One-shot registrations are armed again after each call.
    pub fn measure(&mut self, units: u64, mut deliver: impl FnMut(&UnixStream)) -> Duration {
        let began = Instant::now();
        let mut done = 0;
        while done < units {
            self.events.clear();
            epoll::wait(&self.set, spare_capacity(&mut self.events), None).expect("epoll waits");
            for event in &self.events {
                let data = event.data;
                let stream = &self.streams[data.u64() as usize];
                deliver(stream);
                if self.flags.contains(EventFlags::ONESHOT) {
                    epoll::modify(&self.set, stream, data, self.flags).expect("it is in the set");
                }
            }
            done += self.events.len() as u64;
        }
        began.elapsed().mul_f64(units as f64 / done as f64)
    }

    /// The stream with this index.
    pub fn stream(&self, index: usize) -> &UnixStream {
        &self.streams[index]
    }
}
