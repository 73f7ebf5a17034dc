//! Calls: closures that other threads send to the host's.
//!
//! What a call carries is the same everywhere, a closure of two words that counts. The systems that have messages and not
//! calls send it in a box; a channel of plain messages, which allocates nothing, stands beside them.

mod calloop;
#[cfg_attr(not(feature = "glib"), path = "calls/glib/absent.rs")]
mod glib;
mod ours;
#[cfg_attr(not(feature = "qt"), path = "calls/qt/absent.rs")]
mod qt;
mod scene;
#[cfg_attr(not(feature = "sdl"), path = "calls/sdl/absent.rs")]
mod sdl;
mod smol;
mod tally;
mod tokio;
#[cfg_attr(not(feature = "winit"), path = "calls/winit/absent.rs")]
mod winit;

use std::io;

use crate::compare::{Effort, Figure, Sample, Work};
use crate::systems::unknown;
use scene::Scene;

pub(crate) const WORK: Work = Work {
    name: "calls",
    about: "closures from other threads: as fast as they can, and one at a time",
    reference: "interloop/epoll/worker/condvar",
    cases,
    systems,
    at_once: false,
    sample,
};

const SYSTEMS: [&str; 14] = [
    "interloop/epoll/worker/condvar",
    "interloop/epoll/worker/glib",
    "interloop/epoll/embed/glib",
    "interloop/epoll/run/own",
    "invoke/glib",
    "idle-add/glib",
    "async-channel/glib",
    "invoke/qt",
    "sdl",
    "winit",
    "tokio",
    "tokio/messages",
    "smol",
    "calloop",
];

/// Ours in other toolkits than GLib: a quick run does without them.
const OURS_ELSEWHERE: [&str; 4] = [
    "interloop/epoll/worker/qt",
    "interloop/epoll/embed/qt",
    "interloop/epoll/worker/sdl",
    "interloop/epoll/worker/winit",
];

const FLOODS: [(&str, usize); 3] = [("1-thread", 1), ("2-threads", 2), ("4-threads", 4)];
const ONE_AT_A_TIME: &str = "one-at-a-time";

fn cases(effort: Effort) -> Vec<String> {
    let floods = FLOODS.iter().filter(|(_, threads)| effort == Effort::Full || *threads == 4);
    floods.map(|(name, _)| *name).chain([ONE_AT_A_TIME]).map(str::to_owned).collect()
}

fn systems(_case: &str, effort: Effort) -> Vec<String> {
    let elsewhere = OURS_ELSEWHERE.iter().filter(|_| effort == Effort::Full);
    SYSTEMS.iter().chain(elsewhere).map(|&name| name.to_owned()).collect()
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let scene = parse(sample)?;
    match sample.system.as_str() {
        "invoke/glib" => glib::invoke(scene),
        "idle-add/glib" => glib::idle_add(scene),
        "async-channel/glib" => glib::channel(scene),
        "invoke/qt" => qt::host(scene),
        "sdl" => sdl::host(scene),
        "winit" => winit::host(scene),
        "tokio" => tokio::host(scene),
        "tokio/messages" => tokio::messages(scene),
        "smol" => smol::host(scene),
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
