//! The turn: what an event costs from the backend through a callback that does nothing to the next
//! arming, and what a registration costs.
// criterion's macros make functions without documentation.
#![allow(missing_docs)]

use std::hint::black_box;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use interloop::{Action, BackendKind, Handle, Interest, Source, Timer};
use interloop_benches::{Drive, MEASUREMENT, Meter, SAMPLES, WARM_UP, readable};

/// Sources that are always ready, each armed again at once. The time is that of a whole turn, with
/// one event of each; the throughput is that of single events.
fn rearm(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("turn/rearm");
    for ready in [1, 100, 900] {
        group.throughput(Throughput::Elements(ready));
        #[cfg(target_os = "linux")]
        group.bench_function(BenchmarkId::new("raw-epoll", ready), |bencher| {
            let streams = (0..ready).map(|_| readable()).collect();
            let mut epoll = interloop_benches::RawEpoll::new(streams, true);
            bencher.iter_custom(|turns| {
                epoll.measure(turns * ready, |stream| {
                    black_box(stream);
                })
            });
        });
        for (backend, drive) in Drive::everywhere() {
            let id = BenchmarkId::new(format!("{backend}-{drive}"), ready);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|turns| {
                    drive.measure(backend, turns * ready, |reactor, meter| {
                        // From the first event of the second turn on, so that as many turns end
                        // as are counted.
                        meter.skip(ready);
                        (0..ready).map(|_| always_ready(reactor, meter)).collect::<Vec<_>>()
                    })
                });
            });
        }
    }
}

fn always_ready(reactor: &Handle, meter: &Meter) -> Source<UnixStream> {
    let meter = meter.clone();
    let callback = move |_: &UnixStream, _| {
        meter.count(1);
        Action::Rearm
    };
    reactor.register(readable(), Interest::READABLE, callback).expect("a socket is taken")
}

/// Objects that are registered and removed again in the same turn. The time is that of one.
fn register(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("turn/register");
    for backend in BackendKind::available() {
        group.bench_function(backend.name(), |bencher| {
            let streams: Vec<_> = (0..100).map(|_| Rc::new(readable())).collect();
            bencher.iter_custom(|units| {
                Drive::Run.measure(backend, units, |reactor, meter| {
                    in_every_turn(reactor, meter, &streams)
                })
            });
        });
    }
}

fn in_every_turn(reactor: &Handle, meter: &Meter, streams: &[Rc<UnixStream>]) -> Timer {
    let (handle, meter, streams) = (reactor.handle(), meter.clone(), streams.to_vec());
    let register_all = move || {
        let register = |stream: &Rc<UnixStream>| {
            handle.register(Rc::clone(stream), Interest::READABLE, |_, _| Action::Rearm)
        };
        let sources: Result<Vec<_>, _> = streams.iter().map(register).collect();
        drop(sources.expect("a socket is taken"));
        meter.count(streams.len() as u64);
        ControlFlow::Continue(())
    };
    reactor.every(Duration::ZERO, register_all)
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(WARM_UP).measurement_time(MEASUREMENT).sample_size(SAMPLES);
    targets = rearm, register
}
criterion_main!(benches);
