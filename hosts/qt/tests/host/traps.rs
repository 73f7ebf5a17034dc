//! What only Qt can do wrong. The application is made by the cases themselves.

use std::cell::{Cell, RefCell};
use std::env;
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{self, Command};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use futures_lite::AsyncWriteExt;
use interloop::net::TcpStream;
use interloop::testing::{Host, Kit};
use interloop::{Phase, Reactor, Remote};
use interloop_qt::attach;
use interloop_qt_widgets::{self as widgets, Application, slow_dispatcher};

/// Adds the cases, in the environment of this host.
pub fn add<H: Host>(kit: Kit) -> Kit {
    kit.case::<H>("attach_before_the_application", attach_before_the_application)
        .case::<H>("attach_on_another_thread_is_refused", attach_on_another_thread_is_refused)
        .case::<H>("about_to_quit_finishes_the_reactor", about_to_quit_finishes_the_reactor)
        .case::<H>("keep_running_keeps_qt_running", keep_running_keeps_qt_running)
        .case::<H>("detaching_in_the_loop_keeps_qt_running", detaching_in_the_loop_keeps_qt_running)
        .case::<H>("a_waker_is_let_go_inside_its_tick", a_waker_is_let_go_inside_its_tick)
        .case::<H>("a_waker_serves_the_loop_of_another_thread", a_waker_serves_another_thread)
        .case::<H>("applications_come_and_go_under_a_waker", applications_come_and_go_under_a_waker)
        .case::<H>("an_application_waits_for_who_wakes_it", an_application_waits_for_who_wakes_it)
        .case::<H>("a_process_exits_with_its_application", a_process_exits_with_its_application)
        .case::<H>("quit_ends_every_nested_loop", quit_ends_every_nested_loop)
}

/// There is nothing to post to yet, and no dispatcher for a socket notifier.
fn attach_before_the_application() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = attach(&reactor)?;
    let ran = Arc::new(AtomicU64::new(0));
    for number in 0..1_000 {
        let ran = Arc::clone(&ran);
        let call = move || assert_eq!(ran.fetch_add(1, Ordering::Relaxed), number);
        reactor.remote().call(call).expect("the reactor lives");
    }
    let application = Application::core();
    let remote = reactor.remote();
    reactor.after(Duration::from_millis(10), widgets::quit).detach();
    widgets::exec();
    assert_eq!(ran.load(Ordering::Relaxed), 1_000);
    assert!(remote.call(|| ()).is_err(), "the reactor has not heard that the application quits");
    drop(application);
    drop(attached);
    Ok(())
}

fn attach_on_another_thread_is_refused() -> io::Result<()> {
    let _application = Application::core();
    let other = thread::spawn(|| {
        let reactor = Reactor::new()?;
        attach(&reactor).map(drop)
    });
    let refused = other.join().expect("it does not panic").expect_err("it was attached");
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    Ok(())
}

/// Before `exec` returns, and with the network.
fn about_to_quit_finishes_the_reactor() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let peer = thread::spawn(move || -> io::Result<String> {
        let mut heard = String::new();
        listener.accept()?.0.read_to_string(&mut heard)?;
        Ok(heard)
    });
    let (handle, said) = (reactor.handle(), Rc::new(Cell::new(false)));
    let done = Rc::clone(&said);
    let goodbye = async move {
        let mut stream = TcpStream::connect(&handle, address).await?;
        handle.sleep(Duration::from_millis(5)).await;
        stream.write_all(b"goodbye").await?;
        done.set(true);
        io::Result::Ok(())
    };
    reactor.on_shutdown(Phase::Before, goodbye)?.detach();
    widgets::post(widgets::quit);
    widgets::exec();
    assert!(reactor.is_stopped() && said.get());
    assert_eq!(peer.join().expect("it does not panic")?, "goodbye");
    Ok(())
}

fn keep_running_keeps_qt_running() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?.keep_running();
    reactor.remote().stop();
    let frames = Rc::new(Cell::new(0));
    let (counted, handle) = (Rc::clone(&frames), reactor.handle());
    widgets::every(Duration::from_millis(1), move || {
        if handle.is_stopped() {
            counted.set(counted.get() + 1);
        }
        if counted.get() == 10 {
            widgets::quit();
        }
    });
    widgets::exec();
    assert_eq!(frames.get(), 10);
    Ok(())
}

/// Whoever drops the guard by himself finishes the reactor, and goes on.
fn detaching_in_the_loop_keeps_qt_running() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let attached = Cell::new(Some(attach(&reactor)?));
    let (handle, frames) = (reactor.handle(), Rc::new(Cell::new(0)));
    let counted = Rc::clone(&frames);
    widgets::every(Duration::from_millis(1), move || {
        drop(attached.take());
        assert!(handle.is_stopped());
        counted.set(counted.get() + 1);
        if counted.get() == 10 {
            widgets::quit();
        }
    });
    widgets::exec();
    assert_eq!(frames.get(), 10);
    Ok(())
}

/// The object that gets the tick is down the stack when nobody wants it any more.
fn a_waker_is_let_go_inside_its_tick() -> io::Result<()> {
    const SWAPS: u64 = 1_000;
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let proxy = reactor.interleave(interloop_qt::waker())?;
    let handle = reactor.handle();
    let swaps = async move {
        for _ in 0..SWAPS {
            proxy.swap(interloop_qt::waker()).expect("it is not called from inside the waker");
            handle.sleep(Duration::ZERO).await;
        }
        widgets::quit();
    };
    reactor.spawn_local(swaps).detach();
    widgets::exec();
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    Ok(())
}

/// Such as that of a QThread, which is none of the application's.
fn a_waker_serves_another_thread() -> io::Result<()> {
    let _application = Application::core();
    let (sender, receiver) = mpsc::channel();
    let other = thread::spawn(move || -> io::Result<()> {
        let reactor = Reactor::new()?;
        reactor.interleave(interloop_qt::waker())?;
        sender.send(reactor.remote()).expect("somebody waits for it");
        let handle = reactor.handle();
        widgets::nested_loop(move || !handle.is_stopped());
        Ok(())
    });
    let remote = receiver.recv().expect("it is sent");
    let thread = remote.call_blocking(|| thread::current().id()).expect("it runs");
    assert_eq!(thread, other.thread().id());
    remote.stop();
    other.join().expect("it does not panic")
}

/// An application is destroyed while four threads wake the reactor, and another is made.
fn applications_come_and_go_under_a_waker() -> io::Result<()> {
    const APPLICATIONS: u64 = 100;
    let reactor = Reactor::new()?;
    reactor.interleave(interloop_qt::waker())?;
    let ended = Arc::new(AtomicBool::new(false));
    let ran = Arc::new(AtomicU64::new(0));
    let posters: Vec<_> = (0..4)
        .map(|_| {
            let (remote, ended, ran) = (reactor.remote(), Arc::clone(&ended), Arc::clone(&ran));
            thread::spawn(move || {
                let mut posted = 0;
                while !ended.load(Ordering::Relaxed) {
                    let ran = Arc::clone(&ran);
                    let call = move || ran.fetch_add(1, Ordering::Relaxed);
                    // The answer paces the posters: each waits until its call has run or has been dropped.
                    posted += u64::from(remote.call_blocking(call).is_ok());
                }
                posted
            })
        })
        .collect();
    for _ in 0..APPLICATIONS {
        let application = Application::core();
        let (before, counted) = (ran.load(Ordering::Relaxed), Arc::clone(&ran));
        widgets::every(Duration::from_millis(1), move || {
            if counted.load(Ordering::Relaxed) >= before + 100 {
                widgets::quit();
            }
        });
        widgets::exec();
        drop(application);
    }
    ended.store(true, Ordering::Relaxed);
    // Calls that wait for an answer are run.
    let finished = reactor.finish(Duration::from_secs(10))?;
    assert!(finished.is_clean(), "{finished}");
    let posted: u64 = posters.into_iter().map(|poster| poster.join().expect("no panic")).sum();
    assert_eq!(posted, ran.load(Ordering::Relaxed));
    Ok(())
}

/// Qt itself would destroy the dispatcher under the thread that is about to wake it.
fn an_application_waits_for_who_wakes_it() -> io::Result<()> {
    slow_dispatcher::install();
    let application = Application::core();
    let reactor = Reactor::new()?;
    reactor.interleave(interloop_qt::waker())?;
    let remote = reactor.remote();
    let poster = thread::spawn(move || remote.call(|| ()));
    slow_dispatcher::wait();
    drop(application);
    assert!(!slow_dispatcher::was_destroyed_while_woken());
    poster.join().expect("it does not panic").expect("the reactor lives");
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    Ok(())
}

/// Nothing destroys an application then, but all that is static in Qt is destroyed.
fn a_process_exits_with_its_application() -> io::Result<()> {
    const EXITS: &str = "INTERLOOP_QT_EXITS";
    static REMOTE: OnceLock<Remote> = OnceLock::new();

    extern "C" fn wake() {
        let remote = REMOTE.get().expect("it is set");
        let waking = thread::spawn(|| remote.call(|| ()));
        waking.join().expect("it does not panic").expect("nobody has ended the reactor");
        assert!(!slow_dispatcher::was_woken(), "an event was posted");
    }

    if env::var_os(EXITS).is_some() {
        // What is registered first is called last.
        widgets::at_exit(wake);
        slow_dispatcher::install();
        let _application = Application::core();
        let reactor = Reactor::new()?;
        reactor.interleave(interloop_qt::waker())?;
        REMOTE.set(reactor.remote()).expect("it is set once");
        process::exit(0);
    }
    let status = Command::new(env::current_exe()?).env(EXITS, "1").status()?;
    assert!(status.success(), "{status}");
    Ok(())
}

/// A callback opens a loop, and in that loop another callback opens one, and there Qt quits.
fn quit_ends_every_nested_loop() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    let left = Rc::new(RefCell::new(Vec::new()));
    let (outer, inner) = (Rc::clone(&left), Rc::clone(&left));
    let remote = reactor.remote();
    reactor
        .after(Duration::ZERO, move || {
            widgets::nested_loop(|| true);
            outer.borrow_mut().push("outer");
        })
        .detach();
    reactor
        .after(Duration::from_millis(1), move || {
            remote.call(widgets::quit).expect("the reactor lives");
            widgets::nested_loop(|| true);
            inner.borrow_mut().push("inner");
        })
        .detach();
    widgets::exec();
    assert!(reactor.is_stopped());
    assert_eq!(*left.borrow(), ["inner", "outer"]);
    Ok(())
}
