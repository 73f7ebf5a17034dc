//! Writing on the thread pool.

use std::io::{self, Write};

use interloop::{Handle, Task};

/// How much is collected before it is written. While the pool writes one chunk the next is collected,
/// and nothing more: a slow disk holds the network up, and not the memory.
const CHUNK: usize = 256 * 1024;

pub struct Writer<W> {
    handle: Handle,
    collected: Vec<u8>,
    /// The target, once the pool is done with it.
    writing: Task<io::Result<W>>,
}

impl<W: Write + Send + 'static> Writer<W> {
    pub fn new(handle: &Handle, target: W) -> Writer<W> {
        let writing = handle.spawn_local(async { Ok(target) });
        Writer { handle: handle.clone(), collected: Vec::new(), writing }
    }

    /// Takes bytes; those that were taken before may still be on their way.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.collected.extend_from_slice(bytes);
        if self.collected.len() < CHUNK {
            return Ok(());
        }
        self.pass_on().await
    }

    async fn pass_on(&mut self) -> io::Result<()> {
        let mut target = (&mut self.writing).await?;
        let chunk = std::mem::replace(&mut self.collected, Vec::with_capacity(CHUNK * 2));
        let write = move || target.write_all(&chunk).map(|()| target);
        self.writing = self.handle.unblock(write);
        Ok(())
    }

    /// Writes what is left, and gives the target back.
    pub async fn finish(mut self) -> io::Result<W> {
        self.pass_on().await?;
        let handle = self.handle;
        let mut target = self.writing.await?;
        handle.unblock(move || target.flush().map(|()| target)).await
    }
}
