//! An echo server on a bare run loop, beside a timer of the run loop's own.
//!
//! `cocoa_echo [ADDRESS]`, by default `127.0.0.1:7007`. It sends back each line, and tells each second what has come.
//! The line `quit` ends it, with a goodbye to whoever is connected.

#[cfg(run_loop = "core_foundation")]
#[path = "cocoa_echo/server.rs"]
mod server;
#[cfg(run_loop = "core_foundation")]
#[path = "cocoa_echo/timer.rs"]
mod timer;

#[cfg(run_loop = "core_foundation")]
#[allow(unsafe_code)]
fn main() -> std::io::Result<()> {
    use core_foundation_sys::runloop::CFRunLoopRun;

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:7007".to_owned());
    let reactor = interloop::Reactor::new()?;
    let _attached = interloop_cocoa::attach(&reactor)?;
    let server = server::start(&reactor, &address)?;
    let mut told = 0;
    let _timer = timer::Timer::each_second(move || {
        let lines = server.lines();
        if lines != told {
            println!("{} lines in the last second, {lines} in all", lines - told);
            told = lines;
        }
    });
    // Until the reactor has stopped.
    // SAFETY: it takes nothing.
    unsafe { CFRunLoopRun() };
    Ok(())
}

#[cfg(not(run_loop = "core_foundation"))]
fn main() {
    eprintln!("there is no CFRunLoop here; on Linux, see the feature `swift-corelibs`");
}
