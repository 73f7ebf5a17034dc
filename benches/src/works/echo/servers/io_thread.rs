//! What programs do where the toolkit watches no descriptors: a thread of their own for the I/O, which
//! posts each message to the loop and gets the answer back by a channel.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use super::polling;
use crate::works::echo::scene::{BUFFER, Scene, Stream};

/// What has come; None at the end of the stream.
pub(super) type Message = Option<Vec<u8>>;

/// The thread, and where the loop puts its answers.
pub(super) struct IoThread {
    pub(super) answers: Sender<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

impl IoThread {
    pub(super) fn start(
        scene: Scene,
        post: impl Fn(Message) + Send + 'static,
    ) -> io::Result<IoThread> {
        let (answers, answered) = mpsc::channel();
        let thread = thread::Builder::new().name("io".to_owned()).spawn(move || {
            let served = polling::serve_by(&scene, |stream| exchange(stream, &post, &answered));
            post(None);
            served
        })?;
        Ok(IoThread { answers, thread })
    }

    /// Waits for the end of the thread, which is that of its stream.
    pub(super) fn join(self) -> io::Result<()> {
        drop(self.answers);
        self.thread.join().expect("the thread does not panic")
    }
}

/// One message to the loop, and its answer to the stream. False when either has ended.
fn exchange(
    stream: &Stream,
    post: &impl Fn(Message),
    answers: &Receiver<Vec<u8>>,
) -> io::Result<bool> {
    let mut buffer = [0; BUFFER];
    let length = stream.io().read(&mut buffer)?;
    if length == 0 {
        return Ok(false);
    }
    post(Some(buffer[..length].to_vec()));
    let Ok(answer) = answers.recv() else { return Ok(false) };
    stream.io().write_all(&answer)?;
    Ok(true)
}
