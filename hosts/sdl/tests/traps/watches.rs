//! A program that hands its events to the reactor in an event watch: SDL calls that inside `SDL_PushEvent`, on the
//! thread that pushes.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use interloop::Reactor;
use interloop_sdl::{Attached, attach};

use super::{open, run_until};
use crate::common::Sdl;

/// What an event watch may have of the guard, as a program in C would.
#[derive(Clone, Copy)]
struct Shared(*const Attached);

// SAFETY: `handle` says what is the reactor's, on any thread.
unsafe impl Send for Shared {}

impl Shared {
    fn handle<S: Sdl>(self, event: &S::Event) -> bool {
        // SAFETY: the watch goes before the guard.
        unsafe { &*self.0 }.handle(event)
    }
}

/// Hands every event to the guard, and counts those that are the reactor's.
fn watch<S: Sdl>(sdl: &S, attached: &Attached) -> (Box<dyn Any>, Arc<AtomicUsize>) {
    let (shared, count) = (Shared(attached), Arc::new(AtomicUsize::new(0)));
    let ours = Arc::clone(&count);
    let watch = sdl.watch(move |event| {
        let is_ours = shared.handle::<S>(&event);
        ours.fetch_add(usize::from(is_ours), Ordering::Relaxed);
    });
    (watch, count)
}

/// Another thread pushes: its watch hears that the event is the reactor's, and the turn comes in the loop.
pub fn a_watch_on_another_thread_runs_no_turn<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    let (watch, ours) = watch(&sdl, &attached);
    let (ran, host) = (Arc::new(AtomicBool::new(false)), thread::current().id());
    let (remote, call) = (reactor.remote(), Arc::clone(&ran));
    let run = move || {
        assert_eq!(thread::current().id(), host);
        call.store(true, Ordering::Relaxed);
    };
    let caller = thread::spawn(move || remote.call(run));
    assert!(caller.join().expect("it calls").is_ok());
    assert!(!ran.load(Ordering::Relaxed) && ours.load(Ordering::Relaxed) == 1);
    run_until(&sdl, &[&attached], |_| ran.load(Ordering::Relaxed));
    drop(watch);
    Ok(())
}

/// The host thread pushes: whoever woke the reactor, as a callback of the program with its borrows, comes first.
pub fn a_watch_inside_the_waker_runs_no_turn<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    let (watch, ours) = watch(&sdl, &attached);
    let ran = Rc::new(Cell::new(0));
    for number in 1..=3 {
        let task = Rc::clone(&ran);
        reactor.spawn_local(async move { task.set(task.get() + 1) }).detach();
        assert_eq!(ran.get(), number - 1, "a turn inside spawn_local");
        run_until(&sdl, &[&attached], |_| ran.get() == number);
    }
    assert!(ours.load(Ordering::Relaxed) > 0);
    drop(watch);
    Ok(())
}

/// The call to quit is pushed where a watch hands it to the guard, and is pushed once.
pub fn a_watch_hears_of_one_call_to_quit<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    let (watch, _) = watch(&sdl, &attached);
    reactor.stop();
    run_until(&sdl, &[&attached], |quits| quits > 0);
    while let Some(event) = sdl.poll() {
        assert!(!S::is_quit(&event), "another one");
    }
    drop(watch);
    Ok(())
}
