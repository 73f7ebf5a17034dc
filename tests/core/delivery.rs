//! What a source hears, and what it does not.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use interloop::{Action, BackendKind, Handle, Interest, Reactor, Source};

use crate::cases;
use crate::pairs::{Heard, closed, drain, fence, fill, pair, read, script, script_on, write};
use crate::world::{Drive, Host, LIMIT, Queue, World};

cases!(
    an_echo_goes_round_through_callbacks,
    an_armed_source_fires_once_until_it_is_armed_again,
    level_data_still_there_fires_again_after_rearm,
    arming_for_writing_keeps_reading_armed,
    arming_inside_the_callback_adds_to_its_answer,
    an_interest_that_is_ready_does_not_stop_the_other,
    rearm_for_replaces_what_the_source_was_armed_for,
    a_half_close_is_readable_and_reads_as_the_end,
    a_hang_up_is_reported_to_every_interest,
    a_reset_arrives_as_readiness_and_the_read_says_it,
    a_connect_that_fails_arrives_writable_with_its_error,
    a_source_removed_by_another_of_its_batch_does_not_fire,
    a_source_disarmed_by_another_of_its_batch_does_not_fire,
    a_source_armed_by_another_of_its_batch_fires,
    a_source_registered_in_a_callback_hears_what_is_ready_already,
    a_panicking_callback_costs_its_own_source_only,
    each_of_two_panics_comes_out_of_a_turn,
    a_flood_on_one_source_starves_nothing,
    a_flood_starves_nothing_with_a_budget_of_one;
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

/// Behaviour 13.
fn an_armed_source_fires_once_until_it_is_armed_again(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let heard = Heard::new();
            let tell = heard.clone();
            let source = reactor.register(near, Interest::READABLE, move |_, readiness| {
                tell.tell(readiness);
                Action::Disarm
            });
            let source = source.unwrap();
            write(&far, b"a");
            assert!(heard.next().await.is_readable());
            write(&far, b"b");
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            source.arm(Interest::READABLE).unwrap();
            assert!(heard.next().await.is_readable());
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
        }
    });
}

/// Behaviour 13.
fn level_data_still_there_fires_again_after_rearm(world: &World) {
    script(world, |reactor| {
        let (near, far) = pair();
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(near, Interest::READABLE, move |io, _| {
            tell.tell(read(io));
            Action::Rearm
        });
        let reactor = reactor.handle();
        async move {
            write(&far, b"abc");
            assert_eq!(heard.take(3).await, [Some(b'a'), Some(b'b'), Some(b'c')]);
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            drop(far);
            assert_eq!(heard.next().await, None);
            drop(source);
        }
    });
}

/// Tells which interest was answered, reads what is there, and answers for the next.
fn teller(
    reactor: &Handle,
    near: UnixStream,
    interest: Interest,
    next: impl Fn(Interest) -> Action + 'static,
) -> (Source<UnixStream>, Heard<Interest>) {
    let heard = Heard::new();
    let tell = heard.clone();
    let source = reactor.register(near, interest, move |io, readiness| {
        let mut answered = Interest::NONE;
        if readiness.is_readable() && rustix::io::read(io, &mut [0; 16]).is_ok() {
            answered |= Interest::READABLE;
        }
        if readiness.is_writable() {
            answered |= Interest::WRITABLE;
        }
        // Readiness is a hint, and what it promised may not be there.
        if answered.is_none() {
            return Action::Rearm;
        }
        tell.tell(answered);
        next(answered)
    });
    (source.unwrap(), heard)
}

/// Behaviour 14.
fn arming_for_writing_keeps_reading_armed(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            fill(&near);
            let (source, heard) = teller(&reactor, near, Interest::READABLE, |_| Action::Rearm);
            source.arm(Interest::WRITABLE).unwrap();
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            write(&far, b"a");
            assert_eq!(heard.next().await, Interest::READABLE);
            source.disarm().unwrap();
            source.arm(Interest::WRITABLE).unwrap();
            source.arm(Interest::READABLE).unwrap();
            drain(&far);
            assert_eq!(heard.next().await, Interest::WRITABLE);
            source.disarm().unwrap();
            write(&far, b"b");
            fence(&reactor).await;
            // What was on its way when it was disarmed is not dispatched either.
            heard.rest();
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
        }
    });
}

/// Behaviour 14: the answer `Rearm` means what the source was armed for before it fired.
fn arming_inside_the_callback_adds_to_its_answer(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            fill(&near);
            let own: Rc<RefCell<Option<Source<UnixStream>>>> = Rc::default();
            let from_inside = Rc::clone(&own);
            let (source, heard) = teller(&reactor, near, Interest::READABLE, move |answered| {
                if answered == Interest::READABLE {
                    let own = from_inside.borrow();
                    own.as_ref().unwrap().arm(Interest::WRITABLE).unwrap();
                    return Action::Rearm;
                }
                Action::RearmFor(Interest::READABLE)
            });
            own.replace(Some(source));
            for _ in 0..2 {
                write(&far, b"a");
                assert_eq!(heard.next().await, Interest::READABLE);
            }
            drain(&far);
            assert_eq!(heard.next().await, Interest::WRITABLE);
            write(&far, b"b");
            assert_eq!(heard.next().await, Interest::READABLE);
            own.take();
        }
    });
}

/// Behaviour 14.
fn an_interest_that_is_ready_does_not_stop_the_other(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let both = Interest::READABLE | Interest::WRITABLE;
            let (source, heard) = teller(&reactor, near, both, |_| Action::Rearm);
            assert_eq!(heard.next().await, Interest::WRITABLE);
            write(&far, b"a");
            while !heard.next().await.contains(Interest::READABLE) {}
            drop(source);
        }
    });
}

/// Point 6 of what the reactor must do: each `Action` means what it says.
fn rearm_for_replaces_what_the_source_was_armed_for(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let (source, heard) = teller(&reactor, near, Interest::WRITABLE, |answered| {
                if answered == Interest::WRITABLE {
                    return Action::RearmFor(Interest::READABLE);
                }
                Action::Rearm
            });
            assert_eq!(heard.next().await, Interest::WRITABLE);
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            for _ in 0..3 {
                write(&far, b"a");
                assert_eq!(heard.next().await, Interest::READABLE);
            }
            drop(source);
        }
    });
}

/// Behaviour 15.
fn a_half_close_is_readable_and_reads_as_the_end(world: &World) {
    script(world, |reactor| {
        let (near, far) = pair();
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(near, Interest::READABLE, move |io, readiness| {
            assert!(readiness.is_readable(), "{readiness:?}");
            tell.tell(read(io));
            Action::Disarm
        });
        let source = source.unwrap();
        async move {
            far.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(heard.next().await, None);
            // The other half lives on.
            write(source.get_ref(), b"a");
            assert_eq!(read(&far), Some(b'a'));
        }
    });
}

/// Behaviour 15.
fn a_hang_up_is_reported_to_every_interest(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for interest in [Interest::READABLE, Interest::WRITABLE] {
                let (near, far) = pair();
                fill(&near);
                let heard = Heard::new();
                let tell = heard.clone();
                let source = reactor.register(near, interest, move |mut io, readiness| {
                    let failed = io.write_all(b"a").is_err();
                    tell.tell((readiness.answers(interest), failed));
                    Action::Disarm
                });
                fence(&reactor).await;
                assert_eq!(heard.rest(), []);
                drop(far);
                assert_eq!(heard.next().await, (interest, true));
                drop(source);
            }
        }
    });
}

/// A connection on the loopback interface: its two ends, that do not block.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

/// True for libkqueue, which asks each socket for its pending error, and so takes it away.
fn takes_errors(world: &World) -> bool {
    world.backend == BackendKind::Kqueue && cfg!(target_os = "linux")
}

/// Behaviour 15.
fn a_reset_arrives_as_readiness_and_the_read_says_it(world: &World) {
    let takes_errors = takes_errors(world);
    script(world, |reactor| {
        let (near, far) = connection();
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(near, Interest::READABLE, move |mut io, readiness| {
            assert!(readiness.is_readable(), "{readiness:?}");
            tell.tell(io.read(&mut [0; 16]).map_err(|error| error.kind()));
            Action::Remove
        });
        async move {
            rustix::net::sockopt::set_socket_linger(&far, Some(Duration::ZERO)).unwrap();
            drop(far);
            let reset = heard.next().await == Err(std::io::ErrorKind::ConnectionReset);
            assert!(reset || takes_errors);
            drop(source);
        }
    });
}

/// Behaviour 15.
fn a_connect_that_fails_arrives_writable_with_its_error(world: &World) {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
    let takes_errors = takes_errors(world);
    script(world, |reactor| {
        // A port that was ours, and that nobody listens on any more.
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
        let connecting = connect(&socket, &nobody);
        assert_eq!(connecting, Err(rustix::io::Errno::INPROGRESS));
        let stream = TcpStream::from(socket);
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(stream, Interest::WRITABLE, move |io, readiness| {
            assert!(readiness.is_writable() && readiness.is_error(), "{readiness:?}");
            tell.tell(io.take_error().unwrap().map(|error| error.kind()));
            Action::Remove
        });
        async move {
            let refused = heard.next().await == Some(std::io::ErrorKind::ConnectionRefused);
            assert!(refused || takes_errors);
            drop(source);
        }
    });
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

/// A source that is always ready, beside one of everything else, which all have to get on.
fn flood(world: &World, reactor: &Reactor) {
    let calls = Arc::new(AtomicU32::new(0));
    let remote = reactor.remote();
    script_on(reactor, world, |reactor| {
        let (near, far) = pair();
        write(&far, b"a");
        // It reads nothing, so that it is ready again as soon as it is armed.
        let flood = reactor.register(near, Interest::READABLE, |_, _| Action::Rearm).unwrap();
        let (near, echo) = pair();
        let echo = reactor.register(echo, Interest::READABLE, |io, _| {
            write(io, &[read(io).unwrap()]);
            Action::Rearm
        });
        let heard = Heard::new();
        let tell = heard.clone();
        let other = reactor.register(near, Interest::READABLE, move |io, _| {
            tell.tell(read(io));
            Action::Rearm
        });
        let other = other.unwrap();
        let counted = Arc::clone(&calls);
        let caller = std::thread::spawn(move || {
            for _ in 0..100 {
                let counted = Arc::clone(&counted);
                remote.call_blocking(move || counted.fetch_add(1, Ordering::Relaxed)).unwrap();
            }
        });
        let reactor = reactor.handle();
        async move {
            for _ in 0..100 {
                write(other.get_ref(), b"a");
                assert_eq!(heard.next().await, Some(b'a'));
            }
            for _ in 0..20 {
                reactor.sleep(Duration::from_millis(1)).await;
            }
            while calls.load(Ordering::Relaxed) < 100 {
                reactor.sleep(Duration::from_millis(1)).await;
            }
            caller.join().unwrap();
            drop((flood, far, echo));
        }
    });
}

/// Behaviour 22.
fn a_flood_on_one_source_starves_nothing(world: &World) {
    flood(world, &world.reactor());
}

/// Behaviour 22: kinds take turns when the budget ends each one.
fn a_flood_starves_nothing_with_a_budget_of_one(world: &World) {
    let reactor = world.builder().turn_budget(1, Duration::from_secs(1)).build().unwrap();
    flood(world, &reactor);
    assert!(reactor.stats().budget_hits > 0);
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
