//! The batches: who rings them, and who counts.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use super::bell::Bell;
use crate::compare::Figure;

/// Batches before the first that counts: buffers grow in them.
const WARM_UP: usize = 3;
/// No fewer count, however slow the system is.
const LEAST: usize = 5;
/// Batches behind those, without a clock, of which the wakes are counted: few, as the widest of them take longer than all
/// others together.
const COUNTED: usize = 3;
/// How much longer the host thread is held in those. A worker that is woken while the bells still ring reports a
/// part of them, and the rest when it comes back; if it comes back to a host that was let go meanwhile, that
/// is a batch for each of them.
const LONGER: Duration = Duration::from_millis(2);

/// What a system is given.
pub(super) struct Scene {
    /// Has the host thread call [`Tally::hold`].
    pub(super) gate: Bell,
    pub(super) bells: Vec<Bell>,
    pub(super) tally: Tally,
}

impl Scene {
    pub(super) fn new(width: usize, time: Duration) -> io::Result<Scene> {
        let gate = Bell::new()?;
        let bells = (0..width).map(|_| Bell::new()).collect::<io::Result<Vec<_>>>()?;
        let (orders, received) = channel();
        let (tell, rung) = channel();
        let all = (gate.clone(), bells.clone());
        thread::spawn(move || ring(&all.0, &all.1, &received, &tell));
        gate.ring();
        let tally = Tally(Rc::new(Inner {
            width,
            time,
            gate: gate.clone(),
            orders,
            rung,
            began: Cell::new(None),
            left: Cell::new(width),
            let_go: Cell::new(Instant::now()),
            took: RefCell::new(Vec::new()),
            ringing: Cell::new(Duration::ZERO),
            worked: Cell::new(Duration::ZERO),
            batches: Cell::new(0),
            timed: Cell::new(false),
            counted: Cell::new(0),
            wakes: Cell::new(None),
        }));
        Ok(Scene { gate, bells, tally })
    }
}

/// What the ringing thread is to ring.
enum Order {
    Gate,
    /// And to tell so much later.
    Bells(Duration),
}

/// Tells, behind the bells, how much processor time this thread has taken so far.
fn ring(gate: &Bell, bells: &[Bell], orders: &Receiver<Order>, tell: &Sender<Duration>) {
    for order in orders {
        match order {
            Order::Gate => gate.ring(),
            Order::Bells(longer) => {
                bells.iter().for_each(Bell::ring);
                if !longer.is_zero() {
                    thread::sleep(longer);
                }
                if tell.send(taken(ClockId::ThreadCPUTime)).is_err() {
                    return;
                }
            }
        }
    }
}

/// The processor time that a thread, or all of them, have taken.
fn taken(clock: ClockId) -> Duration {
    clock_gettime(clock).try_into().expect("a processor's time only grows")
}

/// Counts, on the host thread.
#[derive(Clone)]
pub(super) struct Tally(Rc<Inner>);

struct Inner {
    width: usize,
    /// How long batches are measured.
    time: Duration,
    gate: Bell,
    orders: Sender<Order>,
    rung: Receiver<Duration>,
    /// When the first batch that counts began, and the processor time that all threads but the ringing one had
    /// taken by then.
    began: Cell<Option<(Instant, Duration)>>,
    /// How many of this batch are still to come.
    left: Cell<usize>,
    let_go: Cell<Instant>,
    /// How long the batches took, in nanoseconds.
    took: RefCell<Vec<f64>>,
    /// The processor time of the ringing thread, when it had rung last.
    ringing: Cell<Duration>,
    /// The processor time of all other threads, in all of the batches that count.
    worked: Cell<Duration>,
    batches: Cell<usize>,
    /// True when enough of them were.
    timed: Cell<bool>,
    /// The batches since then.
    counted: Cell<usize>,
    /// The wakes of the host at the first gate since then, and at the last bell; of a host that is woken.
    wakes: Cell<Option<(u64, u64)>>,
}

impl Inner {
    /// The processor time of all threads but the ringing one, which waits.
    fn worked_so_far(&self) -> Duration {
        taken(ClockId::ProcessCPUTime).saturating_sub(self.ringing.get())
    }

    fn order(&self, order: Order) {
        self.orders.send(order).expect("the ringing thread waits for orders");
    }
}

impl Tally {
    /// Holds the host thread until all have rung. Called when the gate is ready, which ends the batch before.
    pub(super) fn hold(&self) {
        let inner = &self.0;
        self.end_time();
        inner.order(Order::Bells(if inner.timed.get() { LONGER } else { Duration::ZERO }));
        inner.ringing.set(inner.rung.recv().expect("the ringing thread rings"));
        let now = Instant::now();
        inner.let_go.set(now);
        if inner.batches.get() == WARM_UP {
            inner.began.set(Some((now, inner.worked_so_far())));
        }
    }

    /// Takes in how long the batch took that lies behind, if it counts: all of it is delivered, and armed again.
    fn end_time(&self) {
        let inner = &self.0;
        let Some((began, worked)) = inner.began.get().filter(|_| !inner.timed.get()) else {
            return;
        };
        let now = Instant::now();
        let mut took = inner.took.borrow_mut();
        took.push((now - inner.let_go.get()).as_nanos() as f64);
        inner.timed.set(took.len() >= LEAST && now - began >= inner.time);
        if inner.timed.get() {
            inner.worked.set(inner.worked_so_far().saturating_sub(worked));
        }
    }

    /// Counts one that was delivered. True when it was the last of the last batch.
    pub(super) fn count(&self) -> bool {
        let inner = &self.0;
        let left = inner.left.get() - 1;
        inner.left.set(left);
        left == 0 && self.end_batch()
    }

    fn end_batch(&self) -> bool {
        let inner = &self.0;
        inner.left.set(inner.width);
        inner.batches.set(inner.batches.get() + 1);
        if !inner.timed.get() {
            // It comes after all that the loop still has to do for this batch, and is in nobody's way.
            inner.gate.ring();
            return false;
        }
        inner.counted.set(inner.counted.get() + 1);
        let is_over = inner.counted.get() == COUNTED || inner.wakes.get().is_none();
        if !is_over {
            inner.order(Order::Gate);
        }
        is_over
    }

    /// Notes how often the host was woken up to here, at each gate and behind the last bell.
    pub(super) fn note_wakes(&self, wakes: u64) {
        let first = self.0.wakes.get().filter(|_| self.0.counted.get() > 0);
        self.0.wakes.set(Some((first.map_or(wakes, |(first, _)| first), wakes)));
    }

    pub(super) fn figures(&self) -> Vec<Figure> {
        let inner = &self.0;
        let mut took = inner.took.borrow_mut();
        took.sort_by(f64::total_cmp);
        let width = inner.width as f64;
        let median = took[took.len() / 2] / width;
        let worked = inner.worked.get().as_nanos() as f64 / (took.len() as f64 * width);
        let mut figures = vec![
            Figure::new("per_callback", "ns", median),
            Figure::new("cpu_per_callback", "ns", worked),
        ];
        if let Some((first, last)) = inner.wakes.get() {
            let batches = inner.counted.get() as f64;
            // Each gate but the first, which was noted after its wake, had one of its own.
            let wakes = ((last - first) as f64 - (batches - 1.0)) / batches;
            figures.push(Figure::new("wakes_per_batch", "wakes", wakes));
        }
        figures
    }
}
