//! Sleeps that have been polled once, and tasks that wait.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};

use async_executor::LocalExecutor;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::callbacks::{LATER, reactor};
use super::heap::{Grown, grown};

fn polled<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let _pending = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    future
}

pub(super) fn our_sleeps(count: usize) -> io::Result<Grown> {
    let reactor = reactor()?;
    grown(count, |_| Ok(polled(reactor.sleep(LATER))))
}

pub(super) fn tokio_sleeps(count: usize) -> io::Result<Grown> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    grown(count, |_| Ok(polled(tokio::time::sleep(LATER))))
}

pub(super) fn async_io_sleeps(count: usize) -> io::Result<Grown> {
    grown(count, |_| Ok(polled(async_io::Timer::after(LATER))))
}

/// The future of a task: it holds some words, and waits.
async fn waits(held: [usize; 4]) {
    pending::<()>().await;
    std::hint::black_box(held);
}

pub(super) fn our_tasks(count: usize) -> io::Result<Grown> {
    let reactor = reactor()?;
    grown(count, |index| Ok(reactor.spawn_local(waits([index; 4]))))
}

pub(super) fn tokio_tasks(count: usize) -> io::Result<Grown> {
    let _runtime = Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    grown(count, |index| Ok(tasks.spawn_local(waits([index; 4]))))
}

pub(super) fn async_executor_tasks(count: usize) -> io::Result<Grown> {
    let executor = LocalExecutor::new();
    grown(count, |index| Ok(executor.spawn(waits([index; 4]))))
}
