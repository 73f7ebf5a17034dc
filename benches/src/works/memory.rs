//! Memory: the bytes of one registered source, one timer, one task.
//!
//! A sample makes a loop, then so many of one thing, and looks at the heap before and after: by the
//! allocator's own count of what is in use, with its overhead, so that what C allocates counts like what
//! Rust does, and by the pages of the process. The handle that the user keeps is part of the price, the
//! descriptor is not.

mod callbacks;
mod futures;
#[cfg_attr(not(feature = "glib"), path = "memory/glib/absent.rs")]
mod glib;
mod heap;
#[cfg_attr(not(feature = "qt"), path = "memory/qt/absent.rs")]
mod qt;
mod streams;

use std::io;

use crate::compare::{Effort, Figure, Sample, Work};
use crate::systems::unknown;

pub(crate) const WORK: Work = Work {
    name: "memory",
    about: "bytes for each registered source, timer and task",
    reference: "interloop/epoll/run/own",
    cases: |_| CASES.map(|(case, _)| case.to_owned()).to_vec(),
    systems,
    at_once: false,
    sample,
};

const OURS: &str = "interloop/epoll/run/own";

/// A source has a callback, a stream is for tasks to read and write; a timer has a callback, a sleep is
/// for a task to await. tokio has streams and sleeps only, which stand beside our callbacks as well.
const CASES: [(&str, &[&str]); 5] = [
    ("source", &[OURS, "calloop", "glib", "qt", "mio", "polling", "tokio"]),
    ("stream", &[OURS, "tokio", "async-io"]),
    ("timer", &[OURS, "calloop", "glib", "qt"]),
    ("sleep", &[OURS, "tokio", "async-io"]),
    ("task", &[OURS, "tokio", "async-executor"]),
];

fn systems(case: &str, _effort: Effort) -> Vec<String> {
    let systems = CASES.iter().find(|(known, _)| *known == case).map_or(&[][..], |(_, all)| *all);
    systems.iter().map(|&system| system.to_owned()).collect()
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let quick = sample.effort == Effort::Quick;
    // A stream has a peer, so that it takes two descriptors.
    let count = if quick { 1_000 } else { 5_000 };
    let grown = match (sample.case.as_str(), sample.system.as_str()) {
        ("source", OURS) => callbacks::our_sources(count)?,
        ("source", "calloop") => callbacks::calloop_sources(count)?,
        ("source", "glib") => glib::sources(count)?,
        ("source", "qt") => qt::sources(count)?,
        ("source", "mio") => callbacks::mio_sources(count)?,
        ("source", "polling") => callbacks::polling_sources(count)?,
        ("source" | "stream", "tokio") => streams::tokio(count)?,
        ("stream", OURS) => streams::ours(count)?,
        ("stream", "async-io") => streams::async_io(count)?,
        ("timer", OURS) => callbacks::our_timers(count)?,
        ("timer", "calloop") => callbacks::calloop_timers(count)?,
        ("timer", "glib") => glib::timers(count)?,
        ("timer", "qt") => qt::timers(count)?,
        ("sleep", OURS) => futures::our_sleeps(count)?,
        ("sleep", "tokio") => futures::tokio_sleeps(count)?,
        ("sleep", "async-io") => futures::async_io_sleeps(count)?,
        ("task", OURS) => futures::our_tasks(count)?,
        ("task", "tokio") => futures::tokio_tasks(count)?,
        ("task", "async-executor") => futures::async_executor_tasks(count)?,
        _ => return Err(unknown(&sample.system)),
    };
    Ok(grown.figures(count))
}
