//! The comparison: every work on every system, side by side. `interloop-benches compare --help`.

#[cfg(target_os = "linux")]
mod compare;
#[cfg(target_os = "linux")]
mod systems;
#[cfg(target_os = "linux")]
mod works;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next() {
        Some(word) if word == "compare" => compare::run(words),
        // One sample, in a process of its own: what `compare` starts.
        Some(word) if word == compare::SAMPLE => compare::sample(words),
        _ => {
            eprintln!("interloop-benches: say `compare`; `compare --help` tells the rest");
            ExitCode::from(2)
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("interloop-benches: the comparison needs Linux, as its limit is a bare epoll");
    ExitCode::from(2)
}
