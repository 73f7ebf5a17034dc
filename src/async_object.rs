//! An I/O object for tasks: its operations wait instead of answering `WouldBlock`.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use interloop_backends::{AsSource, Interest, Key};
use socket2::SockRef;

use crate::cache::{Cache, Replaced};
use crate::core::Core;
use crate::label::Label;
use crate::reactor::Handle;
use crate::source::{RegisterError, Source};

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
    source: Source<T>,
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
    /// As [`Handle::register`], with the object handed back; or what the operating system said when
    /// it was to be non-blocking.
    #[track_caller]
    pub fn new(handle: &Handle, io: T) -> Result<Async<T>, RegisterError<T>> {
        if let Err(error) = set_nonblocking(&io) {
            return Err(RegisterError { error, io });
        }
        Async::new_nonblocking(handle, io)
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
        let cache = Cache::new(poller.has_edges(), poller.tells_ends(), known, asked);
        let source = handle.cached_source(Rc::new(io), cache, label)?;
        Ok(Async { source })
    }

    /// Waits until the object is readable. Readiness is a hint: the operation may still answer
    /// `WouldBlock`, and then this waits anew.
    ///
    /// [`read_with`](Async::read_with) is cheaper, where it fits.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the reactor has closed its sources; `BrokenPipe` once the descriptor was
    /// closed elsewhere.
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
    pub async fn read_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.operate(Interest::READABLE, &mut operation).await
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
    pub async fn write_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.operate(Interest::WRITABLE, &mut operation).await
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
        self.source.get_ref()
    }

    /// Names the object, for reports and dumps.
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Async<T> {
        Async { source: self.source.label(label) }
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
        loop {
            let ticket = ready!(self.core().poll_cached(self.key(), interest, None, cx))?;
            match operation(self.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.with_cache(|cache| cache.forget(interest, ticket));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(done) => {
                    if is_short(&done) {
                        self.with_cache(|cache| cache.forget_short(interest, ticket));
                    }
                    return Poll::Ready(Ok(done));
                }
                error => return Poll::Ready(error),
            }
        }
    }

    async fn operate<R>(
        &self,
        interest: Interest,
        operation: &mut dyn FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let wait = Wait::new(self, interest);
        loop {
            let ticket = wait.ticket().await?;
            match operation(self.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.with_cache(|cache| cache.forget(interest, ticket));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// What is remembered may be out of date, when the object was used behind this type's back: it
    /// is checked, so that who waits, finds nothing and waits again does not spin.
    async fn ready(&self, interest: Interest) -> io::Result<()> {
        let wait = Wait::new(self, interest);
        if !self.with_cache(|cache| cache.has_edges()).unwrap_or(true) {
            // The next event is a level: it says what is true.
            self.with_cache(|cache| cache.ticket(interest).map(|now| cache.forget(interest, now)));
            wait.ticket().await?;
            return Ok(());
        }
        loop {
            let ticket = wait.ticket().await?;
            if interloop_backends::is_ready(self.get_ref().as_source(), interest)? {
                return Ok(());
            }
            self.with_cache(|cache| cache.forget(interest, ticket));
        }
    }

    fn with_cache<R>(&self, look: impl FnOnce(&mut Cache) -> R) -> Option<R> {
        self.core().sources.with_cache(self.key(), look)
    }

    pub(crate) fn core(&self) -> &Rc<Core> {
        self.source.core()
    }

    fn key(&self) -> Key {
        self.source.key()
    }
}

/// A wait of a future, which takes itself back when the future is dropped.
struct Wait<'a> {
    core: &'a Rc<Core>,
    key: Key,
    interest: Interest,
    id: u64,
}

impl<'a> Wait<'a> {
    fn new<T: AsSource + 'static>(object: &'a Async<T>, interest: Interest) -> Wait<'a> {
        let id = object.with_cache(Cache::new_id).unwrap_or(0);
        Wait { core: object.core(), key: object.key(), interest, id }
    }

    fn ticket(&self) -> impl Future<Output = io::Result<u64>> + '_ {
        poll_fn(|cx| self.core.poll_cached(self.key, self.interest, Some(self.id), cx))
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let waker = self.core.sources.with_cache(self.key, |cache| cache.unwait(self.id));
        if let Some(Some(waker)) = waker {
            drop(waker);
            self.core.source_changed(self.key);
        }
    }
}

impl Core {
    /// The ticket of what a source is known to be ready for; or else the task waits for it, under
    /// the name `id` when it is a future's.
    fn poll_cached(
        self: &Rc<Core>,
        key: Key,
        interest: Interest,
        id: Option<u64>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<u64>> {
        let known = self
            .shared
            .check()
            .map(|()| self.sources.with_cache(key, |cache| cache.ticket(interest)));
        let answer = match known {
            Err(error) => Some(Err(error)),
            Ok(None) => Some(Err(self.why_not(key))),
            Ok(Some(ticket)) => ticket.map(Ok),
        };
        if let Some(answer) = answer {
            return self.spend_credit(cx).map(|()| answer);
        }
        let waker = cx.waker();
        let waiting = self.sources.with_cache(key, |cache| cache.is_waiting(id, interest, waker));
        if waiting != Some(true) {
            // Wakers are user code: cloned before the borrow, and woken or dropped after it.
            let waker = waker.clone();
            let old = self.sources.with_cache(key, |cache| cache.wait(id, interest, waker));
            if let Some(Replaced::Evicted(oldest)) = old {
                self.wake_user(oldest);
            }
            self.source_changed(key);
        }
        Poll::Pending
    }
}

/// Switches an object to non-blocking.
pub(crate) fn set_nonblocking(io: &impl AsSource) -> io::Result<()> {
    SockRef::from(&io.as_source()).set_nonblocking(true)
}

impl<T: AsSource + 'static> AsyncRead for &Async<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read(bytes))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_with(cx, |mut io| io.read_vectored(bytes))
    }
}

impl<T: AsSource + 'static> AsyncWrite for &Async<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(cx, |mut io| io.write_vectored(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_write_with(cx, |mut io| io.flush())
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl<T: AsSource + 'static> AsyncRead for Async<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, bytes)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, bytes)
    }
}

impl<T: AsSource + 'static> AsyncWrite for Async<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    /// Flushes. The object is closed when it is dropped.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}

impl<T: fmt::Debug> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Async").field(&self.source).finish()
    }
}
