//! The one seam between the reactor and the system calls.

use std::io;
use std::time::Duration;

use crate::{BackendKind, BorrowedSource, Event, Interest, Kept, Key, Mode, Release};

/// One wait call of the operating system.
///
/// Registrations in the [mode](Mode) `Oneshot` are reported once, and are silent until
/// [`modify`](Poller::modify) arms them again. Readiness is level-triggered: what is still true when
/// the registration is armed again is reported again. Interests that are true at once may come in
/// one event or in one event of each arming.
///
/// In the mode `Level`, which a backend may lack, a registration stays armed, and every wait reports it
/// as long as what it is armed for is true. A thread that does nothing but wait would spin on it: it is
/// for a thread that waits and answers by itself.
///
/// In the mode `Edge`, which a backend may lack, a registration stays armed: it is reported when it
/// is armed, if something is true then, and whenever something has become true since. More data on
/// top of data is such a change, and so is room after a write that found too little. Who reads or
/// writes until `WouldBlock` misses nothing. It may be reported more often than that.
///
/// `add`, `modify` and `delete` are called by one thread, the host thread; `wait` by one thread at
/// a time, which may be another; `notify` by any. All of them may run side by side. An event that
/// a wait has collected before a `modify` or a `delete` may be reported after it, for what the
/// registration was armed for then.
pub trait Poller: Send + Sync {
    /// Which system call this is.
    fn kind(&self) -> BackendKind;

    /// Registers `source` under `key`, armed for `interest`, which is reported as `mode` says.
    ///
    /// The object must stay open until it is deleted and released. Hang-ups, errors and a closed
    /// descriptor are noticed only while it is armed for something.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` where the same descriptor is registered; `Unsupported` where this backend
    /// cannot watch that kind of object, or lacks the mode; `InvalidInput` where its number is above a
    /// limit. The message names the backend, the descriptor and the way out. After an error nothing is
    /// registered.
    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()>;

    /// Arms the registration for `interest` in a `mode`, in the place of what it was armed for. With
    /// [`Interest::NONE`] it is disarmed.
    ///
    /// # Errors
    ///
    /// Any error means that the backend no longer watches this descriptor: it was closed behind
    /// the registration's back. The registration still has to be deleted. poll and select do not
    /// look here: with them it comes as [`Readiness::INVALID`](crate::Readiness::INVALID), once for
    /// each arming.
    fn modify(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()>;

    /// Forgets the registration. Events of it that were collected before may still be reported.
    ///
    /// The descriptor may be registered again at once, under another key, even where the release
    /// comes later. This cannot fail: a descriptor that was closed behind our back is forgotten
    /// too.
    fn delete(&self, source: BorrowedSource<'_>, key: Key) -> Release;

    /// Blocks until something is ready, `notify` was called, or `timeout` has passed; `None` waits
    /// for ever. What happened is appended to `events`.
    ///
    /// It may return early with nothing, and does not block where it has a release to report. A
    /// signal does not end it: the wait goes on with what is left of the timeout. A timeout is
    /// never cut short by rounding. A notification that came before the wait ends it at once.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` when another thread is waiting. Any other error is final: this backend is
    /// dead.
    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()>;

    /// Ends the wait that runs, or else the next one.
    ///
    /// # Errors
    ///
    /// Any error is final: this backend is dead.
    fn notify(&self) -> io::Result<()>;

    /// True when `add`, `modify` and `delete` take effect while another thread waits; false when
    /// they take effect at the start of the next wait, so that the waiting thread has to be
    /// notified.
    fn applies_at_once(&self) -> bool;

    /// True when the mode [`Edge`](Mode::Edge) is there.
    fn has_edges(&self) -> bool;

    /// True when the mode [`Level`](Mode::Level) is there.
    fn has_levels(&self) -> bool {
        false
    }

    /// True where what is reported of a source is what poll(2) says of its descriptor. Then whoever would arm it may
    /// [`look`](crate::look) first.
    fn reports_what_poll_does(&self) -> bool {
        false
    }

    /// True where a registration can outlive its descriptor: closed behind our back, while a duplicate keeps
    /// the object open, it cannot be taken out of the set, which goes on to report it under the old key. One
    /// in the mode `Level` then ends every wait at once, as long as the object is ready.
    /// [`renew`](Poller::renew) gets rid of it.
    fn keeps_closed(&self) -> bool {
        false
    }

    /// True when a deletion or a change has failed since the last renewal, so that the set may hold such a
    /// registration. Called by the host thread.
    fn is_stuck(&self) -> bool {
        false
    }

    /// Makes a set of `kept`, and nothing else, in the place of one that [`is_stuck`](Poller::is_stuck). Called
    /// by the host thread, while nobody waits.
    ///
    /// All of `kept` are registered, and known to be open, as a [`modify`](Poller::modify) of each has just gone well.
    /// They are armed as they say, and reported if something is true; one that the new set refuses is reported as
    /// [`INVALID`](crate::Readiness::INVALID). The [`descriptor`](Poller::descriptor) has the same number,
    /// and is another one to who keeps hold of it, as epoll does.
    ///
    /// # Errors
    ///
    /// What the operating system said, when there is no room for a second set. Everything is as it was then.
    fn renew(&self, kept: &[Kept<'_>], events: &mut Vec<Event>) -> io::Result<()> {
        let _ = (kept, events);
        Ok(())
    }

    /// True when an event for [`READABLE`](crate::Interest::READABLE) and
    /// [`PRIORITY`](crate::Interest::PRIORITY) has [`READ_CLOSED`](crate::Readiness::READ_CLOSED) in it
    /// whenever the peer of a stream has sent its last, and
    /// [`PRIORITY`](crate::Readiness::PRIORITY) whenever urgent data is there. Where they may be
    /// missing, a short read does not mean that the next event is still to come.
    fn tells_ends(&self) -> bool {
        false
    }

    /// The descriptor that stands for the whole backend, if it has one: readable as long as a
    /// [`wait`](Poller::wait) would end at once, because of something ready, a notification, or the
    /// alarm. A wait that reports what there is makes it silent. Another loop may watch it, with levels;
    /// nobody may read from it.
    fn descriptor(&self) -> Option<BorrowedSource<'_>> {
        None
    }

    /// Sets the one alarm of the backend, in the place of the one before: it ends a wait, and makes the
    /// [`descriptor`](Poller::descriptor) readable, once `after` has passed, and not before. `None` sets
    /// none. Called by the host thread.
    ///
    /// # Errors
    ///
    /// `Unsupported` where there is no descriptor; otherwise what the operating system said.
    fn set_alarm(&self, after: Option<Duration>) -> io::Result<()> {
        let _ = after;
        let message = format!("the {} backend has no alarm", self.kind());
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}
