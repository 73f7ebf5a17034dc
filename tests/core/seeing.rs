//! What the reactor tells of itself.

use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use interloop::{Action, Interest, Phase, Report};

use crate::cases;
use crate::futures::yield_now;
use crate::world::World;

cases!(
    what_has_no_label_is_named_by_its_place,
    a_label_names_it_in_the_dump,
    the_dump_forgets_what_is_gone,
    a_slow_callback_is_reported_with_its_label,
    the_counters_count,
);

/// Issue point 10: the caller's file and line, for each kind.
fn what_has_no_label_is_named_by_its_place(world: &World) {
    let reactor = world.unhurried();
    let (a, c) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
    let first = line!() + 1;
    let source = reactor.register(a.0, Interest::READABLE, |_, _| Action::Rearm);
    let plain = reactor.source(c.0);
    let once = reactor.after(Duration::from_secs(1000), || ());
    let at = reactor.at(Instant::now() + Duration::from_secs(1000), || ());
    let every = reactor.every(Duration::from_secs(1000), || ControlFlow::Continue(()));
    let task = reactor.spawn_local(std::future::pending::<()>());
    let trigger = reactor.on_shutdown(Phase::During, async {});
    let sleep = reactor.sleep(Duration::from_secs(1000));
    let asleep = reactor.spawn_local(sleep).label("sleeps");
    reactor.turn();
    let dump = reactor.dump();
    let place = |number: u32| format!("{}:{}:", file!(), first + number);
    let is_at = |label: &interloop::Label, number| label.to_string().starts_with(&place(number));
    assert_eq!(dump.sources.len(), 2);
    assert!(is_at(&dump.sources[0].label, 0), "{dump}");
    assert!(is_at(&dump.sources[1].label, 1), "{dump}");
    for number in [2, 3, 4, 7] {
        assert!(dump.timers.iter().any(|timer| is_at(&timer.label, number)), "{number}: {dump}");
    }
    assert!(dump.tasks.iter().any(|label| is_at(label, 5)), "{dump}");
    assert!(matches!(&dump.triggers[..], [(Phase::During, label)] if is_at(label, 6)), "{dump}");
    let text = dump.to_string();
    assert_eq!(text.lines().count(), 2 + 4 + 2 + 1, "{text}");
    assert!((0..8).all(|number| text.contains(&place(number))), "{text}");
    drop((source, plain, once, at, every, task, trigger, asleep));
}

/// Issue point 10.
fn a_label_names_it_in_the_dump(world: &World) {
    let reactor = world.reactor();
    let (a, _b) = UnixStream::pair().unwrap();
    let source = reactor.source(a).unwrap().label("the stream");
    let timer = reactor.after(Duration::MAX, || ()).label(format!("timer {}", 1));
    let task = reactor.spawn_local(std::future::pending::<()>()).label("the task");
    let trigger = reactor.on_shutdown(Phase::After, async {}).unwrap().label("the trigger");
    let text = reactor.dump().to_string();
    for name in ["the stream", "timer 1: never due", "the task", "After trigger the trigger"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(!text.contains(file!()), "{text}");
    drop((source, timer, task, trigger));
}

/// Issue point 10.
fn the_dump_forgets_what_is_gone(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (a, _b) = UnixStream::pair().unwrap();
    drop(reactor.source(a).unwrap());
    drop(reactor.after(Duration::MAX, || ()));
    drop(reactor.spawn_local(yield_now()));
    drop(reactor.on_shutdown(Phase::After, async {}));
    let done = host.clone();
    reactor.after(Duration::from_millis(1), move || done.done()).detach();
    host.run();
    let limit = Instant::now() + crate::world::LIMIT;
    while !reactor.dump().to_string().is_empty() {
        // The backend lets go of a removed source in its own time.
        assert!(Instant::now() < limit, "{}", reactor.dump());
        reactor.turn();
        std::thread::yield_now();
    }
}

/// Issue point 10: of each kind that has a label.
fn a_slow_callback_is_reported_with_its_label(world: &World) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let put = Arc::clone(&reports);
    let threshold = Duration::from_millis(50);
    let builder = world.builder().slow_callback(threshold).reporter(move |report| {
        if let Report::SlowCallback { label, took } = report {
            put.lock().unwrap().push(((*label).to_owned(), *took));
        }
    });
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let busy = move || {
        let until = Instant::now() + threshold + Duration::from_millis(1);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    };
    let (a, _b) = UnixStream::pair().unwrap();
    let source = reactor.register(a, Interest::WRITABLE, move |_, _| {
        busy();
        Action::Disarm
    });
    let source = source.unwrap().label("a slow source");
    let timer = reactor.after(Duration::ZERO, busy).label("a slow timer");
    let periodic = move || {
        busy();
        ControlFlow::Break(())
    };
    let every = reactor.every(Duration::from_millis(1), periodic).label("a slow period");
    let task = reactor.spawn_local(async move {
        yield_now().await;
        busy();
    });
    let task = task.label("a slow task");
    reactor.remote().call(busy).unwrap();
    let (done, seen) = (host.clone(), Arc::clone(&reports));
    let names = ["a slow source", "a slow timer", "a slow period", "a slow task", "a remote call"];
    let all = reactor.every(Duration::from_millis(1), move || {
        // A machine that was held up may have made others slow too.
        let seen = seen.lock().unwrap();
        if names.iter().all(|name| seen.iter().any(|(label, _)| label == name)) {
            done.done();
        }
        ControlFlow::Continue(())
    });
    host.run();
    let reports = reports.lock().unwrap();
    for name in names {
        let named = reports.iter().find(|(label, _)| label == name);
        assert!(named.is_some_and(|(_, took)| *took >= threshold), "{name}: {reports:?}");
    }
    drop((source, timer, every, task, all));
}

/// Issue point 10.
fn the_counters_count(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (a, _b) = UnixStream::pair().unwrap();
    let source = reactor.register(a, Interest::WRITABLE, |_, _| Action::Disarm);
    for _ in 0..3 {
        reactor.remote().call(|| ()).unwrap();
    }
    let task = reactor.spawn_local(yield_now());
    let limit = Instant::now() + crate::world::LIMIT;
    let (done, stats) = (host.clone(), reactor.handle());
    let timer = reactor.every(Duration::from_millis(1), move || {
        let stats = stats.stats();
        assert!(Instant::now() < limit);
        if stats.events == 1 && stats.calls == 3 && stats.polls == 2 && stats.timers >= 2 {
            done.done();
        }
        ControlFlow::Continue(())
    });
    host.run();
    let stats = reactor.stats();
    assert!(stats.turns > 0 && stats.nesting == 1 && stats.stale_events == 0);
    assert_eq!(stats.wakes_failed, 0);
    assert!(stats.events_per_turn_max >= 1);
    if world.is_interleaved() {
        assert!(stats.worker_returns > 0 && stats.wakes_issued > 0);
        assert!(stats.wake_to_turn.count() > 0 && stats.wake_to_turn.max() > Duration::ZERO);
        assert!(stats.wake_to_turn.percentile(50.0) <= stats.wake_to_turn.percentile(99.0));
    }
    drop((source, task, timer));
}
