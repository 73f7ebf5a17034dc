//! tokio's channels under this executor, with the host thread inside a tokio runtime.
//!
//! Inside a runtime tokio counts what a task does, and its channels let nobody go on who has done 128
//! things, until the runtime polls another task. Here that happens once the reactor has stopped.

use std::thread;

use interloop::Handle;
use interloop_ecosystem::{Home, everywhere, worlds};
use tokio::sync::mpsc::{self, Receiver, UnboundedReceiver};

/// Runs the whole host thread inside the `block_on` of a tokio runtime.
fn inside_tokio(test: impl FnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { test() });
}

async fn expect_unbounded(mut receiver: UnboundedReceiver<u32>, messages: u32) {
    for expected in 0..messages {
        assert_eq!(receiver.recv().await, Some(expected));
    }
    assert_eq!(receiver.recv().await, None);
}

async fn expect(mut receiver: Receiver<u32>, messages: u32) {
    for expected in 0..messages {
        assert_eq!(receiver.recv().await, Some(expected));
    }
    assert_eq!(receiver.recv().await, None);
}

/// Sender and receiver are tasks on the host thread.
async fn between_tasks(handle: Handle, messages: u32) {
    let (sender, receiver) = mpsc::channel(16);
    let home = Home::here();
    let sending = handle.spawn_local(async move {
        for message in 0..messages {
            sender.send(message).await.unwrap();
        }
        home.check();
    });
    let receiving = handle.spawn_local(async move {
        expect(receiver, messages).await;
        home.check();
    });
    sending.await;
    receiving.await;
}

/// The receiver is a task on the host thread, and the sender a thread.
async fn from_a_thread(_: Handle, messages: u32) {
    let (sender, receiver) = mpsc::channel(16);
    let thread = thread::spawn(move || {
        (0..messages).for_each(|message| sender.blocking_send(message).unwrap());
    });
    expect(receiver, messages).await;
    thread.join().unwrap();
}

/// All messages are there before the first is received.
async fn at_once(_: Handle, messages: u32) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (0..messages).for_each(|message| sender.send(message).unwrap());
    drop(sender);
    expect_unbounded(receiver, messages).await;
}

#[test]
fn messages_between_tasks_arrive() {
    inside_tokio(|| everywhere(|handle| between_tasks(handle, 1024)));
}

#[test]
fn messages_from_another_thread_arrive() {
    inside_tokio(|| everywhere(|handle| from_a_thread(handle, 1024)));
}

#[test]
fn messages_that_wait_already_arrive() {
    inside_tokio(|| everywhere(|handle| at_once(handle, 1024)));
}

#[test]
fn a_hundred_thousand_messages_arrive() {
    inside_tokio(|| {
        for world in worlds() {
            world.run(|handle| async move {
                between_tasks(handle.clone(), 100_000).await;
                from_a_thread(handle.clone(), 100_000).await;
                at_once(handle, 100_000).await;
            });
        }
    });
}

#[test]
fn messages_arrive_without_a_runtime() {
    everywhere(|handle| between_tasks(handle, 1024));
}

#[test]
fn a_future_that_the_reactor_blocks_on_receives_them() {
    inside_tokio(|| {
        let reactor = interloop::Reactor::new().unwrap();
        reactor.block_on(at_once(reactor.handle(), 1024)).unwrap();
        reactor.block_on(between_tasks(reactor.handle(), 1024)).unwrap();
    });
}
