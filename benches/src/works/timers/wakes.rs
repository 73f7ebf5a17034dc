//! The wakes of a loop with many timers, none of which comes due: some hundred are set for the time of the
//! measurement and cancelled, as timeouts are of what went well, and ten thousand are set for later.
//!
//! What is counted is how often a thread of the process went to sleep, by the kernel's own count of
//! voluntary context switches. Nobody can do with fewer than one: the end of the measurement is a timer.

use std::cell::Cell;
use std::fs;
use std::io;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Waker;
use std::time::Duration;

use ::interloop::Tick;

use super::goal::polled;
use super::plan::Random;
use super::{calloop, glib, interloop, qt, tokio};
use crate::compare::{Effort, Figure, Sample};
use crate::systems::unknown;

const LATER: usize = 10_000;
const CANCELLED: usize = 500;

/// How long the loop is watched.
fn window(effort: Effort) -> Duration {
    Duration::from_millis(if effort == Effort::Quick { 50 } else { 500 })
}

/// The delays of the timers for later, and of those that are cancelled.
fn delays(window: Duration) -> (Vec<Duration>, Vec<Duration>) {
    let mut random = Random::new(0);
    let from = window + Duration::from_secs(1);
    let later =
        (0..LATER).map(|_| random.between(from, from + Duration::from_secs(3600))).collect();
    let cancelled = (0..CANCELLED).map(|_| random.between(window / 10, window)).collect();
    (later, cancelled)
}

pub(super) fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let window = window(sample.effort);
    let slept = match sample.system.as_str() {
        "interloop/epoll/run/own" => run(window)?,
        "interloop/epoll/worker/condvar" => worker(window)?,
        "tokio" => tokio_runtime(window)?,
        "calloop" => calloop_loop(window)?,
        "async-io" => async_io(window)?,
        "glib" => glib::wakes(window)?,
        "qt" => qt::wakes(window)?,
        _ => return Err(unknown(&sample.system)),
    };
    Ok(vec![Figure::new("wakes", "wakes", slept as f64)])
}

/// Sets all timers, cancels those that are to be, and counts the sleeps of a loop that `wait` drives
/// for the window. The timers for later live as long.
pub(super) fn count<T>(
    window: Duration,
    set: impl FnMut(Duration) -> T,
    wait: impl FnOnce() -> io::Result<()>,
) -> io::Result<u64> {
    let (later, cancelled) = delays(window);
    let mut set = set;
    let _later: Vec<T> = later.into_iter().map(&mut set).collect();
    drop(cancelled.into_iter().map(&mut set).collect::<Vec<T>>());
    let before = sleeps()?;
    wait()?;
    Ok(sleeps()?.saturating_sub(before))
}

/// How often the threads of this process have gone to sleep.
fn sleeps() -> io::Result<u64> {
    let mut sleeps = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let status = fs::read_to_string(thread?.path().join("status"))?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sleeps += count.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sleeps)
}

fn run(window: Duration) -> io::Result<u64> {
    let reactor = interloop::reactor()?;
    let set = |delay| reactor.after(delay, || ());
    count(window, set, || reactor.block_on(reactor.sleep(window)))
}

fn worker(window: Duration) -> io::Result<u64> {
    let reactor = interloop::reactor()?;
    let (queue, ticks) = mpsc::channel();
    reactor.interleave(move |tick: Tick| drop(queue.send(tick)))?;
    let set = |delay| reactor.after(delay, || ());
    let slept = count(window, set, || {
        let over = Rc::new(Cell::new(false));
        let end = Rc::clone(&over);
        reactor.after(window, move || end.set(true)).detach();
        while !over.get() {
            ticks.recv().expect("the reactor keeps the sender").run();
        }
        Ok(())
    });
    drop(reactor);
    slept
}

fn tokio_runtime(window: Duration) -> io::Result<u64> {
    let runtime = tokio::runtime()?;
    let _entered = runtime.enter();
    let set = |delay| polled(::tokio::time::sleep(delay), Waker::noop());
    count(window, set, || {
        runtime.block_on(::tokio::time::sleep(window));
        Ok(())
    })
}

fn async_io(window: Duration) -> io::Result<u64> {
    let set = |delay| polled(::async_io::Timer::after(delay), Waker::noop());
    count(window, set, || {
        ::async_io::block_on(::async_io::Timer::after(window));
        Ok(())
    })
}

fn calloop_loop(window: Duration) -> io::Result<u64> {
    let mut event_loop = ::calloop::EventLoop::try_new()?;
    let handle = event_loop.handle();
    let set = |delay| calloop::Cancel::new(&handle, delay);
    count(window, set, || {
        let mut fired = 0;
        calloop::Cancel::new(&handle, window).detach();
        while fired == 0 {
            event_loop.dispatch(None, &mut fired)?;
        }
        Ok(())
    })
}
