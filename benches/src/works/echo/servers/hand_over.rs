//! What a hand-over costs: epoll on a thread of its own that does nothing but wake the host, whose thread reads and
//! writes. Who is faster has spared the hand-over: it has no such thread, or has looked for itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use rustix::event::epoll::EventFlags;

use crate::systems::raw_epoll::RawEpoll;
use crate::works::echo::scene::{Scene, Stream};

const STREAM: u64 = u64::MAX;

/// Starts the thread, which calls `wake` whenever something has come. It ends with the process, and so do its
/// silent descriptors. The stream stays with the host.
pub(super) fn watch(scene: Scene, wake: impl Fn() + Send + 'static) -> io::Result<Stream> {
    let Scene { stream, silent } = scene;
    let watched = stream.as_fd().try_clone_to_owned()?;
    thread::spawn(move || {
        let watched = watch_on_this_thread(&silent, &watched, wake);
        watched.expect("the set takes what any other would");
    });
    Ok(stream)
}

fn watch_on_this_thread(
    silent: &[UnixDatagram],
    stream: &OwnedFd,
    wake: impl Fn(),
) -> io::Result<()> {
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

/// A host that sleeps on a condition.
pub(super) fn condvar(scene: Scene) -> io::Result<()> {
    let host = Arc::new((Mutex::new(false), Condvar::new()));
    let woken = Arc::clone(&host);
    let stream = watch(scene, move || {
        *woken.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        woken.1.notify_one();
    })?;
    loop {
        let woken = host.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut woken =
            host.1.wait_while(woken, |woken| !*woken).unwrap_or_else(PoisonError::into_inner);
        *woken = false;
        drop(woken);
        if !stream.pass_on()? {
            return Ok(());
        }
    }
}
