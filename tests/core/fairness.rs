//! Whoever has always something to do, and the others beside it.

use std::cell::Cell;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Reactor};

use crate::cases;
use crate::futures::yield_now;
use crate::pairs::{Heard, echoing, pair, reader, script, script_on, write};
use crate::world::{LIMIT, World};

cases!(
    a_task_that_yields_for_ever_starves_nobody,
    a_loop_around_what_ends_at_once_hangs_nothing,
    a_flood_on_one_source_starves_nothing,
    a_flood_starves_nothing_with_a_budget_of_one,
    timers_for_the_past_do_not_starve_the_others,
);

/// Behaviour 57, 22.
fn a_task_that_yields_for_ever_starves_nobody(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let yields = Rc::new(Cell::new(0_u64));
    let count = Rc::clone(&yields);
    let busy = reactor.spawn_local(async move {
        loop {
            count.set(count.get() + 1);
            yield_now().await;
        }
    });
    // Two that wake each other never leave the queue empty: the budget ends the turn.
    let (ping, pong) = (Heard::new(), Heard::new());
    ping.tell(());
    let players = [(ping.clone(), pong.clone()), (pong, ping)].map(|(mine, other)| {
        reactor.spawn_local(async move {
            loop {
                mine.next().await;
                other.tell(());
            }
        })
    });
    const ROUNDS: u64 = 20;
    let (a, b) = UnixStream::pair().unwrap();
    let (events, timers, calls) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)), Arc::default());
    let got = Rc::clone(&events);
    let echo = reactor.register(a, Interest::READABLE, move |mut io, _| {
        io.read_exact(&mut [0]).unwrap();
        got.set(got.get() + 1);
        Action::Rearm
    });
    let fired = Rc::clone(&timers);
    let timer = reactor.every(Duration::from_millis(1), move || {
        fired.set(fired.get() + 1);
        (&b).write_all(b"x").unwrap();
        ControlFlow::Continue(())
    });
    let ran: Arc<AtomicU64> = Arc::clone(&calls);
    let remote = reactor.remote();
    let caller = thread::spawn(move || {
        for _ in 0..ROUNDS {
            let ran = Arc::clone(&ran);
            let call = move || {
                ran.fetch_add(1, Ordering::Relaxed);
            };
            remote.call_blocking(call).unwrap();
        }
    });
    let done = host.clone();
    let all = reactor.every(Duration::from_millis(1), move || {
        let calls = calls.load(Ordering::Relaxed);
        if events.get() >= ROUNDS && timers.get() >= ROUNDS && calls >= ROUNDS {
            done.done();
        }
        ControlFlow::Continue(())
    });
    let began = reactor.stats().turns;
    host.run();
    caller.join().unwrap();
    assert!(yields.get() > ROUNDS / 4);
    let stats = reactor.stats();
    assert!(stats.turns - began > ROUNDS, "the host has its say between the turns");
    assert!(yields.get() <= stats.turns - began + 1, "a yield is as long as a turn");
    assert!(stats.budget_hits > ROUNDS / 4);
    drop((busy, players, echo, timer, all));
}

fn a_loop_around_what_ends_at_once_hangs_nothing(world: &World) {
    let reactor = world.reactor();
    let _host = world.host(&reactor);
    let (near, _far) = pair();
    let source = reactor.source(near).unwrap();
    let loops = [
        reactor.spawn_local(async move {
            loop {
                let _ended = source.ready(Interest::READABLE).await;
            }
        }),
        reactor.spawn_local({
            let reactor = reactor.handle();
            async move {
                loop {
                    reactor.sleep(Duration::from_millis(1)).await;
                }
            }
        }),
        reactor.spawn_local({
            let reactor = reactor.handle();
            async move {
                loop {
                    reactor.sleep(Duration::ZERO).await;
                }
            }
        }),
    ];
    let finished = reactor.finish(LIMIT).unwrap();
    assert!(finished.is_clean(), "{finished}");
    drop(loops);
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
        let echo = echoing(reactor, echo);
        let (other, heard) = reader(reactor, near);
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

/// Behaviour 22, of timers: in front of those that are due.
fn timers_for_the_past_do_not_starve_the_others(world: &World) {
    fn again(reactor: &Handle, past: Instant, over: &Rc<Cell<bool>>) {
        let (inner, more) = (reactor.handle(), Rc::clone(over));
        if !over.get() {
            reactor.at(past, move || again(&inner, past, &more)).detach();
        }
    }
    script(world, |reactor| {
        let (reactor, over) = (reactor.handle(), Rc::new(Cell::new(false)));
        async move {
            again(&reactor, Instant::now(), &over);
            for _ in 0..10 {
                reactor.sleep(Duration::from_micros(500)).await;
            }
            over.set(true);
        }
    });
}
