//! The executor of GLib's main loop: a source for each task, whose waker makes it ready.

use std::future::Future;
use std::io;

use futures_lite::future;
use glib::{JoinHandle, MainContext};

use super::executors::Executor;
use super::{Sample, measure};

struct MainLoop(MainContext);

pub(super) fn sample(sample: &Sample) -> io::Result<f64> {
    measure(MainLoop(MainContext::default()), sample)
}

impl Executor for MainLoop {
    type Spawner = MainContext;
    type Task = JoinHandle<()>;

    fn spawner(&self) -> MainContext {
        self.0.clone()
    }

    fn spawn(context: &MainContext, future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
        context.spawn_local(future)
    }

    async fn yield_now() {
        future::yield_now().await;
    }

    fn block_on<F: Future>(self, future: F) -> io::Result<F::Output> {
        Ok(self.0.block_on(future))
    }
}
