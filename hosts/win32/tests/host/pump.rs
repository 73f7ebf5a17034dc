//! Message loops, as programs write them.
#![allow(unsafe_code)]

use std::ptr;

use windows_sys::Win32::System::Com::{COINIT_APARTMENTTHREADED, CoInitializeEx};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    DispatchMessageW, GetMessageW, MSG, MWMO_INPUTAVAILABLE, MsgWaitForMultipleObjectsEx,
    PM_REMOVE, PeekMessageW, PostQuitMessage, QS_ALLINPUT, TranslateMessage, WM_QUIT,
};

/// A message loop of this thread.
pub trait Pump: 'static {
    const NAME: &'static str;

    /// Before there is a window.
    fn prepare() {}

    /// Dispatches messages until `WM_QUIT` comes, or until `done`, which is asked after each of them.
    fn run_until(done: &dyn Fn() -> bool);
}

/// The usual one.
pub struct GetMessages;

impl Pump for GetMessages {
    const NAME: &'static str = "win32";

    fn run_until(done: &dyn Fn() -> bool) {
        let mut message = MSG::default();
        // SAFETY: `message` lives.
        while !done() && unsafe { GetMessageW(&mut message, ptr::null_mut(), 0, 0) } > 0 {
            dispatch(&message);
        }
    }
}

/// That of a program which waits for handles too, in a single-threaded apartment of COM.
pub struct MsgWaits;

impl Pump for MsgWaits {
    const NAME: &'static str = "win32::apartment";

    fn prepare() {
        enter_apartment();
    }

    fn run_until(done: &dyn Fn() -> bool) {
        let mut message = MSG::default();
        while !done() {
            // SAFETY: there is no handle to wait for; `message` lives.
            unsafe {
                let all = QS_ALLINPUT;
                MsgWaitForMultipleObjectsEx(0, ptr::null(), u32::MAX, all, MWMO_INPUTAVAILABLE);
                if PeekMessageW(&mut message, ptr::null_mut(), 0, 0, PM_REMOVE) == 0 {
                    continue;
                }
            }
            if message.message == WM_QUIT {
                return;
            }
            dispatch(&message);
        }
    }
}

/// Makes this thread a single-threaded apartment, for as long as it lives.
pub fn enter_apartment() {
    // SAFETY: the parameter is reserved.
    let entered = unsafe { CoInitializeEx(ptr::null(), COINIT_APARTMENTTHREADED as u32) };
    assert!(entered >= 0, "CoInitializeEx: {entered:#x}");
}

pub fn quit() {
    // SAFETY: it takes a number.
    unsafe { PostQuitMessage(0) };
}

fn dispatch(message: &MSG) {
    // SAFETY: the message comes from the queue.
    unsafe {
        TranslateMessage(message);
        DispatchMessageW(message);
    }
}
