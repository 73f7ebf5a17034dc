//! The executors: how each spawns and yields, and what drives it, as its own documentation has it.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};

use async_executor::LocalExecutor;
use interloop::{BackendKind, Handle, Reactor, Tick};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime, Runtime};
use tokio::task::{JoinHandle, LocalSet};

/// An executor of tasks on one thread.
pub(super) trait Executor: 'static {
    /// What spawns, from inside of a task.
    type Spawner: Clone + 'static;
    /// A spawned task, to be awaited.
    type Task: Future;

    fn spawner(&self) -> Self::Spawner;
    fn spawn(spawner: &Self::Spawner, future: impl Future<Output = ()> + 'static) -> Self::Task;
    fn yield_now() -> impl Future<Output = ()>;
    /// Drives the executor until `future`, a task of it or its root, has ended.
    fn block_on<F>(self, future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static;
}

fn reactor() -> io::Result<Reactor> {
    Reactor::builder().backend(BackendKind::Epoll).build()
}

/// Ours: in a host that blocks on a queue of ticks, where there are ticks, or driving itself.
pub(super) struct Ours {
    reactor: Reactor,
    ticks: Option<Receiver<Tick>>,
}

impl Ours {
    pub(super) fn on_its_own() -> io::Result<Ours> {
        Ok(Ours { reactor: reactor()?, ticks: None })
    }

    pub(super) fn interleaved() -> io::Result<Ours> {
        let (queue, ticks) = channel();
        let reactor = reactor()?;
        reactor.interleave(move |tick| drop(queue.send(tick)))?;
        Ok(Ours { reactor, ticks: Some(ticks) })
    }
}

impl Executor for Ours {
    type Spawner = Handle;
    type Task = interloop::Task<()>;

    fn spawner(&self) -> Handle {
        self.reactor.handle()
    }

    fn spawn(spawner: &Handle, future: impl Future<Output = ()> + 'static) -> interloop::Task<()> {
        spawner.spawn_local(future)
    }

    async fn yield_now() {
        futures_lite::future::yield_now().await;
    }

    fn block_on<F>(self, future: F) -> io::Result<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let Some(ticks) = self.ticks else { return self.reactor.block_on(future) };
        let output = Rc::new(Cell::new(None));
        let put = Rc::clone(&output);
        self.reactor.spawn_then(future, move |output| put.set(Some(output))).detach();
        loop {
            if let Some(output) = output.take() {
                return Ok(output);
            }
            ticks.recv().map_err(io::Error::other)?.run();
        }
    }
}

/// What drives a [`LocalExecutor`].
pub(super) enum Driver {
    /// A parked thread: the executor's documentation.
    Alone,
    /// The reactor that smol puts below it.
    AsyncIo,
}

pub(super) struct AsyncExecutor(Rc<LocalExecutor<'static>>, Driver);

impl AsyncExecutor {
    pub(super) fn new(driver: Driver) -> AsyncExecutor {
        AsyncExecutor(Rc::new(LocalExecutor::new()), driver)
    }
}

impl Executor for AsyncExecutor {
    type Spawner = Rc<LocalExecutor<'static>>;
    type Task = async_executor::Task<()>;

    fn spawner(&self) -> Self::Spawner {
        Rc::clone(&self.0)
    }

    fn spawn(
        spawner: &Self::Spawner,
        future: impl Future<Output = ()> + 'static,
    ) -> async_executor::Task<()> {
        spawner.spawn(future)
    }

    async fn yield_now() {
        futures_lite::future::yield_now().await;
    }

    fn block_on<F: Future>(self, future: F) -> io::Result<F::Output> {
        let running = self.0.run(future);
        Ok(match self.1 {
            Driver::Alone => futures_lite::future::block_on(running),
            Driver::AsyncIo => async_io::block_on(running),
        })
    }
}

/// tokio's tasks that stay on their thread.
pub(super) enum TokioLocal {
    /// In a set, beside a runtime that may have others.
    Set(Runtime, LocalSet),
    /// In a runtime that has no others.
    Runtime(LocalRuntime),
}

impl TokioLocal {
    pub(super) fn set() -> io::Result<TokioLocal> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(TokioLocal::Set(runtime, LocalSet::new()))
    }

    pub(super) fn runtime() -> io::Result<TokioLocal> {
        let options = LocalOptions::default();
        let runtime = Builder::new_current_thread().enable_all().build_local(options)?;
        Ok(TokioLocal::Runtime(runtime))
    }
}

impl Executor for TokioLocal {
    type Spawner = ();
    type Task = JoinHandle<()>;

    fn spawner(&self) {}

    fn spawn((): &(), future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
        tokio::task::spawn_local(future)
    }

    async fn yield_now() {
        tokio::task::yield_now().await;
    }

    fn block_on<F: Future>(self, future: F) -> io::Result<F::Output> {
        Ok(match self {
            TokioLocal::Set(runtime, tasks) => tasks.block_on(&runtime, future),
            TokioLocal::Runtime(runtime) => runtime.block_on(future),
        })
    }
}
