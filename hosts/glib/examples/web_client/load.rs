//! A page on its way.

use interloop::Timer;
use interloop_demos::web::{Excerpt, Fetch, Head, Progress};

/// How many characters of a page's source are shown: a text view is no place for a hundred megabytes.
const SHOWN: usize = 256 * 1024;

/// What is known of a page that is being loaded. Dropping it cancels.
pub struct Load {
    /// What was asked for, and then where that has led.
    pub address: String,
    excerpt: Excerpt,
    /// None until the answer has begun.
    progress: Option<Progress>,
    /// What happens until then.
    step: String,
    /// "200 OK", once that is known.
    pub answer: String,
    _fetch: Fetch,
    /// Shows the progress now and then.
    _timer: Timer,
}

impl Load {
    pub fn new(address: String, fetch: Fetch, timer: Timer) -> Load {
        Load {
            address,
            excerpt: Excerpt::new(SHOWN),
            progress: None,
            step: "Starting".to_owned(),
            answer: String::new(),
            _fetch: fetch,
            _timer: timer,
        }
    }

    pub fn step(&mut self, step: String) {
        self.step = step;
    }

    pub fn begin(&mut self, head: &Head) {
        self.address = head.url.to_string();
        self.progress = Some(Progress::begin(head.length));
        self.answer = head.status.to_string();
    }

    /// Takes a part of the page, and gives what of it is shown.
    pub fn add(&mut self, bytes: &[u8]) -> String {
        if let Some(progress) = &mut self.progress {
            progress.add(bytes.len());
        }
        self.excerpt.push(bytes)
    }

    pub fn end(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.end();
        }
    }

    /// Which part has come, where that is known.
    pub fn fraction(&self) -> Option<f64> {
        self.progress.as_ref()?.fraction()
    }

    /// How far it is, in a line.
    pub fn status(&self) -> String {
        let Some(progress) = &self.progress else { return self.step.clone() };
        let shown = match self.excerpt.is_full() {
            true => "; the beginning is shown",
            false => "",
        };
        format!("{}: {progress}{shown}", self.answer)
    }
}
