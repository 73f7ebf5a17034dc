//! The standard input, without blocking the thread.

#[cfg(unix)]
use std::fs::File;
use std::io::{self, Read};

use interloop::Handle;
#[cfg(unix)]
use interloop::{Interest, Source};

/// How much is read at a time.
const CHUNK: usize = 4096;

pub enum Input {
    /// A terminal, a pipe or a socket: it is read when there is something to read.
    ///
    /// It stays blocking. The descriptor is shared with the shell, and with our own output where
    /// that is the same terminal; to switch it to non-blocking, as `Async` does, would do it to them.
    #[cfg(unix)]
    Watched(Source<File>),
    /// A file, which is always ready, even where it makes us wait for the disk: it is read on the
    /// thread pool.
    Pooled(Handle),
}

impl Input {
    #[cfg(unix)]
    pub fn new(handle: &Handle) -> io::Result<Input> {
        use std::io::IsTerminal;
        use std::os::fd::AsFd;
        use std::os::unix::fs::FileTypeExt;

        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let kind = input.metadata()?.file_type();
        // `epoll` refuses to watch a file, `poll` and `select` say that it is ready: it is asked here.
        if input.is_terminal() || kind.is_fifo() || kind.is_socket() {
            return Ok(Input::Watched(handle.source(input)?.label("input")));
        }
        Ok(Input::Pooled(handle.clone()))
    }

    #[cfg(not(unix))]
    pub fn new(handle: &Handle) -> io::Result<Input> {
        Ok(Input::Pooled(handle.clone()))
    }

    /// True where its end comes as an event.
    pub fn is_watched(&self) -> bool {
        !matches!(self, Input::Pooled(_))
    }

    /// Waits for bytes; none of them mean the end.
    pub async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; CHUNK];
        let count = match self {
            #[cfg(unix)]
            Input::Watched(source) => {
                source.ready(Interest::READABLE).await?;
                // What is ready does not block, as long as nobody else reads it.
                source.get_ref().read(&mut bytes)?
            }
            Input::Pooled(handle) => {
                let read = handle.unblock(move || {
                    let count = io::stdin().read(&mut bytes)?;
                    io::Result::Ok((count, bytes))
                });
                let (count, back) = read.await?;
                bytes = back;
                count
            }
        };
        bytes.truncate(count);
        Ok(bytes)
    }
}
