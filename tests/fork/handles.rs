//! What a child gets of each handle, and what its dropping them does to the parent: nothing.

use std::cell::Cell;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use interloop::{Action, BackendKind, Interest, Phase, Reactor};

use super::{LIMIT, Parent, in_child, on_each_backend, refused};

#[test]
fn a_child_gets_errors_and_its_parent_goes_on() {
    on_each_backend(child_gets_errors);
}

fn child_gets_errors(backend: BackendKind) {
    let parent = Parent::new(backend);
    (&parent.peer).write_all(b"x").unwrap();
    in_child(|| {
        let reactor = &parent.reactor;
        let unsupported = io::ErrorKind::Unsupported;
        refused(&reactor.remote());
        let (a, _b) = UnixStream::pair().unwrap();
        let error = reactor.register(a, Interest::READABLE, |_, _| Action::Rearm).unwrap_err();
        assert_eq!(error.error.kind(), unsupported);
        assert_eq!(parent.source.arm(Interest::WRITABLE).unwrap_err().kind(), unsupported);
        assert_eq!(parent.source.disarm().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.interleave(drop).unwrap_err().kind(), unsupported);
        assert_eq!(reactor.waker_proxy().swap(drop).unwrap_err().kind(), unsupported);
        reactor.waker_proxy().hold();
        assert_eq!(reactor.waker_proxy().release().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.embed().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.run().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.finish(LIMIT).unwrap_err().kind(), unsupported);
        let trigger = reactor.on_shutdown(Phase::Before, async {});
        assert_eq!(trigger.unwrap_err().kind(), unsupported);
        // These have no error to give: nothing comes of them.
        let timer = reactor.after(Duration::ZERO, || panic!("a timer ran"));
        let task = reactor.spawn_local(async { panic!("a task ran") });
        let turns = reactor.stats().turns;
        reactor.turn();
        reactor.stop();
        assert_eq!(reactor.stats().turns, turns);
        drop((timer, task));
        // A reactor of its own works.
        let own = Reactor::builder().backend(backend).build().unwrap();
        let (stop, fired) = (own.handle(), Rc::new(Cell::new(false)));
        let set = Rc::clone(&fired);
        let timer = own.after(Duration::from_millis(1), move || {
            set.set(true);
            stop.stop();
        });
        own.run().unwrap();
        assert!(fired.get());
        drop(timer);
    });
    parent.finish();
}

#[test]
fn a_child_that_drops_the_reactor_disturbs_nobody() {
    on_each_backend(child_drops);
}

fn child_drops(backend: BackendKind) {
    let parent = Parent::new(backend);
    let parent = Cell::new(Some(parent));
    for sources_first in [true, false] {
        let kept = parent.take().unwrap();
        let task = kept.reactor.spawn_local(std::future::pending::<()>());
        let timer = kept.reactor.after(LIMIT, || ());
        let slot = Cell::new(Some((kept, task, timer)));
        in_child(|| {
            let (child, task, timer) = slot.take().unwrap();
            let Parent { source, reactor, ticks, .. } = child;
            // The parent's worker may have been about to post to it: the half of a message that
            // never comes is waited for, in the channel's own drop.
            std::mem::forget(ticks);
            let remote = reactor.remote();
            if sources_first {
                drop((source, task, timer, reactor));
            } else {
                drop((reactor, timer, task, source));
            }
            assert!(remote.is_stopped());
            assert!(remote.call(|| ()).is_err());
        });
        let (kept, task, timer) = slot.take().unwrap();
        drop((task, timer));
        kept.goes_on();
        parent.set(Some(kept));
    }
    parent.take().unwrap().finish();
}

#[test]
fn a_child_of_another_thread_is_not_the_host() {
    on_each_backend(child_of_another_thread);
}

fn child_of_another_thread(backend: BackendKind) {
    let parent = Parent::new(backend);
    let remote = parent.reactor.remote();
    thread::spawn(move || in_child(|| refused(&remote))).join().unwrap();
    parent.finish();
}

#[test]
fn a_child_that_drops_a_reactor_without_a_worker_leaves_its_notifier_alone() {
    on_each_backend(child_drops_before_run);
}

fn child_drops_before_run(backend: BackendKind) {
    let slot = Cell::new(Some(Reactor::builder().backend(backend).build().unwrap()));
    in_child(|| drop(slot.take()));
    let reactor = slot.take().unwrap();
    let remote = reactor.remote();
    let hang = reactor.after(LIMIT, || panic!("hangs: the thread in the backend is not notified"));
    let (blocks, blocked) = mpsc::channel();
    let soon = reactor.after(Duration::from_millis(1), move || blocks.send(()).unwrap());
    // It comes when the host thread is in its wait, or is just about to go there.
    let stopper = thread::spawn(move || {
        blocked.recv_timeout(LIMIT).unwrap();
        remote.stop();
    });
    reactor.run().unwrap();
    stopper.join().unwrap();
    drop((hang, soon));
}

#[test]
fn a_child_is_told_to_watch_the_embedded_descriptor_no_more() {
    on_each_backend(child_is_embedded);
}

fn child_is_embedded(backend: BackendKind) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let Ok(embedded) = reactor.embed() else { return };
    // Readable in both processes, and the parent's to hear of.
    reactor.remote().call(|| ()).unwrap();
    in_child(|| assert!(!embedded.turn(), "a host in the child would turn for ever"));
    assert!(embedded.turn());
    assert_eq!(reactor.stats().calls, 1);
    drop(embedded);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}
