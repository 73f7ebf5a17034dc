//! What a source hears, and what it does not.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Instant;

use interloop::{Action, Interest, Source};

use crate::cases;
use crate::pairs::{Heard, drain, fence, pair, read, script, write};
use crate::world::{LIMIT, Queue, World};

cases!(
    an_echo_goes_round_through_callbacks,
    a_source_removed_by_another_of_its_batch_does_not_fire,
    a_source_disarmed_by_another_of_its_batch_does_not_fire,
    a_source_armed_by_another_of_its_batch_fires,
    a_source_registered_in_a_callback_hears_what_is_ready_already;
    interleaved:
    what_is_closed_between_collection_and_dispatch_is_not_dispatched,
    what_comes_while_the_worker_rests_is_heard,
);

/// The thinnest whole: a thousand bytes there and back, one wake at most for each way.
fn an_echo_goes_round_through_callbacks(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (client, server) = pair();
    let echo = reactor.register(server, Interest::READABLE, |mut io, _| {
        let mut byte = [0];
        io.read_exact(&mut byte).unwrap();
        io.write_all(&byte).unwrap();
        Action::Rearm
    });
    let rounds = Rc::new(Cell::new(0_u32));
    let (count, done) = (Rc::clone(&rounds), host.clone());
    let client = reactor.register(client, Interest::READABLE, move |mut io, _| {
        let mut byte = [0];
        io.read_exact(&mut byte).unwrap();
        count.set(count.get() + 1);
        if count.get() == 1000 {
            done.done();
            return Action::Remove;
        }
        io.write_all(&byte).unwrap();
        Action::Rearm
    });
    let client = client.unwrap();
    client.get_ref().write_all(&[7]).unwrap();
    host.run();
    assert_eq!(rounds.get(), 1000);
    drop(echo);
}

/// Two sources that are ready in one batch. The first to be called does `first` to the other.
fn two_in_one_batch(world: &World, first: fn(&mut Option<Source<UnixStream>>)) {
    script(world, |reactor| {
        let sources: Rc<[RefCell<Option<Source<UnixStream>>>; 2]> = Rc::default();
        let heard = Heard::new();
        let mut far_ends = Vec::new();
        for (own, other) in [(0, 1), (1, 0)] {
            let (near, far) = pair();
            write(&far, b"a");
            far_ends.push(far);
            let (all, tell) = (Rc::clone(&sources), heard.clone());
            let source = reactor.register(near, Interest::READABLE, move |_, _| {
                first(&mut all[other].borrow_mut());
                tell.tell(own);
                Action::Disarm
            });
            sources[own].replace(source.ok());
        }
        let reactor = reactor.handle();
        async move {
            heard.next().await;
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            assert_eq!(reactor.stats().stale_events, 1);
            sources.iter().for_each(|source| drop(source.take()));
        }
    });
}

/// Behaviour 16.
fn a_source_removed_by_another_of_its_batch_does_not_fire(world: &World) {
    two_in_one_batch(world, |other| drop(other.take()));
}

/// Behaviour 16.
fn a_source_disarmed_by_another_of_its_batch_does_not_fire(world: &World) {
    two_in_one_batch(world, |other| other.as_ref().unwrap().disarm().unwrap());
}

/// Behaviour 16.
fn a_source_armed_by_another_of_its_batch_fires(world: &World) {
    script(world, |reactor| {
        let (near, far) = pair();
        let heard = Heard::new();
        let tell = heard.clone();
        let idle = reactor.register(near, Interest::NONE, move |_, readiness| {
            tell.tell(readiness.is_readable());
            Action::Remove
        });
        let idle = idle.unwrap();
        let (other, other_far) = pair();
        write(&other_far, b"a");
        write(&far, b"a");
        let other = reactor.register(other, Interest::READABLE, move |_, _| {
            idle.arm(Interest::READABLE).unwrap();
            Action::Disarm
        });
        async move {
            assert!(heard.next().await);
            drop((other, other_far, far));
        }
    });
}

/// Behaviour 16.
fn a_source_registered_in_a_callback_hears_what_is_ready_already(world: &World) {
    script(world, |reactor| {
        let heard = Heard::new();
        let (near, far) = pair();
        write(&far, b"a");
        let (tell, inner) = (heard.clone(), reactor.handle());
        let outer = reactor.register(near, Interest::READABLE, move |_, _| {
            let (near, far) = pair();
            write(&far, b"b");
            let tell = tell.clone();
            let source = inner.register(near, Interest::READABLE, move |io, _| {
                let _open = &far;
                tell.tell(read(io));
                Action::Remove
            });
            source.unwrap().detach();
            Action::Remove
        });
        async move {
            assert_eq!(heard.next().await, Some(b'b'));
            drop((outer, far));
        }
    });
}

/// Behaviour 16.
fn what_is_closed_between_collection_and_dispatch_is_not_dispatched(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (near, far) = pair();
    let source = reactor.register(near, Interest::READABLE, |_, _| panic!("it was removed"));
    write(&far, b"a");
    // The worker has collected the event: it has posted the tick.
    let tick = host.queue.take(Instant::now() + LIMIT).expect("the source is ready");
    drop(source);
    tick.run();
    // The worker may have had the batch back just then, to put the source's release behind the event: its
    // next tick brings both.
    host.run_until(|| reactor.stats().stale_events == 1);
    host.run_until(|| drain(&far));
}

/// With a tick outstanding the worker brings one event more, and rests. What comes in the turn that follows
/// is found by the host's own look at the end of it, or by the worker when its rest is over.
fn what_comes_while_the_worker_rests_is_heard(world: &World) {
    let reactor = world.reactor();
    let queue = Queue::default();
    let posts = queue.clone();
    reactor.interleave(move |tick| posts.post(tick)).unwrap();
    let (first, second, third) = (pair(), pair(), pair());
    let heard = Rc::new(Cell::new(0));
    let hear = |near, mut also: Box<dyn FnMut()>| {
        let heard = Rc::clone(&heard);
        let callback = move |io: &UnixStream, _| {
            if read(io).is_some() {
                heard.set(heard.get() + 1);
                also();
            }
            Action::Rearm
        };
        reactor.register(near, Interest::READABLE, callback).unwrap()
    };
    let to_third = third.1;
    let _sources = [
        hear(first.0, Box::new(move || write(&to_third, b"3"))),
        hear(second.0, Box::new(|| ())),
        hear(third.0, Box::new(|| ())),
    ];
    for round in 1..=300 {
        write(&first.1, b"1");
        let tick = queue.take(Instant::now() + LIMIT).expect("the first asks for a turn");
        write(&second.1, b"2");
        // Now and then it runs before the worker has come to the second.
        for _ in 0..round {
            std::thread::yield_now();
        }
        tick.run();
        while heard.get() < 3 * round {
            queue.take(Instant::now() + LIMIT).expect("more asks for another").run();
        }
    }
}
