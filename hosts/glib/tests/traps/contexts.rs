//! Whose context it is, and which goes first.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use glib::{MainContext, MainLoop, Priority};
use interloop::Reactor;
use interloop_glib::{Attach, Drive, attach, waker};

use crate::world::{Count, LIMIT, each_drive, embeds, global, in_own_context, quit_when_idle};

#[test]
fn the_thread_default_context_is_taken_and_given_back() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let attached = attach.to(&reactor).unwrap();
        let others = world.context.clone();
        let is_free = move || thread::spawn(move || others.acquire().is_ok()).join().unwrap();
        assert!(!is_free.clone()());
        assert!(!MainContext::default().is_owner());
        quit_when_idle(&reactor, &world.main_loop);
        world.run();
        drop(attached);
        // It is this thread's still, as its thread-default context.
        assert!(world.context.is_owner() && !is_free());
    });
}

#[test]
fn threads_have_reactors_of_their_own() {
    let threads = (0..4).map(|_| {
        thread::spawn(|| {
            each_drive(|world, attach| {
                let reactor = Reactor::new().unwrap();
                let _attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
                let (remote, ran) = (reactor.remote(), Count::default());
                let counting = ran.clone();
                let poster = thread::spawn(move || {
                    for _ in 0..1000 {
                        remote.call(counting.call()).unwrap();
                    }
                    remote.stop();
                });
                world.run();
                poster.join().unwrap();
                assert_eq!(ran.get(), 1000);
            });
        })
    });
    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_context_that_another_thread_owns_is_refused() {
    let _global = global();
    let (owned, is_owned) = mpsc::channel();
    let (release, is_released) = mpsc::channel();
    let owner = thread::spawn(move || {
        let context = MainContext::default();
        let _guard = context.acquire().unwrap();
        owned.send(()).unwrap();
        is_released.recv_timeout(LIMIT).unwrap();
    });
    is_owned.recv_timeout(LIMIT).unwrap();
    let reactor = Reactor::new().unwrap();
    let error = attach(&reactor).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
    assert!(error.to_string().contains("another thread owns the main context"), "{error}");
    release.send(()).unwrap();
    owner.join().unwrap();
}

#[test]
fn what_runs_another_context_is_refused_and_the_reactor_goes_on() {
    let _global = global();
    in_own_context(|world| {
        let reactor = Reactor::new().unwrap();
        let other = MainLoop::new(None, false);
        let error = Attach::new().main_loop(&other).to(&reactor).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let application = gio::Application::new(None, gio::ApplicationFlags::NON_UNIQUE);
        let error = Attach::new().application(&application).to(&reactor).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let attached = attach(&reactor).unwrap();
        quit_when_idle(&reactor, &world.main_loop);
        world.run();
        drop(attached);
    });
}

#[test]
fn a_reactor_that_is_driven_already_is_refused_and_goes_on() {
    in_own_context(|world| {
        let reactor = Reactor::new().unwrap();
        reactor.interleave(waker(&world.context, Priority::DEFAULT)).unwrap();
        let error = Attach::new().main_loop(&world.main_loop).to(&reactor).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(!reactor.is_stopped());
        quit_when_idle(&reactor, &world.main_loop);
        world.run();
    });
}

#[test]
fn the_reactor_is_embedded_where_its_backend_has_a_descriptor() {
    in_own_context(|_world| {
        let reactor = Reactor::new().unwrap();
        let drive = embeds(&reactor);
        assert_eq!(attach(&reactor).unwrap().drive(), drive);
    });
}

/// A context that nobody refers to any more but the adapter, and what its own source holds.
fn deserted(context: MainContext) -> Arc<()> {
    let token = Arc::new(());
    let held = Arc::clone(&token);
    let source = glib::timeout_source_new(LIMIT, None, Priority::LOW, move || {
        let _held = &held;
        glib::ControlFlow::Continue
    });
    source.attach(Some(&context));
    token
}

#[test]
fn a_context_that_was_dropped_lives_until_the_guard_is_dropped() {
    for attach in [Attach::new(), Attach::new().drive(Drive::Worker)] {
        let context = MainContext::new();
        let reactor = Reactor::new().unwrap();
        let attached = context.with_thread_default(|| attach.to(&reactor).unwrap()).unwrap();
        let held = deserted(context);
        let (remote, ran) = (reactor.remote(), Count::default());
        let call = ran.call();
        assert!(thread::spawn(move || remote.call(call).is_ok()).join().unwrap());
        assert_eq!(Arc::strong_count(&held), 2);
        drop(attached);
        assert_eq!(ran.get(), 1);
        drop(reactor);
        assert_eq!(Arc::strong_count(&held), 1, "the context was not freed");
    }
}

#[test]
fn a_context_that_was_dropped_lives_until_the_waker_is_dropped() {
    let context = MainContext::new();
    let reactor = Reactor::new().unwrap();
    reactor.interleave(waker(&context, Priority::DEFAULT)).unwrap();
    let held = deserted(context);
    let ran = Count::default();
    for _ in 0..10 {
        reactor.remote().call(ran.call()).unwrap();
    }
    assert_eq!(Arc::strong_count(&held), 2);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(ran.get(), 10);
    assert_eq!(Arc::strong_count(&held), 1, "the context was not freed");
}

#[test]
fn a_thread_that_iterates_the_context_of_another_runs_none_of_its_callbacks() {
    let context = MainContext::new();
    let reactor = Reactor::builder().reporter(|_| ()).build().unwrap();
    reactor.interleave(waker(&context, Priority::DEFAULT)).unwrap();
    let here = thread::current().id();
    let ran = Rc::new(Cell::new(false));
    let done = Rc::clone(&ran);
    reactor
        .spawn_local(async move {
            assert_eq!(thread::current().id(), here);
            done.set(true);
        })
        .detach();
    let elsewhere = context.clone();
    let dispatched = thread::spawn(move || elsewhere.iteration(true)).join().unwrap();
    assert!(dispatched && !ran.get());
    // The post has failed, and is repeated.
    while !ran.get() {
        context.iteration(true);
    }
    assert!(reactor.stats().wakes_failed >= 1);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}
