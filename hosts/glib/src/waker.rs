//! The worker's drive: ticks through a source that is signalled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use glib::{ControlFlow, MainContext, Priority};
use interloop::Tick;

use crate::source::{Dispatch, Source};

/// The raw hook, for [`Handle::interleave`](interloop::Handle::interleave): a function that has its ticks
/// run by whoever iterates `context`, which has to be the reactor's thread, at `priority`.
/// [`attach`](crate::attach) uses it where it has to, and does the rest as well.
///
/// It attaches one source to the context, which stays there until the function is dropped. A wake
/// allocates nothing, and costs what `g_main_context_wakeup` does.
///
/// ```
/// use glib::{MainLoop, Priority};
///
/// let main_loop = MainLoop::new(None, false);
/// let reactor = interloop::Reactor::new()?;
/// reactor.interleave(interloop_glib::waker(&main_loop.context(), Priority::DEFAULT))?;
///
/// let quitting = main_loop.clone();
/// reactor.remote().call(move || quitting.quit())?;
/// main_loop.run();
/// # std::io::Result::Ok(())
/// ```
///
/// The function keeps the context. Keep it too, until the reactor has finished or is dropped: the last to let
/// go of it may otherwise be the worker, inside its last wake, or whoever swaps the waker, and that thread would
/// free what else is attached to it. GLib's bindings abort the process where that belongs to this thread, as what
/// `spawn_local` and the functions in `_local` have attached does. The global context is never freed, and
/// [`attach`](crate::attach) keeps its own.
///
/// A tick for a source that was destroyed by other means, as by `g_source_destroy`, counts as a failed post.
pub fn waker(
    context: &MainContext,
    priority: Priority,
) -> impl Fn(Tick) + Send + Sync + 'static + use<> {
    let source = Source::attach(context, priority, Slot::default());
    move |tick| {
        source.data().put(tick);
        if !source.signal() {
            // Dropped, it is a failed post.
            drop(source.data().take());
        }
    }
}

/// The tick that is on its way.
#[derive(Default)]
struct Slot {
    tick: Mutex<Option<Tick>>,
    /// True while there is a tick. Written under the lock, by whoever puts one or takes it; read by the
    /// thread that iterates the context, without the lock. It publishes nothing, as the tick itself is
    /// under the lock; the wakeup of the context that follows `put` makes it seen.
    is_full: AtomicBool,
}

impl Slot {
    fn put(&self, tick: Tick) {
        let mut slot = self.lock();
        let old = slot.replace(tick);
        self.is_full.store(true, Ordering::Relaxed);
        drop(slot);
        // The reactor has grown impatient. The new one stands for both.
        if let Some(old) = old {
            old.detach();
        }
    }

    fn take(&self) -> Option<Tick> {
        let mut slot = self.lock();
        self.is_full.store(false, Ordering::Relaxed);
        slot.take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tick>> {
        self.tick.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // The reactor has taken its waker away, and knows that a tick may be lost with it.
        if let Some(tick) = self.take() {
            tick.detach();
        }
    }
}

impl Dispatch for Slot {
    const IS_READY: Option<fn(&Slot) -> bool> = Some(|slot| slot.is_full.load(Ordering::Relaxed));

    fn dispatch(&self) -> ControlFlow {
        if let Some(tick) = self.take() {
            tick.run();
        }
        ControlFlow::Continue
    }
}
