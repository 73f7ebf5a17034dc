//! How late timers are: a thousand of one millisecond and a bit, one after the other, on each
//! backend that opens here.
//!
//! It measures and asserts nothing (behaviour 32). Never early is what the tests keep; how late depends on the
//! machine, and on what else runs on it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::{BackendKind, Reactor};

const ROUNDS: usize = 1000;

fn main() -> std::io::Result<()> {
    println!("{:<8} {:>10} {:>10} {:>10} {:>10}", "backend", "min", "p50", "p99", "max");
    for backend in BackendKind::available() {
        let reactor = Reactor::builder().backend(backend).build()?;
        let late = Rc::new(RefCell::new(Vec::with_capacity(ROUNDS)));
        let (inner, told) = (reactor.handle(), Rc::clone(&late));
        let rounds = reactor.spawn_local(async move {
            for round in 0..ROUNDS {
                // Off the whole millisecond, which every system call can say.
                let delay = Duration::from_micros(1000 + (round as u64 * 7) % 1000);
                let set = Instant::now();
                inner.sleep(delay).await;
                told.borrow_mut().push(set.elapsed() - delay);
            }
            inner.stop();
        });
        rounds.detach();
        reactor.run()?;
        let mut late = late.take();
        late.sort_unstable();
        let [min, p50, p99, max] = [0, ROUNDS / 2, ROUNDS * 99 / 100, ROUNDS - 1]
            .map(|rank| format!("{:.1} us", late[rank].as_nanos() as f64 / 1000.0));
        println!("{:<8} {min:>10} {p50:>10} {p99:>10} {max:>10}", backend.to_string());
    }
    Ok(())
}
