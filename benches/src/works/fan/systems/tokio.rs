//! tokio, on the current thread: a task for each descriptor.
#![allow(unsafe_code)]

use std::io;
use std::rc::Rc;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::LocalSet;

use super::{Kind, Scene};
use crate::works::fan::bell::Bell;

pub(super) fn serve(_kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let over = Rc::new(Notify::new());
    LocalSet::new().block_on(&runtime, async move {
        for bell in bells {
            let (bell, tally, over) = (watch(bell)?, tally.clone(), Rc::clone(&over));
            tokio::task::spawn_local(async move {
                loop {
                    hear(&bell).await?;
                    if tally.count() {
                        over.notify_one();
                    }
                }
                #[expect(unreachable_code, reason = "the type of its errors")]
                io::Result::Ok(())
            });
        }
        let gate = watch(gate)?;
        tokio::task::spawn_local(async move {
            loop {
                hear(&gate).await?;
                tally.hold();
            }
            #[expect(unreachable_code, reason = "the type of its errors")]
            io::Result::Ok(())
        });
        over.notified().await;
        Ok(())
    })
}

pub(super) fn watch(bell: Bell) -> io::Result<AsyncFd<Bell>> {
    // SAFETY: a bell's descriptor is the same as long as there is one, and stays open as long.
    unsafe { AsyncFd::register_with_interest(bell, Interest::READABLE) }.map_err(io::Error::from)
}

/// As tokio's documentation has it.
pub(super) async fn hear(bell: &AsyncFd<Bell>) -> io::Result<()> {
    loop {
        let mut guard = bell.readable().await?;
        match guard.try_io(|bell| bell.get_ref().hear()) {
            Ok(heard) => return heard,
            Err(_would_block) => {}
        }
    }
}
