//! What stands between the window and the downloads.

use std::cell::RefCell;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use interloop::{Handle, Timer};
use interloop_demos::download::{Download, End, Event};
use interloop_demos::web::Client;
use interloop_wx_widgets::downloads_window::{Action, DownloadsWindow, Offer};

/// How often the gauges move.
const FRAME: Duration = Duration::from_millis(100);

/// The window, and all that is downloaded.
pub struct Shelf {
    handle: Handle,
    client: Client,
    window: DownloadsWindow,
    folder: PathBuf,
    entries: RefCell<Vec<Entry>>,
    /// Moves the gauges, while something runs.
    frames: RefCell<Option<Timer>>,
    /// Tells who waits that a download has ended.
    ended: (async_channel::Sender<()>, async_channel::Receiver<()>),
}

/// One row of the window.
struct Entry {
    address: String,
    output: PathBuf,
    /// None when it does not run.
    download: Option<Download>,
    come: u64,
    total: Option<u64>,
    /// What it is at, where that is not seen from the numbers.
    text: String,
    is_complete: bool,
}

impl Shelf {
    pub fn new(handle: &Handle, window: DownloadsWindow, folder: PathBuf) -> Shelf {
        window.set_status(&format!("Files go to {}", folder.display()));
        Shelf {
            handle: handle.clone(),
            client: Client::new(handle),
            window,
            folder,
            entries: RefCell::default(),
            frames: RefCell::default(),
            ended: async_channel::bounded(1),
        }
    }

    /// What the user has done.
    pub fn act(self: &Rc<Shelf>, action: Action) {
        let count = self.entries.borrow().len();
        match action {
            Action::Download(address) => self.add(&address),
            Action::StopOrResume(row) if self.is_running(row) => self.stop(row),
            Action::StopOrResume(row) => self.start(row),
            Action::StopAll => (0..count).for_each(|row| self.stop(row)),
            Action::ResumeAll => (0..count).for_each(|row| self.start(row)),
        }
    }

    /// Begins a download, in a row of its own.
    pub fn add(self: &Rc<Shelf>, address: &str) {
        let output = self.folder.join(file_name(address));
        if self.entries.borrow().iter().any(|entry| entry.output == output) {
            let name = output.display();
            return self.window.set_status(&format!("{name} is downloaded in another row"));
        }
        let row = self.window.add_row(&name(&output));
        let (address, text) = (address.to_owned(), String::new());
        let (download, come, total, is_complete) = (None, 0, None, false);
        let entry = Entry { address, output, download, come, total, text, is_complete };
        self.entries.borrow_mut().push(entry);
        self.start(row);
    }

    fn is_running(&self, row: usize) -> bool {
        self.entries.borrow()[row].download.is_some()
    }

    /// Begins, or goes on where it was.
    fn start(self: &Rc<Shelf>, row: usize) {
        let mut entries = self.entries.borrow_mut();
        let entry = &mut entries[row];
        if entry.download.is_some() || entry.is_complete {
            return;
        }
        // The shelf owns the download, which owns this.
        let shelf = Rc::downgrade(self);
        let hear = move |event| {
            if let Some(shelf) = shelf.upgrade() {
                shelf.hear(row, event);
            }
        };
        let download = Download::start(&self.client, &entry.address, &entry.output, hear);
        entry.download = Some(download);
        drop(entries);
        self.show(row);
        self.move_gauges();
    }

    fn stop(&self, row: usize) {
        if let Some(download) = &self.entries.borrow()[row].download {
            download.stop();
        }
    }

    fn hear(&self, row: usize, event: Event) {
        let mut entries = self.entries.borrow_mut();
        let entry = &mut entries[row];
        match event {
            Event::Step(step) => entry.text = step.to_string(),
            Event::Begun { before, total } => {
                (entry.come, entry.total) = (before, total);
                entry.text.clear();
            }
            // The next frame shows it.
            Event::Come(come) => return entry.come = come,
            Event::End(end) => {
                match end {
                    End::Complete(bytes) => {
                        (entry.come, entry.total) = (bytes, Some(bytes));
                        entry.is_complete = true;
                        entry.text = format!("complete, {}", size(bytes));
                    }
                    End::Stopped => entry.text = format!("stopped after {}", size(entry.come)),
                    End::Failed(why) => entry.text = why,
                }
                // In its own callback, which is called no more.
                let _ended = entry.download.take();
                // Nobody may be reading, and nobody may be waiting.
                let _closed = writeln!(io::stdout(), "{}: {}", name(&entry.output), entry.text);
                let _told = self.ended.0.try_send(());
            }
        }
        drop(entries);
        self.show(row);
    }

    fn show(&self, row: usize) {
        let entries = self.entries.borrow();
        let entry = &entries[row];
        let is_running = entry.download.is_some();
        let progress = match entry.total {
            Some(0) => Some(1.0),
            Some(total) => Some(entry.come as f64 / total as f64),
            // A gauge that moves to and fro is for something that moves.
            None if is_running => None,
            None => Some(0.0),
        };
        let offer = match (is_running, entry.is_complete) {
            (true, _) => Offer::Stop,
            (false, true) => Offer::Nothing,
            (false, false) => Offer::Resume,
        };
        let text = if entry.text.is_empty() { amount(entry) } else { entry.text.clone() };
        self.window.set_row(row, progress, offer, &text);
    }

    /// Moves the gauges of all that run, until nothing does.
    fn move_gauges(self: &Rc<Shelf>) {
        let shelf = Rc::downgrade(self);
        let frame = move || {
            let Some(shelf) = shelf.upgrade() else { return ControlFlow::Break(()) };
            let rows = shelf.entries.borrow().len();
            let running: Vec<usize> = (0..rows).filter(|&row| shelf.is_running(row)).collect();
            running.iter().for_each(|&row| shelf.show(row));
            if running.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut frames = self.frames.borrow_mut();
        if !frames.as_ref().is_some_and(Timer::is_pending) {
            *frames = Some(self.handle.every(FRAME, frame).label("gauges"));
        }
    }

    /// Stops all, with all written that has come.
    pub async fn close(self: Rc<Shelf>) {
        while self.entries.borrow().iter().any(|entry| entry.download.is_some()) {
            (0..self.entries.borrow().len()).for_each(|row| self.stop(row));
            let _told = self.ended.1.recv().await;
        }
    }
}

fn amount(entry: &Entry) -> String {
    match entry.total {
        Some(total) => format!("{} of {}", size(entry.come), size(total)),
        None => size(entry.come),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

fn name(output: &Path) -> String {
    output.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What a file from an address is called: the last name of its path, if it has one.
fn file_name(address: &str) -> &str {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    match path.rsplit_once('/') {
        Some((_, name)) if !name.is_empty() && name != "." && name != ".." => name,
        _ => "index.html",
    }
}
