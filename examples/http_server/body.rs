//! A file as the body of a response.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use interloop::{Handle, Task};

/// How much is read at a time. While hyper sends one chunk the pool reads the next one, and nothing
/// more: this bounds what a client that reads slowly costs.
const CHUNK: u64 = 128 * 1024;

/// So many bytes of a file, from where it stands, read on the thread pool.
pub struct FileBody {
    handle: Handle,
    left: u64,
    /// What the pool is at, and None at the end.
    reading: Option<Task<io::Result<(File, Bytes)>>>,
}

impl FileBody {
    pub fn new(handle: &Handle, file: File, length: u64) -> FileBody {
        let mut body = FileBody { handle: handle.clone(), left: length, reading: None };
        body.read_on(file);
        body
    }

    fn read_on(&mut self, file: File) {
        let count = self.left.min(CHUNK);
        let read = move || {
            let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
            (&file).take(count).read_to_end(&mut bytes)?;
            if bytes.is_empty() {
                let message = "the file has become shorter while it was sent";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
            }
            Ok((file, Bytes::from(bytes)))
        };
        self.reading = (count > 0).then(|| self.handle.unblock(read));
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        Poll::Ready(Some(read.map(|(file, chunk)| {
            self.left -= chunk.len() as u64;
            self.read_on(file);
            Frame::data(chunk)
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.reading.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
