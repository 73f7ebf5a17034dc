//! What is left behind, as Windows counts it: handles, windows, threads.
#![allow(unsafe_code)]

use std::io;
use std::time::{Duration, Instant};

use interloop::Reactor;
use interloop::testing::Kit;
use windows_sys::Win32::Foundation::{CloseHandle, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, TH32CS_SNAPTHREAD, THREADENTRY32, Thread32First, Thread32Next,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetCurrentProcessId, GetProcessHandleCount,
};

use crate::pump::{GetMessages, Pump};
use crate::win32::Win32;
use crate::windows::ours;

pub fn cases(kit: Kit) -> Kit {
    kit.case::<Win32<GetMessages>>("a_hundred_reactors_leave_nothing_behind", a_hundred)
}

#[derive(Clone, Copy, Debug)]
struct Counts {
    handles: u32,
    threads: usize,
    windows: usize,
}

fn count() -> Counts {
    let mut handles = 0;
    // SAFETY: `handles` lives.
    let counted = unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut handles) };
    assert_ne!(counted, 0, "GetProcessHandleCount: {}", io::Error::last_os_error());
    Counts { handles, threads: threads(), windows: ours().len() }
}

/// The threads of this process.
fn threads() -> usize {
    let mut entry =
        THREADENTRY32 { dwSize: size_of::<THREADENTRY32>() as u32, ..THREADENTRY32::default() };
    let mut count = 0;
    // SAFETY: `entry` lives and tells its size; the snapshot is closed once.
    unsafe {
        let process = GetCurrentProcessId();
        let snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
        assert_ne!(snapshot, INVALID_HANDLE_VALUE);
        let mut more = Thread32First(snapshot, &mut entry);
        while more != 0 {
            count += usize::from(entry.th32OwnerProcessID == process);
            more = Thread32Next(snapshot, &mut entry);
        }
        CloseHandle(snapshot);
    }
    count
}

fn work() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let handle = reactor.handle();
    reactor.after(Duration::from_millis(1), move || handle.stop()).detach();
    GetMessages::run_until(&|| false);
    drop(attached);
    assert!(reactor.is_stopped());
    Ok(())
}

fn a_hundred() -> io::Result<()> {
    const SLACK: u32 = 10;
    // What the system opens once.
    work()?;
    let before = count();
    for _ in 0..100 {
        work()?;
    }
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let after = count();
        let clean = after.handles <= before.handles + SLACK
            && after.threads <= before.threads
            && after.windows == before.windows;
        if clean {
            println!("{before:?}, then {after:?}");
            return Ok(());
        }
        assert!(Instant::now() < limit, "{before:?}, and then {after:?}");
        std::thread::yield_now();
    }
}
