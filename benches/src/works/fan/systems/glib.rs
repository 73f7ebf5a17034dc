//! GLib's main loop: its own sources, which are level-triggered, and the futures that it polls.

use std::io;
use std::os::fd::AsRawFd;

use async_io::Async;
use glib::{ControlFlow, IOCondition, MainContext, MainLoop};
use glib_unix::unix_fd_add_local;
use tokio::runtime::Builder;

use super::{Kind, Scene, smol, tokio as own_tokio};
use crate::works::fan::bell::Bell;

pub(super) fn serve(_kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let main_loop = MainLoop::new(None, false);
    for bell in bells {
        let (tally, running) = (tally.clone(), main_loop.clone());
        unix_fd_add_local(bell.as_raw_fd(), IOCondition::IN, move |_, _| {
            bell.hear().expect("it has rung");
            if tally.count() {
                running.quit();
            }
            ControlFlow::Continue
        });
    }
    unix_fd_add_local(gate.as_raw_fd(), IOCondition::IN, move |_, _| {
        gate.hear().expect("it has rung");
        tally.hold();
        ControlFlow::Continue
    });
    main_loop.run();
    Ok(())
}

/// async-io, whose own thread waits.
pub(super) fn async_io(_kind: Kind, scene: Scene) -> io::Result<()> {
    listen(scene, Async::new_nonblocking, async |bell| smol::hear(bell).await)
}

/// tokio, whose runtime waits on a thread of its own.
pub(super) fn tokio_local(_kind: Kind, scene: Scene) -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
    // tokio's types look for their runtime where they are made.
    let _entered = runtime.enter();
    listen(scene, own_tokio::watch, async |bell| own_tokio::hear(bell).await)
}

/// A future for each descriptor, in `spawn_local`.
fn listen<W: 'static>(
    scene: Scene,
    watch: impl Fn(Bell) -> io::Result<W>,
    hear: impl AsyncFn(&W) -> io::Result<()> + Copy + 'static,
) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let context = MainContext::default();
    let main_loop = MainLoop::new(None, false);
    for bell in bells {
        let (bell, tally, running) = (watch(bell)?, tally.clone(), main_loop.clone());
        context.spawn_local(async move {
            while hear(&bell).await.is_ok() {
                if tally.count() {
                    running.quit();
                }
            }
        });
    }
    let gate = watch(gate)?;
    context.spawn_local(async move {
        while hear(&gate).await.is_ok() {
            tally.hold();
        }
    });
    main_loop.run();
    Ok(())
}
