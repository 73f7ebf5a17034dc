//! What a hand-over costs: epoll on a thread of its own that does nothing but wake the host, whose thread reads and
//! writes. Who is faster has spared the hand-over: it has no such thread, or has looked for itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use rustix::event::epoll::EventFlags;

use crate::systems::raw_epoll::RawEpoll;
use crate::works::echo::scene::Scene;

const STREAM: u64 = u64::MAX;

/// Starts the thread, which calls `wake` whenever something has come. It ends with the process.
pub(super) fn watch(scene: &Scene, wake: impl Fn() + Send + 'static) -> io::Result<()> {
    let silent = dup_all(&scene.silent)?;
    let stream = scene.stream.as_fd().try_clone_to_owned()?;
    thread::spawn(move || {
        let watched = watch_on_this_thread(&silent, &stream, wake);
        watched.expect("the set takes what any other would");
    });
    Ok(())
}

fn watch_on_this_thread(silent: &[OwnedFd], stream: &OwnedFd, wake: impl Fn()) -> io::Result<()> {
    let mut epoll = RawEpoll::new()?;
    let edges = EventFlags::IN | EventFlags::ET;
    for (index, silent) in silent.iter().enumerate() {
        epoll.add(silent, index as u64, edges)?;
    }
    epoll.add(stream, STREAM, edges)?;
    loop {
        if epoll.wait()?.iter().any(|event| event.data.u64() == STREAM) {
            wake();
        }
    }
}

fn dup_all(sockets: &[impl AsFd]) -> io::Result<Vec<OwnedFd>> {
    sockets.iter().map(|socket| socket.as_fd().try_clone_to_owned()).collect()
}

/// A host that sleeps on a condition.
pub(super) fn condvar(scene: Scene) -> io::Result<()> {
    let host = Arc::new((Mutex::new(false), Condvar::new()));
    let woken = Arc::clone(&host);
    watch(&scene, move || {
        *woken.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        woken.1.notify_one();
    })?;
    loop {
        let woken = host.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut woken =
            host.1.wait_while(woken, |woken| !*woken).unwrap_or_else(PoisonError::into_inner);
        *woken = false;
        drop(woken);
        if !scene.stream.pass_on()? {
            return Ok(());
        }
    }
}
