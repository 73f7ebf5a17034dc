//! smol: its reactor, which is `async-io`, and a task of its executor for each descriptor.

use std::io;
use std::rc::Rc;

use async_executor::LocalExecutor;
use async_io::Async;

use super::{Kind, Scene};
use crate::works::fan::bell::Bell;

pub(super) fn serve(_kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let executor = Rc::new(LocalExecutor::new());
    let (over, is_over) = async_channel::bounded(1);
    for bell in bells {
        let (bell, tally, over) = (Async::new_nonblocking(bell)?, tally.clone(), over.clone());
        let listen = async move {
            while hear(&bell).await.is_ok() {
                if tally.count() {
                    let _told = over.try_send(());
                }
            }
        };
        executor.spawn(listen).detach();
    }
    let gate = Async::new_nonblocking(gate)?;
    let hold = async move {
        while hear(&gate).await.is_ok() {
            tally.hold();
        }
    };
    executor.spawn(hold).detach();
    async_io::block_on(executor.run(is_over.recv())).map_err(io::Error::other)
}

pub(super) async fn hear(bell: &Async<Bell>) -> io::Result<()> {
    bell.read_with(Bell::hear).await
}
