//! tokio's unbounded channel into its current-thread runtime.

use std::io;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::scene::{Boxed, Caller, Scene};
use crate::compare::Figure;

impl Caller for UnboundedSender<Boxed> {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        let _refused = self.send(Box::new(call));
    }
}

pub(super) fn host(scene: Scene) -> io::Result<Vec<Figure>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (sender, mut calls) = unbounded_channel::<Boxed>();
    // The channel ends when the last sender is dropped.
    let calling = scene.start(sender, || ())?;
    runtime.block_on(async {
        while let Some(call) = calls.recv().await {
            call();
        }
    });
    calling.figures()
}
