//! The windows of the adapter, and what happens when they go.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use interloop::testing::Kit;
use interloop::{Reactor, Report};
use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::System::Threading::GetCurrentProcessId;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    DestroyWindow, FindWindowExW, GetClassNameW, GetWindowThreadProcessId, HWND_MESSAGE, MSG,
    PM_REMOVE, PeekMessageW, PostMessageW, RegisterWindowMessageW, WM_APP, WM_QUIT, WM_TIMER,
};
use windows_sys::core::w;

use crate::gui::Gui;
use crate::pump::{GetMessages, Pump};
use crate::win32::Win32;

pub fn cases(kit: Kit) -> Kit {
    type Plain = Win32<GetMessages>;
    kit.case::<Plain>("a_waker_takes_its_window_along", waker_on_its_thread)
        .case::<Plain>("a_waker_takes_its_window_along_from_another_thread", waker_elsewhere)
        .case::<Plain>("the_end_of_the_guard_leaves_no_wm_quit", no_stale_quit)
        .case::<Plain>("keep_running_leaves_the_loop_alone", keep_running)
        .case::<Plain>("a_guard_that_is_dropped_in_a_callback_lets_go", dropped_in_a_callback)
        .case::<Plain>("messages_that_nobody_posted_do_no_harm", forged)
}

fn waker_on_its_thread() -> io::Result<()> {
    let waker = interloop_win32::waker()?;
    assert_eq!(ours().len(), 1);
    drop(waker);
    assert_eq!(ours().len(), 0);
    Ok(())
}

fn waker_elsewhere() -> io::Result<()> {
    let waker = interloop_win32::waker()?;
    thread::spawn(move || drop(waker)).join().expect("it drops");
    GetMessages::run_until(&|| ours().is_empty());
    Ok(())
}

fn no_stale_quit() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let handle = reactor.handle();
    reactor.after(Duration::ZERO, move || handle.stop()).detach();
    drop(attached);
    assert!(reactor.is_stopped());
    let mut message = MSG::default();
    // SAFETY: `message` lives.
    let found = unsafe { PeekMessageW(&mut message, ptr::null_mut(), WM_QUIT, WM_QUIT, PM_REMOVE) };
    assert_eq!(found, 0, "a WM_QUIT waits for the next loop");
    Ok(())
}

fn keep_running() -> io::Result<()> {
    let gui = Gui::open()?;
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?.keep_running();
    reactor.stop();
    let timer = Rc::new(Cell::new(0));
    let (count, handle) = (Rc::clone(&timer), reactor.handle());
    let tick = move || count.set(count.get() + u32::from(handle.is_stopped()));
    gui.every(Duration::from_millis(10), Box::new(tick));
    GetMessages::run_until(&|| timer.get() >= 3);
    assert_eq!(timer.get(), 3, "WM_QUIT ended the loop");
    drop(attached);
    Ok(())
}

/// There it cannot finish; the reactor does when it is told to.
fn dropped_in_a_callback() -> io::Result<()> {
    let reported = Arc::new(Mutex::new(Vec::new()));
    let reports = Arc::clone(&reported);
    let reporter = move |report: &Report<'_>| {
        if let Report::Unfinished(what) = report {
            reports.lock().expect("no report panics").push((*what).to_owned());
        }
    };
    let reactor = Reactor::builder().reporter(reporter).build()?;
    let attached = interloop_win32::attach(&reactor)?;
    let done = Rc::new(Cell::new(false));
    let dropped = Rc::clone(&done);
    let drop_it = move || {
        drop(attached);
        dropped.set(true);
    };
    reactor.after(Duration::ZERO, drop_it).detach();
    GetMessages::run_until(&|| done.get());
    assert_eq!(ours().len(), 0);
    assert_eq!(reported.lock().expect("no report panics").len(), 1);
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    Ok(())
}

/// Anybody can post a message of any number to any window.
fn forged() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    for window in ours() {
        // SAFETY: the name ends with a zero, and none of the messages carries a pointer.
        unsafe {
            let ours = RegisterWindowMessageW(w!("interloop"));
            for (message, wparam) in
                [(ours, 0), (ours, 7), (WM_TIMER, 1), (WM_TIMER, 99), (WM_APP, 1)]
            {
                PostMessageW(window, message, wparam, -1);
            }
        }
    }
    let handle = reactor.handle();
    reactor.after(Duration::from_millis(10), move || handle.stop()).detach();
    GetMessages::run_until(&|| false);
    drop(attached);
    assert!(reactor.is_stopped());
    Ok(())
}

/// The message-only windows of the adapter in this process.
pub fn ours() -> Vec<HWND> {
    let mut found = Vec::new();
    let mut window = ptr::null_mut();
    loop {
        // SAFETY: no name is given.
        window = unsafe { FindWindowExW(HWND_MESSAGE, window, ptr::null(), ptr::null()) };
        if window.is_null() {
            return found;
        }
        let (mut process, mut name) = (0, [0; 64]);
        // SAFETY: the number of the window may be that of one that is gone; the others live.
        let length = unsafe {
            GetWindowThreadProcessId(window, &mut process);
            GetClassNameW(window, name.as_mut_ptr(), 64)
        };
        let name = String::from_utf16_lossy(&name[..length as usize]);
        // SAFETY: it takes nothing.
        if process == unsafe { GetCurrentProcessId() } && name.starts_with("interloop 0x") {
            found.push(window);
        }
    }
}

pub fn destroy(window: HWND) {
    // SAFETY: it is refused where the window is gone or another thread's.
    let destroyed = unsafe { DestroyWindow(window) };
    assert_ne!(destroyed, 0, "DestroyWindow: {}", io::Error::last_os_error());
}
