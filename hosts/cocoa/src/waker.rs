//! The raw hook.

use std::io;
use std::sync::Arc;

use interloop::Tick;

use crate::modes::Modes;
use crate::run_loop::Source;
use crate::slot::Slot;

/// A waker that signals a source of this thread's run loop, in these modes. The loop need not run yet. Call it
/// on the thread of the reactor.
///
/// The source stays in the run loop until the waker is dropped, on whichever thread. One that was
/// invalidated by other means makes every post a failed one. A wake allocates nothing.
///
/// ```no_run
/// # let reactor = interloop::Reactor::new()?;
/// use interloop_cocoa::Modes;
///
/// reactor.interleave(interloop_cocoa::waker(&Modes::common())?)?;
/// # std::io::Result::Ok(())
/// ```
///
/// # Errors
///
/// `InvalidInput` when a mode's name has a zero in it; what the operating system said when it refused a
/// descriptor.
pub fn waker(modes: &Modes) -> io::Result<impl Fn(Tick) + Send + Sync + 'static + use<>> {
    let slot = Arc::<Slot>::default();
    let source = Source::add(modes, &slot)?;
    Ok(move |tick| slot.post(tick, || source.signal()))
}
