//! Interloop: a callback that reads once and asks for the next event, or a task on a stream.

use std::io;

use interloop::{Action, Async, Handle, Interest};

use super::{Kind, Scene};
use crate::systems::ours::Ours;
use crate::works::fan::batch::Tally;
use crate::works::fan::bell::Bell;

pub(super) fn names() -> Vec<String> {
    Ours::everywhere()
}

pub(super) fn serve(system: &str, kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let has_waker = system.contains("/worker/");
    Ours::named(system)?.run(|reactor| {
        for bell in bells {
            let (tally, handle) = (tally.clone(), reactor.clone());
            let count = move || {
                if tally.count() {
                    note_wakes(&tally, &handle, has_waker);
                    handle.stop();
                }
            };
            match kind {
                Kind::Callbacks => watch(reactor, bell, count)?,
                Kind::Streams => listen(reactor, bell, count)?,
            }
        }
        let handle = reactor.clone();
        let hold = move || {
            note_wakes(&tally, &handle, has_waker);
            tally.hold();
        };
        match kind {
            Kind::Callbacks => watch(reactor, gate, hold),
            Kind::Streams => listen(reactor, gate, hold),
        }
    })
}

/// Where the host is woken by a waker. What the host thread posts to itself, when a turn has spent its
/// budget, wakes nobody.
fn note_wakes(tally: &Tally, reactor: &Handle, has_waker: bool) {
    if has_waker {
        let stats = reactor.stats();
        tally.note_wakes(stats.wakes_issued - stats.wakes_leftover);
    }
}

fn watch(reactor: &Handle, bell: Bell, mut heard: impl FnMut() + 'static) -> io::Result<()> {
    let callback = move |bell: &Bell, _| {
        bell.hear().expect("it has rung");
        heard();
        Action::Rearm
    };
    reactor.register(bell, Interest::READABLE, callback)?.detach();
    Ok(())
}

fn listen(reactor: &Handle, bell: Bell, mut heard: impl FnMut() + 'static) -> io::Result<()> {
    let bell = Async::new_nonblocking(reactor, bell)?;
    let listen = async move {
        while bell.read_with(Bell::hear).await.is_ok() {
            heard();
        }
    };
    reactor.spawn_local(listen).detach();
    Ok(())
}
