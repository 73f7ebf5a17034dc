//! Timers and tasks. The time is that of one of them.
// criterion's macros make functions without documentation.
#![allow(missing_docs)]

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use interloop::{BackendKind, Handle, Reactor, Timer};
use interloop_benches::{Drive, MEASUREMENT, Meter, SAMPLES, WARM_UP};

const CROWDS: [u64; 2] = [10_000, 100_000];

/// Sets a timer beside so many others, in no order, and in another bench cancels one.
fn set_and_cancel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timer");
    for others in CROWDS {
        let reactor = Reactor::new().expect("a backend opens here");
        let _others: Vec<_> = (0..others).map(|number| set_one(&reactor, number)).collect();
        group.bench_function(BenchmarkId::new("set", others), |bencher| {
            bencher.iter_custom(|timers| {
                let began = Instant::now();
                let timers: Vec<_> = (0..timers).map(|number| set_one(&reactor, number)).collect();
                let took = began.elapsed();
                drop(black_box(timers));
                took
            });
        });
        group.bench_function(BenchmarkId::new("cancel", others), |bencher| {
            bencher.iter_custom(|timers| {
                let timers: Vec<_> = (0..timers).map(|number| set_one(&reactor, number)).collect();
                let began = Instant::now();
                drop(black_box(timers));
                began.elapsed()
            });
        });
    }
}

/// A timer far away, at a time that jumps about with its number.
fn set_one(reactor: &Handle, number: u64) -> Timer {
    let jump = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    reactor.after(Duration::from_secs(3600) + Duration::from_micros(jump), || ())
}

/// Timers that are due at once, each of which sets another when it fires.
fn fire(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("timer/fire");
    for crowd in CROWDS {
        for backend in BackendKind::available() {
            group.bench_function(BenchmarkId::new(backend.name(), crowd), |bencher| {
                bencher.iter_custom(|timers| {
                    Drive::Run.measure(backend, timers, |reactor, meter| {
                        (0..crowd).for_each(|_| fire_for_ever(reactor, meter));
                    })
                });
            });
        }
    }
}

fn fire_for_ever(reactor: &Handle, meter: &Meter) {
    let (handle, meter) = (reactor.handle(), meter.clone());
    let fire = move || {
        meter.count(1);
        fire_for_ever(&handle, &meter);
    };
    reactor.after(Duration::ZERO, fire).detach();
}

/// Spawns tasks that end at once; and lets one task wake itself over and over.
fn tasks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("task");
    let backend = BackendKind::available()[0];
    group.bench_function("spawn", |bencher| {
        bencher.iter_custom(|tasks| {
            Drive::Run.measure(backend, tasks, |reactor, meter| {
                let (handle, meter) = (reactor.handle(), meter.clone());
                reactor.spawn_local(async move {
                    loop {
                        handle.spawn_local(async {}).await;
                        meter.count(1);
                    }
                })
            })
        });
    });
    group.bench_function("wake-itself", |bencher| {
        bencher.iter_custom(|wakes| {
            Drive::Run.measure(backend, wakes, |reactor, meter| {
                reactor.spawn_local(WakesItself(meter.clone()))
            })
        });
    });
}

/// A task that is polled for ever.
struct WakesItself(Meter);

impl Future for WakesItself {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.count(1);
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(WARM_UP).measurement_time(MEASUREMENT).sample_size(SAMPLES);
    targets = set_and_cancel, fire, tasks
}
criterion_main!(benches);
