//! tokio's unbounded channel into its current-thread runtime: of closures, as calls are, and of messages.

use std::io;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::scene::{Boxed, Caller, Scene};
use super::tally::Tally;
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

/// What a program sends that has few kinds of calls, and knows them: nothing is allocated for one.
pub(super) enum Message {
    Count(&'static Tally, usize),
    Other(Boxed),
}

impl Caller for UnboundedSender<Message> {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        let _refused = self.send(Message::Other(Box::new(call)));
    }

    fn count(&self, tally: &'static Tally, one: usize) {
        let _refused = self.send(Message::Count(tally, one));
    }
}

/// Messages, received many at a time.
pub(super) fn messages(scene: Scene) -> io::Result<Vec<Figure>> {
    const MANY: usize = 256;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (sender, mut messages) = unbounded_channel::<Message>();
    let calling = scene.start(sender, || ())?;
    runtime.block_on(async {
        let mut received = Vec::with_capacity(MANY);
        while messages.recv_many(&mut received, MANY).await > 0 {
            for message in received.drain(..) {
                match message {
                    Message::Count(tally, one) => tally.add(one),
                    Message::Other(call) => call(),
                }
            }
        }
    });
    calling.figures()
}
