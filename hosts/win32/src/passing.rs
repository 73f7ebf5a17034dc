//! Letting the other messages of the thread pass.
//!
//! Facts about the message queue, and what they mean here:
//!
//! - `GetMessage` looks for what was posted, and then for `WM_QUIT`, input, painting and timers. A tick that
//!   is posted in the turn before comes first, again and again. So one that finds others waits until one of
//!   them has been taken.
//! - A hook of the thread's own sees each message that is taken from the queue, in every loop. After
//!   one of another window, or of another kind, it is our turn.
//! - `GetQueueStatus` may tell of input that `GetMessage` then finds to be none, and a loop may ask for some
//!   messages only. So there is a timer too, which comes when all others have passed.
//! - It is nowhere said that `GetQueueStatus` tells of a `WM_QUIT`. So a tick waits for the timer after every
//!   half second that turns have taken without a wait, whatever else there is.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ptr;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CallNextHookEx, GetQueueStatus, HC_ACTION, HHOOK, KillTimer, MSG, PM_REMOVE, QS_INPUT,
    QS_PAINT, QS_POSTMESSAGE, QS_TIMER, SetTimer, SetWindowsHookExW, USER_TIMER_MINIMUM,
    UnhookWindowsHookEx, WH_GETMESSAGE,
};

use crate::window;

/// Our timer, of a window that has no other.
const TIMER: usize = 1;
/// How long turns may take, all together, before a tick waits.
const PATIENCE: Duration = Duration::from_millis(500);

thread_local! {
    static PASSING: RefCell<Passing> = const { RefCell::new(Passing::new()) };
}

/// What waits on this thread until another message has passed.
struct Passing {
    /// There while somebody waits for a message to be taken.
    hook: Option<HHOOK>,
    waiting: Vec<Waiting>,
    /// How long turns have taken since a tick waited.
    turning: Duration,
}

struct Waiting {
    window: HWND,
    /// Another has passed, and word of the tick was sent again.
    sent: bool,
}

/// Has the tick of this window wait until another message has passed. False when none is there, or when
/// the window has waited already: it runs its tick then.
pub(crate) fn begin(window: HWND) -> bool {
    let kinds = QS_POSTMESSAGE | QS_INPUT | QS_PAINT | QS_TIMER;
    // SAFETY: it takes a number. The upper half of what it answers are the kinds that are in the queue.
    let others = unsafe { GetQueueStatus(kinds) } >> 16 != 0;
    let begun = PASSING.try_with(|passing| {
        let passing = &mut *passing.borrow_mut();
        let wait = others || passing.turning > PATIENCE;
        wait && !passing.is_waiting(window) && passing.wait(window)
    });
    begun.unwrap_or(false)
}

/// The tick of this window waits no more.
pub(crate) fn forget(window: HWND) {
    // A thread that ends takes all of it along.
    let _gone = PASSING.try_with(|passing| passing.borrow_mut().forget(window));
}

/// A turn has run, which began at this time.
pub(crate) fn turned(began: Instant) {
    let _gone = PASSING.try_with(|passing| passing.borrow_mut().turning += began.elapsed());
}

impl Passing {
    const fn new() -> Passing {
        Passing { hook: None, waiting: Vec::new(), turning: Duration::ZERO }
    }

    fn is_waiting(&self, window: HWND) -> bool {
        self.waiting.iter().any(|waiting| waiting.window == window)
    }

    /// False when the system has no timer for it.
    fn wait(&mut self, window: HWND) -> bool {
        // SAFETY: the window is this thread's, and takes WM_TIMER itself.
        if unsafe { SetTimer(window, TIMER, USER_TIMER_MINIMUM, None) } == 0 {
            return false;
        }
        self.turning = Duration::ZERO;
        self.waiting.push(Waiting { window, sent: false });
        if self.hook.is_none() {
            // SAFETY: a hook of this thread alone needs no module.
            let hook = unsafe {
                SetWindowsHookExW(WH_GETMESSAGE, Some(hook), ptr::null_mut(), GetCurrentThreadId())
            };
            self.hook = Some(hook).filter(|hook| !hook.is_null());
        }
        true
    }

    fn forget(&mut self, window: HWND) {
        let index = self.waiting.iter().position(|waiting| waiting.window == window);
        let Some(index) = index else { return };
        self.waiting.swap_remove(index);
        // SAFETY: the window is this thread's.
        unsafe { KillTimer(window, TIMER) };
        self.unhook_if_idle();
    }

    /// This message has been taken from the queue.
    fn taken(&mut self, message: &MSG) {
        let is_tick = window::is_tick(message.message);
        for waiting in self.waiting.iter_mut().filter(|waiting| !waiting.sent) {
            if !is_tick || message.hwnd != waiting.window {
                // Where it cannot be sent the timer comes.
                waiting.sent = window::send_again(waiting.window);
            }
        }
        self.unhook_if_idle();
    }

    fn unhook_if_idle(&mut self) {
        if self.waiting.iter().any(|waiting| !waiting.sent) {
            return;
        }
        if let Some(hook) = self.hook.take() {
            // SAFETY: it is this thread's hook, and is taken away once.
            unsafe { UnhookWindowsHookEx(hook) };
        }
    }
}

unsafe extern "system" fn hook(code: i32, removed: WPARAM, message: LPARAM) -> LRESULT {
    // Otherwise it was only looked at.
    if code == HC_ACTION as i32 && removed & PM_REMOVE as WPARAM != 0 {
        // SAFETY: with HC_ACTION there is a message, which lives while the hook runs.
        let message = unsafe { &*(message as *const MSG) };
        let _gone = PASSING.try_with(|passing| passing.borrow_mut().taken(message));
    }
    // SAFETY: these are the parameters of the hook. The first is not used.
    unsafe { CallNextHookEx(ptr::null_mut(), code, removed, message) }
}
