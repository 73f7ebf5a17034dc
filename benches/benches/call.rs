//! Calls from other threads: a flood of them, and one at a time with its answer. The time is that of
//! one call.
// criterion's macros make functions without documentation.
#![allow(missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use interloop::{BackendKind, Remote};
use interloop_benches::{Drive, MEASUREMENT, Meter, SAMPLES, WARM_UP};

/// Threads post as fast as they can.
fn flood(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call/flood");
    for threads in [1, 4] {
        group.bench_function(BenchmarkId::new("closures-through-mpsc", threads), |bencher| {
            bencher.iter_custom(|calls| flood_channel(threads, calls));
        });
        for (backend, drive) in Drive::everywhere() {
            let id = BenchmarkId::new(format!("{backend}-{drive}"), threads);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|calls| flood_reactor(backend, drive, threads, calls));
            });
        }
    }
}

fn flood_reactor(backend: BackendKind, drive: Drive, threads: u64, calls: u64) -> Duration {
    drive.measure(backend, calls, |reactor, meter| {
        meter.begin();
        on_threads(threads, calls, || {
            let (remote, meter) = (reactor.remote(), meter.clone());
            move || post(&remote, &meter)
        })
    })
}

fn post(remote: &Remote, meter: &Meter) {
    let meter = meter.clone();
    // A call that comes when the wanted number has run is none of the measurement.
    let _late = remote.call(move || meter.count(1));
}

/// What a host's own queue of boxed closures would take, one message for each.
fn flood_channel(threads: u64, calls: u64) -> Duration {
    let (sender, receiver) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    // Written and read by this thread alone, which runs the closures; an atomic, because they come from
    // other threads. Relaxed: it publishes nothing, and the channel orders the closures.
    let count = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let posting = on_threads(threads, calls, || {
        let (sender, count) = (sender.clone(), Arc::clone(&count));
        move || {
            let count = Arc::clone(&count);
            let closure = move || count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            sender.send(Box::new(closure)).expect("the receiver lives");
        }
    });
    drop(sender);
    receiver.iter().for_each(|closure| closure());
    let took = began.elapsed();
    drop(posting);
    took.mul_f64(calls as f64 / count.load(Ordering::Relaxed) as f64)
}

/// Threads that are joined when they are dropped.
struct Threads(Vec<JoinHandle<()>>);

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|thread| thread.join().expect("a poster does not panic"));
    }
}

/// Has `threads` threads do together what they are made for, at least `times` times.
fn on_threads<F: FnMut() + Send + 'static>(
    threads: u64,
    times: u64,
    make: impl Fn() -> F,
) -> Threads {
    let start = |_| {
        let mut work = make();
        thread::spawn(move || (0..times.div_ceil(threads)).for_each(|_| work()))
    };
    Threads((0..threads).map(start).collect())
}

/// One thread calls, and waits for the answer before it calls again.
fn blocking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("call/blocking");
    group.bench_function("there-and-back-through-mpsc", |bencher| {
        bencher.iter_custom(there_and_back);
    });
    for (backend, drive) in Drive::everywhere() {
        group.bench_function(format!("{backend}-{drive}"), |bencher| {
            bencher.iter_custom(|calls| {
                drive.measure(backend, calls, |reactor, meter| {
                    // One more than the meter counts, which starts it.
                    on_threads(1, calls + 1, || {
                        let (remote, meter) = (reactor.remote(), meter.clone());
                        move || call_and_wait(&remote, &meter)
                    })
                })
            });
        });
    }
}

fn call_and_wait(remote: &Remote, meter: &Meter) {
    let meter = meter.clone();
    remote.call_blocking(move || meter.count(1)).expect("the reactor lives until the last call");
}

/// The least that a call with an answer can cost: two messages between two threads.
fn there_and_back(times: u64) -> Duration {
    let (there, calls) = mpsc::channel();
    let (back, answers) = mpsc::channel();
    let host = thread::spawn(move || calls.iter().try_for_each(|()| back.send(())));
    let began = Instant::now();
    for _ in 0..times {
        there.send(()).expect("the host lives");
        answers.recv().expect("the host answers");
    }
    let took = began.elapsed();
    drop(there);
    host.join().expect("the host does not panic").expect("somebody waits for its answers");
    took
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(WARM_UP).measurement_time(MEASUREMENT).sample_size(SAMPLES);
    targets = flood, blocking
}
criterion_main!(benches);
