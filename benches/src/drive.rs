//! The hosts that the benches run in.

use std::fmt;
use std::sync::mpsc;
use std::time::Duration;

use interloop::{BackendKind, Handle, Reactor};

use crate::Meter;

/// Who runs the turns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Drive {
    /// A foreign host, which is a queue that its thread blocks on, woken by the worker.
    Interleaved,
    /// The reactor's own loop.
    Run,
}

impl fmt::Display for Drive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Drive::Interleaved => "interleaved",
            Drive::Run => "run",
        })
    }
}

impl Drive {
    /// Every backend that opens here, with either drive.
    pub fn everywhere() -> impl Iterator<Item = (BackendKind, Drive)> {
        let backends = BackendKind::available().into_iter();
        backends.flat_map(|backend| [(backend, Drive::Interleaved), (backend, Drive::Run)])
    }

    /// Makes a reactor, lets `prepare` put work into it, and drives it until `units` of that are
    /// done. Returns how long they took.
    pub fn measure<T>(
        self,
        backend: BackendKind,
        units: u64,
        prepare: impl FnOnce(&Handle, &Meter) -> T,
    ) -> Duration {
        let reactor = Reactor::builder().backend(backend).build().expect("the backend opens here");
        let meter = Meter::new(reactor.remote(), units);
        let (queue, ticks) = mpsc::channel();
        if self == Drive::Interleaved {
            let waker = move |tick| drop(queue.send(tick));
            reactor.interleave(waker).expect("nothing else drives the reactor");
        }
        let _kept = prepare(&reactor, &meter);
        if self == Drive::Run {
            reactor.run().expect("the backend works");
        }
        while !reactor.is_stopped() {
            ticks.recv().expect("the reactor keeps the sender").run();
        }
        meter.took()
    }
}
