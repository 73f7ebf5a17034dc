//! Claim 3: the start in every order.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::host::Host;
use super::traffic::Traffic;
use super::trial::{NEVER, Trial, reactor};
use crate::{Phase, Remote};

const CALLS: u64 = 1_000;
/// How many wakes all of these calls may cost, beside those of a budget that was spent, and of callbacks
/// that a busy machine made last.
const WAKES: u64 = 20;
/// How many messages show that a reactor works.
const MESSAGES: u64 = 100;

pub(super) fn cases<H: Host>() -> Vec<(&'static str, fn())> {
    vec![
        ("start::calls_before_the_loop", calls_before_the_loop::<H>),
        ("start::attach_in_the_first_callback", attach_in_the_first_callback::<H>),
        ("start::attach_twice", attach_twice::<H>),
        ("start::stop_before_the_loop", stop_before_the_loop::<H>),
        ("start::never_run", never_run::<H>),
    ]
}

/// Posts numbered calls, which expect to run in this order, and once.
fn post(remote: &Remote, ran: &Arc<AtomicU64>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let ran = Arc::clone(ran);
        let call = move || {
            let expected = ran.fetch_add(1, Ordering::Relaxed);
            assert_eq!(number, expected, "a call was lost, repeated or overtaken");
        };
        remote.call(call).expect("the reactor lives");
    }
}

/// The reactor is there before the toolkit, and calls come at every step.
fn calls_before_the_loop<H: Host>() {
    let ran = Arc::new(AtomicU64::new(0));
    let reactor = reactor(NEVER);
    post(&reactor.remote(), &ran, 0..CALLS / 4);
    let trial = Trial::<H>::open_with(|| reactor);
    post(&trial.reactor.remote(), &ran, CALLS / 4..CALLS / 2);
    trial.attach();
    post(&trial.reactor.remote(), &ran, CALLS / 2..CALLS * 3 / 4);
    let (remote, more) = (trial.reactor.remote(), Arc::clone(&ran));
    let poster = thread::spawn(move || post(&remote, &more, CALLS * 3 / 4..CALLS));
    poster.join().expect("it posts");
    assert_eq!(ran.load(Ordering::Relaxed), 0, "calls ran before the loop did");
    trial.wait_for("the run of the calls that were posted before the loop ran");
    // Nothing but the adapter's own wake brings the loop to them: no timer runs beside.
    let (last, quit) = (Arc::clone(&ran), Rc::downgrade(&trial));
    let done = async move {
        while last.load(Ordering::Relaxed) < CALLS {
            yield_now().await;
        }
        if let Some(trial) = quit.upgrade() {
            trial.no_tick_was_lost();
            trial.quit();
        }
    };
    trial.reactor.spawn_local(done).detach();
    trial.run();
    let stats = trial.reactor.stats();
    let spare = stats.wakes_leftover + stats.wakes_nested;
    assert!(stats.wakes_issued <= WAKES + spare, "{CALLS} calls: {stats:#?}");
    trial.end();
    assert_eq!(ran.load(Ordering::Relaxed), CALLS);
}

async fn yield_now() {
    let mut first = true;
    std::future::poll_fn(move |context| {
        if !std::mem::take(&mut first) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// Quits when some messages have gone round.
fn work<H: Host>(trial: &Rc<Trial<H>>) {
    trial.wait_for("an echo");
    let traffic = Traffic::start(&trial.reactor, 2);
    trial.quit_when(move |_| {
        if traffic.received() >= MESSAGES {
            traffic.stop();
        }
        traffic.is_drained()
    });
}

/// The toolkit runs, and the reactor comes in its first callback.
fn attach_in_the_first_callback<H: Host>() {
    let trial = Trial::<H>::open();
    let ran = Arc::new(AtomicU64::new(0));
    post(&trial.reactor.remote(), &ran, 0..CALLS);
    trial.wait_for("the first callback of the toolkit");
    let first = Rc::downgrade(&trial);
    trial.host.post(Box::new(move || {
        let trial = first.upgrade().expect("the trial goes on");
        trial.attach();
        work(&trial);
    }));
    trial.run();
    trial.end();
    assert_eq!(ran.load(Ordering::Relaxed), CALLS);
}

/// The second is refused, and the first goes on.
fn attach_twice<H: Host>() {
    let trial = Trial::<H>::open();
    trial.attach();
    let second = trial.host.attach(&trial.reactor).map(drop);
    let kind = second.expect_err("a reactor was attached twice").kind();
    assert_eq!(kind, io::ErrorKind::AlreadyExists);
    work(&trial);
    trial.run();
    trial.end();
}

/// The reactor is told to stop before the loop runs: it does so in the loop.
fn stop_before_the_loop<H: Host>() {
    let trial = Trial::<H>::open();
    let ran = Arc::new(AtomicU64::new(0));
    post(&trial.reactor.remote(), &ran, 0..CALLS);
    trial.attach();
    let phases = Rc::new(Cell::new(0));
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let phases = Rc::clone(&phases);
        let pass = async move { phases.set(phases.get() + 1) };
        trial.reactor.on_shutdown(phase, pass).expect("it has not stopped").detach();
    }
    trial.reactor.stop();
    trial.will_end();
    trial.wait_for("the end of the loop, when the reactor has stopped");
    trial.run();
    assert!(trial.reactor.is_stopped(), "the loop ended before the reactor had stopped");
    trial.end();
    assert_eq!((phases.get(), ran.load(Ordering::Relaxed)), (3, CALLS));
}

/// Something else failed, and the loop is never run: all of it happens at the end.
fn never_run<H: Host>() {
    let trial = Trial::<H>::open();
    let ran = Arc::new(AtomicU64::new(0));
    trial.attach();
    post(&trial.reactor.remote(), &ran, 0..CALLS);
    trial.detach();
    trial.host.destroy();
    assert_eq!(ran.load(Ordering::Relaxed), CALLS);
}
