//! hyper on interloop, where there is no toolkit.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use interloop::hyper::Io;
use interloop::net::TcpListener;
use interloop::{BackendKind, Handle, Reactor, Tick};

use super::frames::PERIOD;
use super::hyper_side::{listen, serve};
use super::{Client, Frames, Load, figures};
use crate::compare::Figure;

/// A reactor with the server on it, and the client that stops it.
pub(super) fn start(load: Load) -> io::Result<(Reactor, Client)> {
    let reactor = Reactor::builder().backend(BackendKind::Epoll).build()?;
    let (listener, address) = listen()?;
    let listener = TcpListener::new(&reactor, listener)?;
    reactor.spawn_local(accept(reactor.handle(), listener)).detach();
    let remote = reactor.remote();
    let client = Client::start(address, load, move || remote.stop())?;
    Ok((reactor, client))
}

async fn accept(handle: Handle, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("it is a socket of TCP's");
        handle.spawn_local(serve(Io::new(stream))).detach();
    }
}

/// In the reactor's own loop, whose timer is the reactor's.
pub(super) fn run(load: Load) -> io::Result<Vec<Figure>> {
    let (reactor, client) = start(load)?;
    let frames = Rc::new(Frames::new());
    let counted = Rc::clone(&frames);
    let every = reactor.every(PERIOD, move || {
        counted.frame();
        ControlFlow::Continue(())
    });
    every.detach();
    reactor.run()?;
    Ok(figures(&client.outcome()?, Some(&frames)))
}

/// In a host that waits for a condition until its next frame is due.
pub(super) fn condvar(load: Load) -> io::Result<Vec<Figure>> {
    let (reactor, client) = start(load)?;
    let host = Arc::new((Mutex::new(VecDeque::new()), Condvar::new()));
    let posting = Arc::clone(&host);
    reactor.interleave(move |tick: Tick| {
        let (queue, came) = &*posting;
        queue.lock().expect("nobody panics with it").push_back(tick);
        came.notify_one();
    })?;
    let frames = Frames::new();
    let mut due = Instant::now() + PERIOD;
    let (queue, came) = &*host;
    while !reactor.is_stopped() {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            frames.frame();
            due = Instant::now() + PERIOD;
            continue;
        }
        let posted = queue.lock().expect("nobody panics with it");
        let (mut posted, _) = came
            .wait_timeout_while(posted, left, |posted| posted.is_empty())
            .expect("nobody panics with it");
        let tick = posted.pop_front();
        drop(posted);
        if let Some(tick) = tick {
            tick.run();
        }
    }
    Ok(figures(&client.outcome()?, Some(&frames)))
}
