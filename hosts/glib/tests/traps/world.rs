//! What the cases have in common.

use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use glib::{ControlFlow, MainContext, MainLoop, Priority, Source, SourceId};
use interloop::Reactor;
use interloop_glib::{Attach, Drive};

/// Generous: a test machine may be busy.
pub const LIMIT: Duration = Duration::from_secs(60);

/// There is one global context, and one application that is the process's own.
static GLOBAL: Mutex<()> = Mutex::new(());

/// Keeps the other cases from what there is one of.
pub fn global() -> MutexGuard<'static, ()> {
    GLOBAL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a case in a main context of this thread's own, once with each drive that there is.
pub fn each_drive(case: impl Fn(&World, Attach)) {
    for attach in [Attach::new(), Attach::new().drive(Drive::Worker)] {
        in_own_context(|world| case(world, attach.clone()));
    }
}

/// Runs a case in a main context of this thread's own.
pub fn in_own_context(case: impl FnOnce(&World)) {
    let context = MainContext::new();
    let main_loop = MainLoop::new(Some(&context), false);
    let world = World { context: context.clone(), main_loop };
    context.with_thread_default(|| case(&world)).expect("nobody else knows of it");
}

/// A main context and a loop in it.
pub struct World {
    pub context: MainContext,
    pub main_loop: MainLoop,
}

impl World {
    /// Runs the loop until it is quit. A case that hangs ends the process: no panic leaves a callback.
    pub fn run(&self) {
        run(&self.main_loop);
    }

    /// Iterates the context until `done`.
    pub fn iterate_until(&self, done: impl Fn() -> bool) {
        let hanging = limit(&self.context);
        while !done() {
            self.context.iteration(true);
        }
        hanging.destroy();
    }

    /// Dispatches what is ready, and ends.
    pub fn run_dry(&self) {
        let hanging = limit(&self.context);
        while self.context.iteration(false) {}
        hanging.destroy();
    }

    /// Attaches a source of GLib's own.
    pub fn idle(
        &self,
        priority: Priority,
        callback: impl FnMut() -> ControlFlow + Send + 'static,
    ) -> SourceId {
        glib::idle_source_new(None, priority, callback).attach(Some(&self.context))
    }
}

/// Runs a loop until it is quit.
pub fn run(main_loop: &MainLoop) {
    let hanging = limit(&main_loop.context());
    main_loop.run();
    hanging.destroy();
}

fn limit(context: &MainContext) -> Source {
    let hang = || panic!("nothing has ended the loop within {LIMIT:?}");
    let hanging = glib::timeout_source_new(LIMIT, None, Priority::HIGH, hang);
    hanging.attach(Some(context));
    hanging
}

/// Has the reactor quit the loop when everything that is due in it has run.
pub fn quit_when_idle(reactor: &Reactor, main_loop: &MainLoop) {
    let quitting = main_loop.clone();
    reactor.spawn_local(async move { quitting.quit() }).detach();
}

/// Whether the backend that is tested has a descriptor to embed.
pub fn embeds(reactor: &Reactor) -> Drive {
    match reactor.embed() {
        Ok(_) => Drive::Embedded,
        Err(_) => Drive::Worker,
    }
}

/// Calls that have run.
#[derive(Clone, Default)]
pub struct Count(Arc<AtomicU64>);

impl Count {
    /// A call that is counted.
    pub fn call(&self) -> impl FnOnce() + Send + 'static {
        let count = self.clone();
        move || {
            count.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Something that is shared, to see whether everybody has let go of it.
pub fn token() -> (Rc<()>, Rc<()>) {
    let token = Rc::new(());
    (Rc::clone(&token), token)
}
