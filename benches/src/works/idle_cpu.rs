//! What 1,000 registered sources cost while nothing happens.

mod threads;

use std::io::{self, Read, Write};
use std::thread;
use std::time::Duration;

use crate::compare::{Effort, Figure, Sample, Work};
use crate::works::echo::scene::{Kind, Scene, Stream};
use crate::works::echo::servers;
use crate::works::idle;
use threads::Usage;

/// An echo server that nobody talks to.
pub(crate) const WORK: Work = Work {
    name: "idle-cpu",
    about: "wakes and CPU time while 1,000 registered sources are silent",
    reference: "raw-epoll",
    cases: |_| vec![CASE.to_owned()],
    systems: |_, _| servers::names(),
    at_once: true,
    sample,
};

const CASE: &str = "1000-sources";
const SOURCES: usize = 1000;

/// How long a system has to fall asleep: interloop's worker looks after its host twice, 250 ms apart, when
/// it has woken it. What is measured is what a system does for ever after.
const SETTLE: Duration = Duration::from_millis(750);

/// Of a quick run, it is no more than a look.
fn idle_time(effort: Effort) -> Duration {
    match effort {
        Effort::Quick => Duration::from_millis(200),
        Effort::Full => Duration::from_secs(10),
    }
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let time = idle_time(sample.effort);
    let (stream, theirs) = Stream::pair(Kind::Pair)?;
    let silent = (1..SOURCES).map(|_| idle::silent()).collect::<io::Result<_>>()?;
    let watch = thread::spawn(move || {
        // The system is there, and all is registered, when a byte has come back.
        let mut byte = [1];
        theirs.io().write_all(&byte)?;
        theirs.io().read_exact(&mut byte)?;
        thread::sleep(SETTLE);
        let before = Usage::of_others()?;
        thread::sleep(time);
        let used = Usage::of_others()?.since(&before);
        // The server ends when its stream does.
        drop(theirs);
        io::Result::Ok(used)
    });
    servers::serve(&sample.system, Scene { stream, silent })?;
    let used = watch.join().expect("the watch does not panic")?;
    Ok(vec![
        Figure::new("wakes", "wakes", used.wakes as f64),
        Figure::new("cpu", "ns", used.cpu.as_nanos() as f64),
    ])
}
