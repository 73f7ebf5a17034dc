//! smol: an async channel without a limit, read by a future that its local executor runs beside its tasks.

use std::io;

use async_channel::{Sender, unbounded};
use async_executor::LocalExecutor;
use async_io::block_on;

use super::scene::{Boxed, Caller, Scene};
use crate::compare::Figure;

impl Caller for Sender<Boxed> {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        let _refused = self.send_blocking(Box::new(call));
    }
}

pub(super) fn host(scene: Scene) -> io::Result<Vec<Figure>> {
    let executor = LocalExecutor::new();
    let (sender, calls) = unbounded::<Boxed>();
    // The channel ends when the last sender is dropped.
    let calling = scene.start(sender, || ())?;
    block_on(executor.run(async {
        while let Ok(call) = calls.recv().await {
            call();
        }
    }));
    calling.figures()
}
