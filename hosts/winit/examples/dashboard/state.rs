//! What is shown: the traffic, and the samples of the last minute.

use std::cell::{Cell, Ref, RefCell};
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use eframe::egui::Context;
use interloop::{Handle, Stats, Timer};
use interloop_demos::traffic::{Load, Meter, Sample, Traffic};

/// How often a sample is taken.
const PERIOD: Duration = Duration::from_millis(500);
/// How many are kept: a minute of them.
const SAMPLES: usize = 121;

#[derive(Clone)]
pub struct State(Rc<Inner>);

struct Inner {
    reactor: Handle,
    traffic: Traffic,
    samples: RefCell<VecDeque<Sample>>,
    shown: Cell<bool>,
}

impl State {
    pub fn start(reactor: &Handle, load: Load) -> io::Result<State> {
        let traffic = Traffic::start(reactor)?;
        traffic.set(load);
        Ok(State(Rc::new(Inner {
            reactor: reactor.handle(),
            traffic,
            samples: RefCell::default(),
            shown: Cell::new(false),
        })))
    }

    /// Takes samples, and has the window drawn with each, until the timer is dropped.
    pub fn watch(&self, window: &Context) -> Timer {
        self.0.shown.set(true);
        let mut meter = Meter::new(Instant::now(), &self.stats());
        let (state, window) = (self.clone(), window.clone());
        self.0.reactor.every(PERIOD, move || {
            let sample = meter.sample(Instant::now(), &state.stats(), &state.0.traffic);
            let mut samples = state.0.samples.borrow_mut();
            if sample.messages > 0.0 && samples.iter().all(|before| before.messages == 0.0) {
                println!("messages come back");
            }
            if samples.len() == SAMPLES {
                samples.pop_front();
            }
            samples.push_back(sample);
            window.request_repaint();
            ControlFlow::Continue(())
        })
    }

    pub fn samples(&self) -> Ref<'_, VecDeque<Sample>> {
        self.0.samples.borrow()
    }

    pub fn stats(&self) -> Stats {
        self.0.reactor.stats()
    }

    pub fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }

    /// Ends the program, by way of the reactor.
    pub fn stop(&self) {
        self.0.reactor.stop();
    }

    pub fn was_shown(&self) -> bool {
        self.0.shown.get()
    }

    pub fn tell_the_end(&self) {
        let counts = self.0.traffic.counts();
        let (sent, received) = (counts.sent - counts.cut, counts.received);
        println!(
            "{sent} messages were sent, {received} came back, {} connections failed",
            counts.errors
        );
    }
}
