//! With a worker, a source is looked at before it is armed: what is there already needs no worker.

use std::cell::Cell;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use interloop::backends::Poller;
use interloop::{Action, Handle, Interest, Source};

use crate::cases;
use crate::pairs::{drain, pair, write};
use crate::world::{Host, World};

cases!(
    ;
    interleaved:
    what_a_callback_leaves_unread_costs_no_wait,
    what_was_found_and_disarmed_is_not_told,
    what_was_found_and_removed_is_not_told,
);

/// A byte is read from a hundred each time.
fn what_a_callback_leaves_unread_costs_no_wait(world: &World) {
    const BYTES: usize = 100;
    let (watched, builder) = world.watched();
    if !watched.reports_what_poll_does() {
        return;
    }
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let (near, far) = pair();
    write(&far, &[7; BYTES]);
    let (read, done) = (Cell::new(0), host.clone());
    let source = reactor.register(near, Interest::READABLE, move |mut near, _| {
        near.read_exact(&mut [0]).unwrap();
        read.set(read.get() + 1);
        if read.get() == BYTES {
            done.done();
        }
        Action::Rearm
    });
    host.run();
    let seen = watched.seen();
    // Of nine in a row one is armed and reported, so that the host comes to what else it has.
    assert!((BYTES / 9 - 1..=BYTES / 9 + 1).contains(&seen.events), "{seen:?}");
    assert!((BYTES / 9 - 1..=BYTES / 9 + 1).contains(&(seen.modified as usize)), "{seen:?}");
    drop(source);
}

/// A source that reads a byte of two each time it is called, and how often that was.
struct Reader {
    source: Source<UnixStream>,
    called: Rc<Cell<u32>>,
    _far: UnixStream,
}

/// One that has been called once, and was found ready again.
fn found(reactor: &Handle, host: &Host) -> Reader {
    let (near, far) = pair();
    write(&far, b"xy");
    let called = Rc::new(Cell::new(0));
    let counted = Rc::clone(&called);
    let source = reactor.register(near, Interest::READABLE, move |mut near, _| {
        near.read_exact(&mut [0]).unwrap();
        counted.set(counted.get() + 1);
        Action::Rearm
    });
    host.run_until(|| called.get() == 1);
    Reader { source: source.unwrap(), called, _far: far }
}

/// Between the turn that found it and the turn that would tell.
fn what_was_found_and_disarmed_is_not_told(world: &World) {
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let reader = found(&reactor, &host);
    reader.source.disarm().unwrap();
    let asked = Rc::new(Cell::new(false));
    let answered = Rc::clone(&asked);
    let timer = reactor.after(Duration::ZERO, move || answered.set(true));
    host.run_until(|| asked.get());
    assert_eq!(reader.called.get(), 1);
    // Armed again, it hears of what is there.
    reader.source.arm(Interest::READABLE).unwrap();
    host.run_until(|| reader.called.get() == 2);
    drop(timer);
}

/// The source goes, and with it its object; another one is made in its place.
fn what_was_found_and_removed_is_not_told(world: &World) {
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let Reader { source, called, _far } = found(&reactor, &host);
    drop(source);
    let (near, other) = pair();
    let heard = Rc::new(Cell::new(0));
    let counted = Rc::clone(&heard);
    let next = reactor.register(near, Interest::READABLE, move |near, _| {
        assert!(!drain(near), "it is not the end");
        counted.set(counted.get() + 1);
        Action::Rearm
    });
    write(&other, b"z");
    host.run_until(|| heard.get() == 1);
    assert_eq!((called.get(), heard.get()), (1, 1));
    drop(next);
}
