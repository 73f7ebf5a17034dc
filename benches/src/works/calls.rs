//! Calls: closures that other threads send to the host's.
//!
//! What a call carries is the same everywhere, a closure of two words that counts. The systems that have messages and not
//! calls send it in a box; a channel of plain messages, which allocates nothing, stands beside them.

mod calloop;
#[cfg_attr(not(feature = "glib"), path = "calls/glib/absent.rs")]
mod glib;
mod ours;
mod scene;
mod tally;
mod tokio;

use std::io;

use crate::compare::{Effort, Figure, Sample, Work};
use crate::systems::unknown;
use scene::Scene;

pub(crate) const WORK: Work = Work {
    name: "calls",
    about: "closures from other threads: as fast as they can, and one at a time",
    reference: "interloop/epoll/worker/condvar",
    cases,
    systems: |_| SYSTEMS.map(str::to_owned).to_vec(),
    at_once: false,
    sample,
};

const SYSTEMS: [&str; 10] = [
    "interloop/epoll/worker/condvar",
    "interloop/epoll/worker/glib",
    "interloop/epoll/embed/glib",
    "interloop/epoll/run/own",
    "invoke/glib",
    "idle-add/glib",
    "async-channel/glib",
    "tokio",
    "tokio/messages",
    "calloop",
];

const FLOODS: [(&str, usize); 3] = [("1-thread", 1), ("2-threads", 2), ("4-threads", 4)];
const ONE_AT_A_TIME: &str = "one-at-a-time";

fn cases(effort: Effort) -> Vec<String> {
    let floods = FLOODS.iter().filter(|(_, threads)| effort == Effort::Full || *threads == 4);
    floods.map(|(name, _)| *name).chain([ONE_AT_A_TIME]).map(str::to_owned).collect()
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let scene = parse(sample)?;
    match sample.system.as_str() {
        "invoke/glib" => glib::invoke(scene),
        "idle-add/glib" => glib::idle_add(scene),
        "async-channel/glib" => glib::channel(scene),
        "tokio" => tokio::host(scene),
        "tokio/messages" => tokio::messages(scene),
        "calloop" => calloop::host(scene),
        ours => ours::host(ours, scene),
    }
}

fn parse(sample: &Sample) -> io::Result<Scene> {
    let quick = sample.effort == Effort::Quick;
    if sample.case == ONE_AT_A_TIME {
        return Ok(Scene::OneAtATime { time: sample.effort.sample_time() });
    }
    let flood = FLOODS.into_iter().find(|(name, _)| *name == sample.case);
    let (_, threads) = flood.ok_or_else(|| unknown(&sample.case))?;
    Ok(Scene::Flood { threads, calls: if quick { 40_000 } else { 400_000 } })
}
