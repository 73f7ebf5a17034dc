//! The batches: who rings them, and who counts.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

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
        let tally = Tally(Rc::new(Inner {
            width,
            time,
            orders,
            rung,
            began: Cell::new(None),
            left: Cell::new(width),
            let_go: Cell::new(Instant::now()),
            took: RefCell::new(Vec::new()),
            batches: Cell::new(0),
            timed: Cell::new(false),
            counted: Cell::new(0),
            wakes: Cell::new(None),
        }));
        tally.0.order(Order::Gate);
        Ok(Scene { gate, bells, tally })
    }
}

/// What the ringing thread is to ring.
enum Order {
    Gate,
    /// And to tell so much later.
    Bells(Duration),
}

fn ring(gate: &Bell, bells: &[Bell], orders: &Receiver<Order>, tell: &Sender<()>) {
    for order in orders {
        match order {
            Order::Gate => gate.ring(),
            Order::Bells(longer) => {
                bells.iter().for_each(Bell::ring);
                if !longer.is_zero() {
                    thread::sleep(longer);
                }
                if tell.send(()).is_err() {
                    return;
                }
            }
        }
    }
}

/// Counts, on the host thread.
#[derive(Clone)]
pub(super) struct Tally(Rc<Inner>);

struct Inner {
    width: usize,
    /// How long batches are measured.
    time: Duration,
    orders: Sender<Order>,
    rung: Receiver<()>,
    /// When the first batch that counts began.
    began: Cell<Option<Instant>>,
    /// How many of this batch are still to come.
    left: Cell<usize>,
    let_go: Cell<Instant>,
    /// How long the batches took, in nanoseconds.
    took: RefCell<Vec<f64>>,
    batches: Cell<usize>,
    /// True when enough of them were.
    timed: Cell<bool>,
    /// The batches since then.
    counted: Cell<usize>,
    /// The wakes of the host at the first gate since then, and at the last bell; of a host that is woken.
    wakes: Cell<Option<(u64, u64)>>,
}

impl Inner {
    fn order(&self, order: Order) {
        self.orders.send(order).expect("the ringing thread waits for orders");
    }
}

impl Tally {
    /// Holds the host thread until all have rung. Called when the gate is ready.
    pub(super) fn hold(&self) {
        let inner = &self.0;
        inner.order(Order::Bells(if inner.timed.get() { LONGER } else { Duration::ZERO }));
        inner.rung.recv().expect("the ringing thread rings");
        let now = Instant::now();
        inner.let_go.set(now);
        if inner.batches.get() == WARM_UP {
            inner.began.set(Some(now));
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
        let now = Instant::now();
        inner.left.set(inner.width);
        let is_over = if inner.timed.get() {
            inner.counted.set(inner.counted.get() + 1);
            inner.counted.get() == COUNTED
        } else {
            inner.timed.set(self.has_timed(now));
            inner.timed.get() && inner.wakes.get().is_none()
        };
        if !is_over {
            inner.order(Order::Gate);
        }
        is_over
    }

    /// Takes a batch in that has ended `now`. True when there are enough.
    fn has_timed(&self, now: Instant) -> bool {
        let inner = &self.0;
        inner.batches.set(inner.batches.get() + 1);
        let Some(began) = inner.began.get() else { return false };
        let mut took = inner.took.borrow_mut();
        took.push((now - inner.let_go.get()).as_nanos() as f64);
        took.len() >= LEAST && now - began >= inner.time
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
        let median = took[took.len() / 2] / inner.width as f64;
        let mut figures = vec![Figure::new("per_callback", "ns", median)];
        if let Some((first, last)) = inner.wakes.get() {
            let batches = inner.counted.get() as f64;
            // Each gate but the first, which was noted after its wake, had one of its own.
            let wakes = ((last - first) as f64 - (batches - 1.0)) / batches;
            figures.push(Figure::new("wakes_per_batch", "wakes", wakes));
        }
        figures
    }
}
