//! An I/O object for tasks: its operations wait instead of answering `WouldBlock`.

mod each;
mod nonblocking;
mod traits;
mod wait;

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use interloop_backends::{AsSource, Interest};

use crate::cache::{Cache, Life};
use crate::core::Core;
use crate::handle::Handle;
use crate::label::Label;
use crate::source::RegisterError;
use crate::sources::{Object, Registration};
use nonblocking::NonBlocking;
use wait::{Operation, Wait};

/// Anything with a descriptor (on Windows, a socket), for tasks on the host thread: an operation
/// that would block waits for readiness instead, and is tried again.
///
/// What the object is ready for is remembered between operations. On a backend with edges (epoll,
/// kqueue) it is registered once for each direction, and from then on its reads and writes are the
/// only system calls; on the others it is armed whenever an operation finds nothing.
///
/// Every method takes `&self`: any number of tasks may read and write one object at a time, and
/// `&Async<T>` is `AsyncRead` and `AsyncWrite` too. Dropping it ends the registration and closes the
/// object. Once the reactor has closed its sources, in its shutdown after the `Before` triggers, all
/// operations fail with `NotConnected`.
///
/// A task whose object is always ready lets others run: after some dozens of operations in one poll
/// the next one waits for the task's next turn.
///
/// ```
/// # #[cfg(unix)] {
/// use std::io::Read;
/// use std::os::unix::net::UnixStream;
///
/// use interloop::{Async, Reactor};
///
/// let reactor = Reactor::new()?;
/// let (near, mut far) = UnixStream::pair()?;
/// let near = Async::new(&reactor, near)?;
/// std::io::Write::write_all(&mut far, b"hello")?;
/// let read = reactor.block_on(near.read_with(|mut stream| {
///     let mut bytes = [0; 16];
///     stream.read(&mut bytes)
/// }))??;
/// assert_eq!(read, 5);
/// # }
/// # std::io::Result::Ok(())
/// ```
pub struct Async<T> {
    // Dropped before the object, which is closed when the backend has let go of it.
    registration: Registration,
    object: Rc<Object<T, Cache>>,
}

impl<T: AsSource + 'static> Async<T> {
    /// Makes an object asynchronous: switches it to non-blocking, and registers it.
    ///
    /// Non-blocking is a property of what was opened, not of the descriptor: duplicates see it too, and
    /// so do other processes that share it. A terminal that this program was started with stays
    /// non-blocking for the shell. For standard input and its like, take
    /// [`Handle::source`] and [`Source::ready`](crate::Source::ready), and read once when it is ready.
    ///
    /// # Errors
    ///
    /// As [`Handle::register`], with the object handed back as it was (on Windows, non-blocking); or
    /// what the operating system said when it was to be non-blocking.
    #[track_caller]
    pub fn new(handle: &Handle, io: T) -> Result<Async<T>, RegisterError<T>> {
        let blocked = match NonBlocking::set(&io) {
            Ok(blocked) => blocked,
            Err(error) => return Err(RegisterError { error, io }),
        };
        Async::new_nonblocking(handle, io).inspect_err(|refused| blocked.undo(&refused.io))
    }

    /// As [`new`](Async::new), for an object that is non-blocking already.
    ///
    /// # Errors
    ///
    /// As [`Handle::register`].
    #[track_caller]
    pub fn new_nonblocking(handle: &Handle, io: T) -> Result<Async<T>, RegisterError<T>> {
        Async::labelled(handle, io, Label::caller())
    }

    /// As [`new_nonblocking`](Async::new_nonblocking), for one that was made elsewhere.
    pub(crate) fn labelled(
        handle: &Handle,
        io: T,
        label: Label,
    ) -> Result<Async<T>, RegisterError<T>> {
        let known = Interest::READABLE | Interest::WRITABLE;
        Async::register(handle, io, known, Interest::READABLE, label)
    }

    /// Registers a socket that connects: nothing is known of it, and it will be writable.
    pub(crate) fn connecting(
        handle: &Handle,
        io: T,
        label: Label,
    ) -> Result<Async<T>, RegisterError<T>> {
        Async::register(handle, io, Interest::NONE, Interest::WRITABLE, label)
    }

    fn register(
        handle: &Handle,
        io: T,
        known: Interest,
        asked: Interest,
        label: Label,
    ) -> Result<Async<T>, RegisterError<T>> {
        let poller = &handle.core().shared.poller;
        let short = if poller.tells_ends() { proved_by_short::<T>() } else { Interest::NONE };
        // Urgent data cuts a read short, and has to be told then.
        let urgent =
            if short.contains(Interest::READABLE) { Interest::PRIORITY } else { Interest::NONE };
        let cache = Cache::new(poller.has_edges(), known, asked | urgent).trust_short(short);
        let object = Object { io, hears: cache };
        let (registration, object) = handle.add_source(object, Interest::NONE, label)?;
        Ok(Async { registration, object })
    }

    /// Waits until the object is readable. Readiness is a hint: the operation may still answer
    /// `WouldBlock`, and then this waits anew.
    ///
    /// [`read_with`](Async::read_with) is cheaper, where it fits.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the reactor has closed its sources; `BrokenPipe` once the backend has noticed
    /// that the descriptor was closed elsewhere, which one with edges does not.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await
    }

    /// Waits until the object is writable, as [`readable`](Async::readable) does for reading.
    ///
    /// # Errors
    ///
    /// As [`readable`](Async::readable).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await
    }

    /// Does an operation that reads, as soon as it does not answer `WouldBlock`.
    ///
    /// `operation` is called at once, and again whenever the object has become readable, until it
    /// answers anything else, which is returned.
    ///
    /// # Errors
    ///
    /// Those of `operation`, and those of [`readable`](Async::readable).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future between polls loses nothing: `operation` has answered `WouldBlock`, or
    /// was not called yet.
    pub fn read_with<R>(
        &self,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        Operation::new(self, Interest::READABLE, operation)
    }

    /// Does an operation that writes, as [`read_with`](Async::read_with) does one that reads.
    ///
    /// # Errors
    ///
    /// Those of `operation`, and those of [`readable`](Async::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`read_with`](Async::read_with).
    pub fn write_with<R>(
        &self,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        Operation::new(self, Interest::WRITABLE, operation)
    }

    /// As [`read_with`](Async::read_with), for those who write a `poll` function of their own. Any
    /// number of tasks may poll.
    pub fn poll_read_with<R>(
        &self,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_operate(cx, Interest::READABLE, operation, |_| false)
    }

    /// As [`write_with`](Async::write_with), for those who write a `poll` function of their own.
    pub fn poll_write_with<R>(
        &self,
        cx: &mut Context<'_>,
        operation: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_operate(cx, Interest::WRITABLE, operation, |_| false)
    }

    /// Lends the object. What is done to it without this type, and answers `WouldBlock`, waits with
    /// [`readable`](Async::readable) or [`writable`](Async::writable).
    pub fn get_ref(&self) -> &T {
        &self.object.io
    }

    /// Names the object, for reports and dumps.
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Async<T> {
        self.core().sources.set_label(self.registration.key, Label::named(label));
        self
    }

    /// As [`poll_read_with`](Async::poll_read_with) and its like, with `is_short` to tell that an
    /// operation moved less than it could have.
    pub(crate) fn poll_operate<R>(
        &self,
        cx: &mut Context<'_>,
        interest: Interest,
        mut operation: impl FnMut(&T) -> io::Result<R>,
        is_short: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        self.poll_attempts(None, cx, interest, &mut operation, is_short)
    }

    /// What is remembered may be out of date, when the object was used behind this type's back: the
    /// operating system is asked, so that who waits, finds nothing and waits again does not spin.
    async fn ready(&self, interest: Interest) -> io::Result<()> {
        let wait = Wait::new(self, interest);
        loop {
            let ticket = wait.ticket().await?;
            let ready = interloop_backends::is_ready(self.get_ref().as_source(), interest);
            if matches!(ready, Ok(true)) {
                return Ok(());
            }
            self.cache().forget(interest, ticket);
            match ready {
                Ok(_) => {}
                // Where it cannot be asked, the next wait arms anew, and hears of what is true then.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn core(&self) -> &Rc<Core> {
        &self.registration.core
    }

    /// False once it was lost, or the reactor has closed its sources: all operations fail.
    pub(crate) fn is_watched(&self) -> bool {
        self.cache().life() == Life::Live
    }

    fn cache(&self) -> &Cache {
        &self.object.hears
    }
}

/// Which operations of an object, cut short, prove that the next one would block, as long as ends,
/// errors and urgent data are told. A Unix stream is read up to a message that carried descriptors,
/// a packet to its end, a terminal to the end of its line.
fn proved_by_short<T: 'static>() -> Interest {
    let object = TypeId::of::<T>();
    if object == TypeId::of::<std::net::TcpStream>() {
        return Interest::READABLE | Interest::WRITABLE;
    }
    #[cfg(unix)]
    if object == TypeId::of::<std::os::unix::net::UnixStream>() {
        return Interest::WRITABLE;
    }
    Interest::NONE
}

impl<T: fmt::Debug> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Async { registration, object } = self;
        f.debug_struct("Async").field("key", &registration.key).field("io", &object.io).finish()
    }
}
