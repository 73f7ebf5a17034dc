//! The callback face of the client.

use std::cell::Cell;
use std::rc::Rc;

use hyper::body::Bytes;
use interloop::Task;

use super::client::{Client, Step};
use super::error::Error;
use super::response::Head;

/// What [`Client::fetch`] tells: steps, then the head, then the chunks, and at last the end. A failure is
/// an end too, and may come at any time.
#[derive(Debug)]
pub enum Event {
    /// What happens until there is an answer.
    Step(Step),
    /// The answer has begun.
    Head(Head),
    /// A part of the body.
    Chunk(Bytes),
    /// It has come to its end, with this many bytes in all, or has failed.
    End(Result<u64, Error>),
}

/// Something that is being fetched, from [`Client::fetch`]. Dropping it cancels: the connection is closed,
/// and the callback is not called again. It may be dropped inside the callback.
#[must_use = "dropping it cancels"]
#[derive(Debug)]
pub struct Fetch {
    is_wanted: Rc<Cell<bool>>,
    _task: Task<()>,
}

impl Client {
    /// Fetches what is at an address, and tells a callback what happens. The callback is called on the
    /// thread of the reactor, in its turns, and never from inside this function.
    #[track_caller]
    pub fn fetch(&self, address: &str, mut on_event: impl FnMut(Event) + 'static) -> Fetch {
        let is_wanted = Rc::new(Cell::new(true));
        let (client, address, wanted) = (self.clone(), address.to_owned(), Rc::clone(&is_wanted));
        let task = self.handle().spawn_local(async move {
            // A task that is dropped while it runs runs on to where it waits.
            let mut tell = |event| {
                if wanted.get() {
                    on_event(event);
                }
            };
            let end = client.receive(&address, &mut tell).await;
            tell(Event::End(end));
        });
        Fetch { is_wanted, _task: task.label("fetch") }
    }

    async fn receive(&self, address: &str, tell: &mut dyn FnMut(Event)) -> Result<u64, Error> {
        let mut response = self.get(address, |step| tell(Event::Step(step))).await?;
        tell(Event::Head(response.head().clone()));
        while let Some(bytes) = response.chunk().await? {
            tell(Event::Chunk(bytes));
        }
        Ok(response.received())
    }
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.is_wanted.set(false);
    }
}
