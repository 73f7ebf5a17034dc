//! Signals as a stream, and what becomes of the host's handlers.
#![allow(unsafe_code)]

use std::fs;
use std::io::ErrorKind;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use futures_lite::StreamExt;
use interloop::Reactor;
use interloop::signal::{Signal, Signals, signals};
use signal_hook::low_level::raise;

use crate::pairs::{Heard, fence, script, settled};
use crate::world::{LIMIT, World};

/// How often the host's handler ran. Relaxed: the case looks when the signal was heard.
static CALLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: libc::c_int) {
    CALLED.fetch_add(1, Ordering::Relaxed);
}

extern "C" fn other(_signal: libc::c_int) {}

/// How often `SIGPIPE` came. Relaxed: the case looks when all that was sent has come.
static PIPES: AtomicU32 = AtomicU32::new(0);

extern "C" fn broken(_signal: libc::c_int) {
    PIPES.fetch_add(1, Ordering::Relaxed);
}

/// A handler, as `sigaction` has it.
fn address(handler: extern "C" fn(libc::c_int)) -> usize {
    handler as usize
}

/// The handler in force, its flags, and whether it blocks `SIGALRM`.
type Action = (usize, libc::c_int, bool);

fn current(signal: Signal) -> Action {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is set; the action was zeroed, and is written to.
    unsafe {
        assert_eq!(libc::sigaction(signal.number(), ptr::null(), action.as_mut_ptr()), 0);
        let action = action.assume_init();
        let blocks = libc::sigismember(&action.sa_mask, libc::SIGALRM) == 1;
        (action.sa_sigaction, action.sa_flags, blocks)
    }
}

/// Sets an action, with flags and a mask that are not those of `signal-hook`.
fn set(signal: Signal, handler: usize) -> Action {
    // SAFETY: the handler is the default, or to ignore, or a function that touches an atomic at most.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART | libc::SA_NODEFER;
        libc::sigaddset(&mut action.sa_mask, libc::SIGALRM);
        assert_eq!(libc::sigaction(signal.number(), &action, ptr::null_mut()), 0);
    }
    current(signal)
}

fn send(signal: Signal) {
    raise(signal.number()).unwrap();
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Behaviour 56.
pub fn a_signal_is_heard(world: &World) {
    script(world, |reactor| {
        let mut heard = signals(reactor, &[Signal::USR1, Signal::USR2]).unwrap();
        send(Signal::USR2);
        let reactor = reactor.handle();
        async move {
            assert_eq!(heard.recv().await.unwrap(), Signal::USR2);
            for _ in 0..3 {
                send(Signal::USR1);
                assert_eq!(heard.next().await, Some(Signal::USR1));
            }
            send(Signal::USR1);
            send(Signal::USR2);
            send(Signal::USR2);
            let mut both = [heard.next().await.unwrap(), heard.recv().await.unwrap()];
            both.sort();
            assert_eq!(both, [Signal::USR1.min(Signal::USR2), Signal::USR1.max(Signal::USR2)]);
            let nothing = reactor.timeout(Duration::from_millis(5), heard.recv()).await;
            assert_eq!(nothing.unwrap_err().kind(), ErrorKind::TimedOut);
            // The wait that was cancelled takes nothing with it.
            send(Signal::USR1);
            assert_eq!(heard.recv().await.unwrap(), Signal::USR1);
        }
    });
}

/// Behaviour 19, 56: from another thread, to whichever thread the kernel takes.
pub fn of_ten_thousand_signals_one_is_heard_after_the_last(world: &World) {
    static LAST: AtomicBool = AtomicBool::new(false);
    LAST.store(false, Ordering::SeqCst);
    script(world, |reactor| {
        let mut heard = signals(reactor, &[Signal::USR1, Signal::USR2]).unwrap();
        async move {
            let storm = std::thread::spawn(|| {
                let send = || {
                    rustix::process::kill_process(
                        rustix::process::getpid(),
                        rustix::process::Signal::USR1,
                    )
                };
                (1..10_000).for_each(|_| send().unwrap());
                LAST.store(true, Ordering::SeqCst);
                send().unwrap();
            });
            let mut count = 0;
            while heard.recv().await.unwrap() == Signal::USR1 {
                count += 1;
                if LAST.load(Ordering::SeqCst) {
                    break;
                }
            }
            assert!((1..=10_000).contains(&count));
            storm.join().unwrap();
            // The other kind is not starved.
            (0..100).for_each(|_| send(Signal::USR1));
            send(Signal::USR2);
            let mut came = Vec::new();
            while !came.contains(&Signal::USR2) {
                send(Signal::USR1);
                came.push(heard.next().await.unwrap());
            }
            assert!(came.len() <= 2, "{came:?}");
        }
    });
}

/// Behaviour 56: the default, to ignore, and a function; at the first subscription and later.
pub fn the_hosts_action_is_put_back(world: &World) {
    let reactor = world.reactor();
    for handler in [libc::SIG_DFL, libc::SIG_IGN, address(count)] {
        for _ in 0..2 {
            let theirs = set(Signal::HUP, handler);
            let first = signals(&reactor, &[Signal::HUP]).unwrap();
            let ours = current(Signal::HUP);
            assert_ne!(ours, theirs);
            let second = signals(&reactor, &[Signal::HUP, Signal::USR1]).unwrap();
            drop(first);
            assert_eq!(current(Signal::HUP), ours, "somebody still listens");
            drop(second);
            assert_eq!(current(Signal::HUP), theirs);
        }
    }
    set(Signal::HUP, libc::SIG_DFL);
}

/// Behaviour 56.
pub fn the_hosts_handler_is_called_all_the_same(world: &World) {
    set(Signal::WINCH, address(count));
    script(world, |reactor| {
        let mut heard = signals(reactor, &[Signal::WINCH]).unwrap();
        async move {
            for _ in 0..3 {
                let before = CALLED.load(Ordering::Relaxed);
                send(Signal::WINCH);
                assert_eq!(heard.recv().await.unwrap(), Signal::WINCH);
                assert_eq!(CALLED.load(Ordering::Relaxed), before + 1);
            }
            drop(heard);
            let before = CALLED.load(Ordering::Relaxed);
            send(Signal::WINCH);
            assert_eq!(CALLED.load(Ordering::Relaxed), before + 1);
        }
    });
}

/// Behaviour 56: while it stands, and when the next one has listened.
pub fn an_action_that_came_meanwhile_is_left_alone(world: &World) {
    set(Signal::TTIN, libc::SIG_DFL);
    let reactor = world.reactor();
    let heard = signals(&reactor, &[Signal::TTIN]).unwrap();
    let ours = current(Signal::TTIN);
    let theirs = set(Signal::TTIN, address(other));
    drop(heard);
    assert_eq!(current(Signal::TTIN), theirs);
    let heard = signals(&reactor, &[Signal::TTIN]).unwrap();
    assert_eq!(current(Signal::TTIN), ours);
    drop(heard);
    assert_eq!(current(Signal::TTIN), theirs);
    set(Signal::TTIN, libc::SIG_DFL);
}

/// Behaviour 44, 56.
pub fn two_reactors_hear_the_same_signal(world: &World) {
    let backend = world.backend;
    let (ready, is_ready) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let reactor = Reactor::builder().backend(backend).build().unwrap();
        let mut heard = signals(&reactor, &[Signal::USR1]).unwrap();
        ready.send(()).unwrap();
        let heard = reactor.block_on(reactor.timeout(LIMIT, heard.recv())).unwrap();
        assert_eq!(heard.unwrap().unwrap(), Signal::USR1);
    });
    is_ready.recv().unwrap();
    script(world, |reactor| {
        let mut heard = signals(reactor, &[Signal::USR1]).unwrap();
        let mut also = signals(reactor, &[Signal::USR1]).unwrap();
        async move {
            send(Signal::USR1);
            assert_eq!(heard.recv().await.unwrap(), Signal::USR1);
            assert_eq!(also.recv().await.unwrap(), Signal::USR1);
        }
    });
    thread.join().unwrap();
}

/// Behaviour 42, 56.
pub fn a_dropped_stream_hears_nothing_and_leaves_no_descriptor(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let all = [Signal::URG, Signal::WINCH, Signal::CONT];
            let listen = || -> Signals { signals(&reactor, &all).unwrap() };
            drop(listen());
            settled(&reactor).await;
            let before = descriptors();
            const ROUNDS: usize = 50;
            for _ in 0..ROUNDS {
                let mut heard = listen();
                send(Signal::URG);
                assert_eq!(heard.recv().await.unwrap(), Signal::URG);
                drop(heard);
                send(Signal::URG);
            }
            let mut heard = listen();
            let nothing = reactor.timeout(Duration::from_millis(1), heard.recv()).await;
            assert_eq!(nothing.unwrap_err().kind(), ErrorKind::TimedOut);
            drop(heard);
            settled(&reactor).await;
            // libkqueue closes in its own time what it had in earlier cases.
            assert!(descriptors() < before + ROUNDS);
        }
    });
}

/// A host that was not written in Rust does not ignore `SIGPIPE`, and would end by it.
pub fn a_signal_that_comes_while_the_stream_is_dropped_raises_no_other(world: &World) {
    const ROUNDS: usize = 1000;
    let over = AtomicBool::new(false);
    set(Signal::USR1, libc::SIG_IGN);
    set(Signal::PIPE, address(broken));
    PIPES.store(0, Ordering::Relaxed);
    let reactor = world.reactor();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let own = rustix::process::getpid();
                rustix::process::kill_process(own, rustix::process::Signal::USR1).unwrap();
            }
        });
        for _ in 0..ROUNDS {
            drop(signals(&reactor, &[Signal::USR1]).unwrap());
        }
        over.store(true, Ordering::Relaxed);
    });
    set(Signal::PIPE, libc::SIG_IGN);
    assert_eq!(PIPES.load(Ordering::Relaxed), 0);
    set(Signal::USR1, libc::SIG_DFL);
}

pub fn a_signal_that_cannot_be_heard_is_refused_and_nothing_taken(world: &World) {
    let reactor = world.reactor();
    let theirs = set(Signal::USR2, address(count));
    let refused = [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, libc::SIGILL, libc::SIGFPE];
    for number in refused.into_iter().chain([0, -1, 1000]) {
        let signal = Signal::new(number);
        let error = signals(&reactor, &[Signal::USR2, signal]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(&signal.to_string()), "{error}");
        assert_eq!(current(Signal::USR2), theirs);
    }
    set(Signal::USR2, libc::SIG_DFL);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    let error = signals(&reactor, &[Signal::USR2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
    assert_eq!(current(Signal::USR2).0, libc::SIG_DFL);
}

/// Behaviour 35: of those that are kept, of those in tasks, and of none at all.
pub fn the_shutdown_ends_the_stream(world: &World) {
    let theirs = set(Signal::USR1, address(count));
    let reactor = world.reactor();
    let mut kept = signals(&reactor, &[Signal::USR1]).unwrap();
    let in_a_task = signals(&reactor, &[Signal::USR1]).unwrap();
    in_a_task.each(|_| ControlFlow::Continue(())).detach();
    let mut none = signals(&reactor, &[]).unwrap();
    reactor.turn();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    let ended = futures_lite::future::block_on(async {
        assert_eq!(none.next().await, None);
        assert_eq!(kept.next().await, None);
        kept.recv().await.unwrap_err().kind()
    });
    assert_eq!(ended, ErrorKind::NotConnected);
    assert_ne!(current(Signal::USR1), theirs);
    drop(kept);
    assert_eq!(current(Signal::USR1), theirs);
    set(Signal::USR1, libc::SIG_DFL);
}

/// Issue point 7.
pub fn a_callback_hears_until_it_has_heard_enough(world: &World) {
    script(world, |reactor| {
        let heard = Heard::new();
        let (tell, mut left) = (heard.clone(), 3);
        let task = signals(reactor, &[Signal::URG]).unwrap().each(move |signal| {
            left -= 1;
            tell.tell(signal);
            if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let reactor = reactor.handle();
        async move {
            for _ in 0..3 {
                send(Signal::URG);
                assert_eq!(heard.next().await, Signal::URG);
            }
            task.await;
            send(Signal::URG);
            fence(&reactor).await;
            assert!(heard.rest().is_empty());
        }
    });
}
