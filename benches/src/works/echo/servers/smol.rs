//! smol, which is async-io and async-executor, on the current thread.

use std::io;

use async_executor::LocalExecutor;
use async_io::block_on;

use super::streams::{echo_async_io, wait_async_io};
use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let executor = LocalExecutor::new();
    for silent in scene.silent {
        executor.spawn(wait_async_io(silent)?).detach();
    }
    block_on(executor.run(echo_async_io(scene.stream)))
}
