//! From an address to a file.

use std::path::Path;

use async_channel::Receiver;
use futures_lite::future;
use hyper::StatusCode;

use super::partial::{Left, Partial};
use super::ranges::{content_range, rest_of, validator};
use super::writer::Writer;
use super::{End, Event, Result};
use crate::web::{Client, Response};

/// A download that runs.
pub(super) struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) address: &'a str,
    /// Somebody wants it to stop.
    pub(super) stopped: Receiver<()>,
    pub(super) tell: &'a mut dyn FnMut(Event),
}

/// What there is to receive.
enum Answer {
    /// All of it, or what follows after this many bytes.
    Body(Box<Response>, u64),
    /// Nothing: all of it was there.
    Nothing(Left),
}

impl Transfer<'_> {
    pub(super) async fn run(mut self, output: &Path) -> Result<End> {
        let handle = self.client.handle().clone();
        let (output, address) = (output.to_owned(), self.address.to_owned());
        let look = move || {
            let partial = Partial::new(&output)?;
            let left = partial.left(&address);
            Result::Ok((partial, left))
        };
        let (partial, left) = handle.unblock(look).await?;

        let stopped = self.stopped.clone();
        let stopping = async {
            let _asked = stopped.recv().await;
            None
        };
        let answer = future::or(stopping, async { Some(self.ask(left).await) }).await;
        let Some(answer) = answer else { return Ok(End::Stopped) };
        match answer? {
            Answer::Body(response, before) => self.receive(*response, before, partial).await,
            Answer::Nothing(left) => {
                let complete = move || partial.complete(&partial.resume(left.length)?);
                handle.unblock(complete).await?;
                Ok(End::Complete(left.length))
            }
        }
    }

    /// Asks for what is missing, or else for all.
    async fn ask(&mut self, left: Option<Left>) -> Result<Answer> {
        let Some(left) = left else { return self.ask_for_all().await };
        let (tell, rest) = (&mut self.tell, rest_of(&left));
        let response =
            self.client.get_with(self.address, &rest, |step| tell(Event::Step(step))).await;
        let response = response.map_err(|error| error.to_string())?;
        let head = response.head();
        match (head.status, content_range(&head.headers)) {
            (StatusCode::PARTIAL_CONTENT, (start, _)) if start == Some(left.length) => {
                Ok(Answer::Body(Box::new(response), left.length))
            }
            (StatusCode::PARTIAL_CONTENT, _) => {
                Err(format!("{}: the server has sent a part that was not asked for", head.url))
            }
            // There is nothing after what is there: either that is all, or another document.
            (StatusCode::RANGE_NOT_SATISFIABLE, (_, total)) if total == Some(left.length) => {
                Ok(Answer::Nothing(left))
            }
            (StatusCode::RANGE_NOT_SATISFIABLE, _) => self.ask_for_all().await,
            // The server has a newer version, or knows no ranges, and sends all of it.
            _ => all(response),
        }
    }

    async fn ask_for_all(&mut self) -> Result<Answer> {
        let tell = &mut self.tell;
        let response = self.client.get(self.address, |step| tell(Event::Step(step)));
        all(response.await.map_err(|error| error.to_string())?)
    }

    /// Receives a body into the part, of which `before` bytes are there already.
    async fn receive(self, mut response: Response, before: u64, partial: Partial) -> Result<End> {
        let handle = self.client.handle();
        let total = response.head().length.map(|length| before + length);
        (self.tell)(Event::Begun { before, total });

        let (opening, address) = (partial.clone(), self.address.to_owned());
        let validator = validator(&response.head().headers);
        let open = move || match before {
            0 => opening.begin(&address, validator.as_deref()),
            before => opening.resume(before),
        };
        let file = handle.unblock(open).await?;
        let mut writer = Writer::new(handle, file);
        let end = loop {
            let stopping = async {
                let _asked = self.stopped.recv().await;
                None
            };
            // First, so that a network that is always ready does not keep it from being heard.
            match future::or(stopping, async { Some(response.chunk().await) }).await {
                Some(Ok(Some(bytes))) => {
                    writer.write(&bytes).await.map_err(|error| partial.explain(&error))?;
                    (self.tell)(Event::Come(before + response.received()));
                }
                Some(Ok(None)) => break End::Complete(before + response.received()),
                Some(Err(error)) => break End::Failed(error.to_string()),
                None => break End::Stopped,
            }
        };
        // What has come is kept, whatever was to follow.
        let file = writer.finish().await.map_err(|error| partial.explain(&error))?;
        if let End::Complete(_) = end {
            handle.unblock(move || partial.complete(&file)).await?;
        }
        Ok(end)
    }
}

fn all(response: Response) -> Result<Answer> {
    let head = response.head();
    if head.status == StatusCode::OK {
        return Ok(Answer::Body(Box::new(response), 0));
    }
    Err(format!("{}: {}", head.url, head.status))
}
