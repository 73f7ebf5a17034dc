//! The wake: a byte goes to and fro between two sockets of the host thread, so that the reactor is
//! idle before each hop and has to be woken for it. The time is that of one hop.
// criterion's macros make functions without documentation.
#![allow(missing_docs)]

use std::os::unix::net::UnixStream;

use criterion::{Criterion, criterion_group, criterion_main};
use interloop::{Action, Handle, Interest, Source};
use interloop_benches::{Drive, MEASUREMENT, Meter, SAMPLES, WARM_UP, pair, pass_on};

fn echo(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("wake/echo");
    #[cfg(target_os = "linux")]
    for (name, oneshot) in [("raw-epoll-level", false), ("raw-epoll-oneshot", true)] {
        group.bench_function(name, |bencher| {
            let (one, other) = pair();
            let mut epoll = interloop_benches::RawEpoll::new(vec![one, other], oneshot);
            send_first(epoll.stream(0));
            bencher.iter_custom(|units| epoll.measure(units, pass_on));
        });
    }
    for (backend, drive) in Drive::everywhere() {
        group.bench_function(format!("{backend}-{drive}"), |bencher| {
            bencher.iter_custom(|units| {
                drive.measure(backend, units, |reactor, meter| {
                    let (one, other) = pair();
                    send_first(&one);
                    [end(reactor, meter, one), end(reactor, meter, other)]
                })
            });
        });
    }
}

fn send_first(mut stream: &UnixStream) {
    std::io::Write::write_all(&mut stream, &[1]).expect("a fresh socket takes a byte");
}

fn end(reactor: &Handle, meter: &Meter, stream: UnixStream) -> Source<UnixStream> {
    let meter = meter.clone();
    let callback = move |stream: &UnixStream, _| {
        pass_on(stream);
        meter.count(1);
        Action::Rearm
    };
    reactor.register(stream, Interest::READABLE, callback).expect("a socket is taken")
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(WARM_UP).measurement_time(MEASUREMENT).sample_size(SAMPLES);
    targets = echo
}
criterion_main!(benches);
