//! What the figures were taken on.

use std::{fs, thread};

use rustix::system::uname;

/// One line: the processor, how many of it, and the system.
pub(super) fn describe() -> String {
    let system = uname();
    let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
    let processors = thread::available_parallelism().map_or(0, usize::from);
    let model = model().unwrap_or_else(|| text(system.machine()));
    format!("{processors} x {model}, {} {}", text(system.sysname()), text(system.release()))
}

fn model() -> Option<String> {
    let description = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = description.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
