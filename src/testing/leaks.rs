//! What an end leaves behind: threads and descriptors, where the system lists them in /proc.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
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

/// What there is of each kind, each by what tells it from the others. One that has gone does not make
/// room for another.
type Things = BTreeMap<String, BTreeSet<String>>;

/// What there was before, and what the toolkit adds by itself while it runs.
pub(super) struct Leaks {
    before: Things,
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
        let mut allowed = Counts::new();
        for note in &report.notes {
            if let Some((growth, kind)) = note.split_once(' ') {
                let growth: usize = growth.parse().expect("the control run counts");
                *allowed.entry(kind.to_owned()).or_default() += growth;
            }
        }
        for &(kind, count) in H::LEAVES {
            *allowed.entry(kind.to_owned()).or_default() += count;
        }
        Leaks { before: look(), allowed }
    }

    /// Checks that nothing else is there. A thread that has ended may be listed for a moment.
    pub(super) fn end(self) {
        let limit = Instant::now() + child::limit() / 4;
        loop {
            let mut left = growth(&self.before, &look());
            left.retain(|kind, count| *count > self.allowed.get(kind).copied().unwrap_or(0));
            if left.is_empty() {
                return;
            }
            let allowed = &self.allowed;
            assert!(Instant::now() < limit, "left behind: {left:?}, allowed are {allowed:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Runs a host for a while without a reactor, and tells what that adds.
pub(super) fn control<H: Host>() {
    let host = or_skip(Word::Absent, "the host does not open", H::open());
    let before = look();
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
    for (kind, growth) in growth(&before, &look()) {
        Word::Note(format!("{growth} {kind}")).say();
    }
}

/// How many there are that were not there before.
fn growth(before: &Things, after: &Things) -> Counts {
    let none = BTreeSet::new();
    let new = |(kind, things): (&String, &BTreeSet<String>)| {
        let count = things.difference(before.get(kind).unwrap_or(&none)).count();
        (count > 0).then(|| (kind.clone(), count))
    };
    after.iter().filter_map(new).collect()
}

/// Looks for what a reactor and an adapter could leave behind. Open files, devices and the threads that
/// the toolkit has named are not theirs.
fn look() -> Things {
    let mut things = Things::new();
    let entries = |folder: &str| fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries("/proc/self/fd") {
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let target = target.to_string_lossy();
        // `socket:[123]`, `pipe:[123]`, and `anon_inode:[eventpoll]`, which all have the same inode.
        if let Some((kind @ ("socket" | "pipe"), inode)) = target.split_once(':') {
            // A descriptor that was duplicated is one more.
            let which = format!("{inode} {:?}", entry.file_name());
            things.entry(kind.to_owned()).or_default().insert(which);
        } else if target.starts_with("anon_inode:") {
            let those = things.entry(target.into_owned()).or_default();
            those.insert(those.len().to_string());
        }
    }
    let own = fs::read_to_string("/proc/self/comm").unwrap_or_default();
    for entry in entries("/proc/self/task") {
        let Ok(name) = fs::read_to_string(entry.path().join("comm")) else { continue };
        // A thread without a name of its own goes by that of the process.
        if name.starts_with("interloop") || name == own {
            let those = things.entry(format!("thread {}", name.trim_end())).or_default();
            those.insert(format!("{:?}", entry.file_name()));
        }
    }
    things
}
