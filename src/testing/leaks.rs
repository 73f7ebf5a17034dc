//! What an end leaves behind: threads and descriptors, where the system lists them in /proc.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use super::case::{Word, or_skip};
use super::child::{self, Outcome};
use super::host::Host;
use super::trial::FRAME;

/// The run of a host without a reactor, to compare with.
pub(super) const CONTROL: &str = "control";
/// How many frames it lasts.
const FRAMES: u32 = 30;

/// How many there are of each kind: sockets, event descriptors, threads of ours, and so on.
type Counts = BTreeMap<String, usize>;

/// What there was before, and what the toolkit adds by itself while it runs.
pub(super) struct Leaks {
    allowed: Counts,
}

impl Leaks {
    /// Looks at what is there, and how it grows when this host runs in another process without a
    /// reactor: toolkits open connections, pipes and event descriptors when they come to need them.
    pub(super) fn begin<H: Host>() -> Leaks {
        let control = format!("{}::{CONTROL}", H::NAME);
        let report = child::run(&control, &[], false).expect("the program can be started again");
        if let Outcome::Failed(why) = report.outcome {
            panic!("the host alone, without a reactor: {}{why}", report.output);
        }
        let mut allowed = count();
        for note in &report.notes {
            if let Some((growth, kind)) = note.split_once(' ') {
                let growth: usize = growth.parse().expect("the control run counts");
                *allowed.entry(kind.to_owned()).or_default() += growth;
            }
        }
        for &(kind, count) in H::LEAVES {
            *allowed.entry(kind.to_owned()).or_default() += count;
        }
        Leaks { allowed }
    }

    /// Checks that nothing else is there. A thread that has ended may be listed for a moment.
    pub(super) fn end(self) {
        let limit = Instant::now() + child::limit() / 4;
        loop {
            let left = growth(&self.allowed, &count());
            if left.is_empty() {
                return;
            }
            assert!(Instant::now() < limit, "left behind: {left:?}, beside {:?}", self.allowed);
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Runs a host for a while without a reactor, and tells what that adds.
pub(super) fn control<H: Host>() {
    let host = or_skip(Word::Absent, "the host does not open", H::open());
    let before = count();
    let (frames, quit) = (Cell::new(0), Rc::downgrade(&host));
    let frame = move || {
        frames.set(frames.get() + 1);
        if let Some(host) = quit.upgrade().filter(|_| frames.get() == FRAMES) {
            host.quit();
        }
    };
    host.every(FRAME, Box::new(frame));
    host.run();
    host.destroy();
    for (kind, growth) in growth(&before, &count()) {
        Word::Note(format!("{growth} {kind}")).say();
    }
}

/// What there is more of.
fn growth(before: &Counts, after: &Counts) -> Counts {
    let more = |(kind, &count): (&String, &usize)| {
        let growth = count.saturating_sub(before.get(kind).copied().unwrap_or(0));
        (growth > 0).then(|| (kind.clone(), growth))
    };
    after.iter().filter_map(more).collect()
}

/// Counts what a reactor and an adapter could leave behind. Open files, devices and the threads that
/// the toolkit has named are not theirs.
fn count() -> Counts {
    let mut counts = Counts::new();
    let entries = |folder: &str| fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries("/proc/self/fd") {
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let target = target.to_string_lossy();
        // `socket:[123]`, `pipe:[123]`, `anon_inode:[eventpoll]`.
        if let Some((kind @ ("socket" | "pipe"), _)) = target.split_once(':') {
            *counts.entry(kind.to_owned()).or_default() += 1;
        } else if target.starts_with("anon_inode:") {
            *counts.entry(target.into_owned()).or_default() += 1;
        }
    }
    let own = fs::read_to_string("/proc/self/comm").unwrap_or_default();
    for entry in entries("/proc/self/task") {
        let Ok(name) = fs::read_to_string(entry.path().join("comm")) else { continue };
        // A thread without a name of its own goes by that of the process.
        if name.starts_with("interloop") || name == own {
            *counts.entry(format!("thread {}", name.trim_end())).or_default() += 1;
        }
    }
    counts
}
