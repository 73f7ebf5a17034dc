//! The user's side of the holder of the host's waker.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::shared::Shared;
use crate::tick::Tick;

/// The holder of the host's waker, from [`Handle::interleave`](crate::Handle::interleave) or
/// [`waker_proxy`](crate::Handle::waker_proxy). Any thread may use it.
#[derive(Clone)]
pub struct WakerProxy {
    shared: Arc<Shared>,
}

impl WakerProxy {
    pub(crate) fn new(shared: Arc<Shared>) -> WakerProxy {
        WakerProxy { shared }
    }

    /// From here on no call of the waker begins; a wake that is due is remembered as one bit. Holds
    /// nest. A call that runs on another thread may still be ending: [`swap`](WakerProxy::swap)
    /// waits for that, this does not, so that it is safe wherever it is called.
    pub fn hold(&self) {
        // In a forked child nothing is called, and a lock may be held by a thread that is not there.
        if self.shared.process.is_current() {
            self.shared.proxy.hold();
        }
    }

    /// Undoes one [`hold`](WakerProxy::hold). The last one wakes the host once if a wake was
    /// remembered and a turn is still owed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when nothing is held; `Unsupported` in a forked child.
    pub fn release(&self) -> io::Result<()> {
        self.shared.process.check()?;
        if self.shared.proxy.release()? {
            self.shared.rewake();
        }
        Ok(())
    }

    /// Puts another waker in the place of the one there. On return the old one is not running, is
    /// dropped, and will never be called again, so that the window that it posts to may be
    /// destroyed. If a turn is owed, the new one is called once.
    ///
    /// # Errors
    ///
    /// `Deadlock` from inside the waker; `TimedOut` when the old waker has not returned for 10 s,
    /// where the new one is in place all the same; `NotConnected` when the reactor has stopped.
    pub fn swap(&self, waker: impl Fn(Tick) + Send + Sync + 'static) -> io::Result<()> {
        self.shared.process.check()?;
        self.shared.swap_waker(Arc::new(waker))
    }
}

impl fmt::Debug for WakerProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WakerProxy").finish_non_exhaustive()
    }
}
