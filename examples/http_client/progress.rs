//! How far it is, on a terminal.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::{Handle, Timer};

const PERIOD: Duration = Duration::from_millis(100);
const WIDTH: u64 = 30;

/// Counts what comes, and draws it now and then, until it is dropped.
pub struct Progress {
    come: Rc<Cell<u64>>,
    /// None where nobody looks.
    drawing: Option<Drawing>,
}

struct Drawing {
    draw: Rc<dyn Fn()>,
    _timer: Timer,
}

impl Progress {
    /// `before` bytes are there already, of `total`, if that is known.
    pub fn new(handle: &Handle, before: u64, total: Option<u64>) -> Progress {
        let come = Rc::new(Cell::new(before));
        if !io::stderr().is_terminal() {
            return Progress { come, drawing: None };
        }
        let began = Instant::now();
        let count = Rc::clone(&come);
        let draw: Rc<dyn Fn()> = Rc::new(move || {
            let rate = (count.get() - before) as f64 / began.elapsed().as_secs_f64().max(0.001);
            // A terminal that is gone is no reason to stop.
            let _gone = write!(io::stderr(), "\r{}\x1b[K", line(count.get(), total, rate));
        });
        let timed = Rc::clone(&draw);
        let redraw = move || {
            timed();
            ControlFlow::Continue(())
        };
        // The timer and the download run on one thread, so that a `Cell` is all they share.
        let timer = handle.every(PERIOD, redraw).label("progress");
        Progress { come, drawing: Some(Drawing { draw, _timer: timer }) }
    }

    pub fn add(&self, bytes: usize) {
        self.come.set(self.come.get() + bytes as u64);
    }

    /// How many bytes there are, with those from before.
    pub fn come(&self) -> u64 {
        self.come.get()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(drawing) = &self.drawing {
            (drawing.draw)();
            let _gone = writeln!(io::stderr());
        }
    }
}

fn line(come: u64, total: Option<u64>, rate: f64) -> String {
    const MEGA: f64 = 1e6;
    let rate = format!("{:.1} MB, {:.1} MB/s", come as f64 / MEGA, rate / MEGA);
    let Some(total) = total.filter(|&total| total > 0) else { return rate };
    let come = come.min(total);
    let bars = usize::try_from(come * WIDTH / total).unwrap_or_default();
    let left = WIDTH as usize - bars.min(WIDTH as usize);
    format!("[{}{}] {:3}% {rate}", "#".repeat(bars), " ".repeat(left), come * 100 / total)
}
