//! The window that ticks are posted to.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::mem;
use std::ptr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use interloop::Tick;
use windows_sys::Win32::Foundation::{
    ERROR_CLASS_ALREADY_EXISTS, HINSTANCE, HWND, LPARAM, LRESULT, WPARAM,
};
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
    GetModuleHandleExW,
};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CREATESTRUCTW, CreateWindowExW, DefWindowProcW, DestroyWindow, GWLP_USERDATA,
    GetWindowLongPtrW, HWND_MESSAGE, PostMessageW, PostQuitMessage, RegisterClassExW,
    RegisterWindowMessageW, SetWindowLongPtrW, WM_NCCREATE, WM_NCDESTROY, WM_TIMER, WNDCLASSEXW,
};
use windows_sys::core::w;

use crate::mailbox::Mailbox;
use crate::passing;

/// What our message asks the window for, in its `wParam`.
const RUN: WPARAM = 0;
const CLOSE: WPARAM = 1;

/// A message-only window of the thread that opened it. It runs there the ticks that any thread posts.
///
/// Dropping it destroys the window, at once on its own thread, and with a message on others.
pub(crate) struct Window {
    mailbox: Arc<Mailbox<Number>>,
    /// The window's.
    thread: u32,
}

/// A window by its number, which any thread may post to.
#[derive(Clone, Copy)]
struct Number(HWND);

// SAFETY: nothing is behind it that this process could reach.
unsafe impl Send for Number {}

impl Window {
    /// # Errors
    ///
    /// What the operating system said when it refused a window.
    pub(crate) fn open() -> io::Result<Window> {
        message()?;
        let module = module()?;
        let class = class(module)?;
        let mailbox = Arc::new(Mailbox::new());
        let parameter: *const Mailbox<Number> = &raw const *mailbox;
        // SAFETY: the class is registered, its name ends with a zero, and `procedure` expects a
        // mailbox, which lives in an `Arc`.
        let window = unsafe {
            CreateWindowExW(
                0,
                class.as_ptr(),
                ptr::null(),
                0,
                0,
                0,
                0,
                0,
                HWND_MESSAGE,
                ptr::null_mut(),
                module,
                parameter.cast::<c_void>(),
            )
        };
        if window.is_null() {
            return Err(io::Error::last_os_error());
        }
        mailbox.open(Number(window));
        // SAFETY: it takes nothing.
        Ok(Window { mailbox, thread: unsafe { GetCurrentThreadId() } })
    }

    /// Posts a tick. On any thread.
    pub(crate) fn post(&self, tick: Tick) {
        self.mailbox.post(tick, |window| send(window.0, RUN));
    }

    /// Destroys the window, if it is there. Nothing is posted to it afterwards.
    pub(crate) fn close(&self) {
        let Some(Number(window)) = self.mailbox.window() else { return };
        // SAFETY: it takes nothing.
        if unsafe { GetCurrentThreadId() } == self.thread {
            // SAFETY: the window is this thread's, and only this thread destroys it.
            unsafe { DestroyWindow(window) };
        } else {
            // Where the loop has ended the window goes with its thread.
            let _sent = send(window, CLOSE);
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.close();
    }
}

/// Has the message loop of this thread end.
pub(crate) fn post_quit() {
    // SAFETY: it takes a number.
    unsafe { PostQuitMessage(0) };
}

/// Sends word once more of the tick in the mailbox of a window. False when it cannot be sent.
pub(crate) fn send_again(window: HWND) -> bool {
    send(window, RUN)
}

/// True for the message that ticks come with.
pub(crate) fn is_tick(number: u32) -> bool {
    message().is_ok_and(|ours| ours == number)
}

/// False when it cannot be sent: the window is gone, or its thread has too many messages.
fn send(window: HWND, what: WPARAM) -> bool {
    let Ok(message) = message() else { return false };
    // SAFETY: the number of a window that is gone is refused; at worst it has come to mean another one,
    // which does not know the message.
    unsafe { PostMessageW(window, message, what, 0) != 0 }
}

/// The number of our message, which no other window takes for one of its own.
fn message() -> io::Result<u32> {
    static MESSAGE: OnceLock<u32> = OnceLock::new();
    if let Some(number) = MESSAGE.get() {
        return Ok(*number);
    }
    // SAFETY: the name ends with a zero.
    match unsafe { RegisterWindowMessageW(w!("interloop")) } {
        0 => Err(io::Error::last_os_error()),
        number => Ok(*MESSAGE.get_or_init(|| number)),
    }
}

/// The module that this is part of: the program, or a library in it.
fn module() -> io::Result<HINSTANCE> {
    let mut module = ptr::null_mut();
    let flags =
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    // SAFETY: with these flags the name is an address, and the count of the module stays as it is.
    let found =
        unsafe { GetModuleHandleExW(flags, procedure as *const () as *const u16, &mut module) };
    if found == 0 { Err(io::Error::last_os_error()) } else { Ok(module) }
}

/// Registers the window class, and gives its name, which has the address of the procedure in it: one that
/// is there already has this very procedure. It stays registered: of a module that was unloaded, nothing
/// but the name remains.
fn class(module: HINSTANCE) -> io::Result<Vec<u16>> {
    let name = format!("interloop {:p}\0", procedure as *const ());
    let name: Vec<u16> = name.encode_utf16().collect();
    let class = WNDCLASSEXW {
        cbSize: u32::try_from(mem::size_of::<WNDCLASSEXW>()).expect("it is small"),
        lpfnWndProc: Some(procedure),
        hInstance: module,
        lpszClassName: name.as_ptr(),
        ..WNDCLASSEXW::default()
    };
    // Under wine, one that another thread is registering is there already, and cannot be used yet.
    static REGISTERING: Mutex<()> = Mutex::new(());
    let _alone = REGISTERING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the class and its name live through the call, which copies them.
    if unsafe { RegisterClassExW(&class) } == 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(ERROR_CLASS_ALREADY_EXISTS as i32) {
            return Err(error);
        }
    }
    Ok(name)
}

unsafe extern "system" fn procedure(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    match message {
        WM_NCCREATE => {
            // SAFETY: WM_NCCREATE comes with the parameters of CreateWindowExW, the last of which
            // `Window::open` has taken from an `Arc` of its own. The window has a count of it.
            unsafe {
                let parameters = lparam as *const CREATESTRUCTW;
                let mailbox = (*parameters).lpCreateParams.cast::<Mailbox<Number>>();
                Arc::increment_strong_count(mailbox.cast_const());
                SetWindowLongPtrW(window, GWLP_USERDATA, mailbox as isize);
            }
        }
        WM_NCDESTROY => {
            passing::forget(window);
            // SAFETY: the window is this thread's.
            let mailbox = unsafe { SetWindowLongPtrW(window, GWLP_USERDATA, 0) };
            let mailbox = mailbox as *const Mailbox<Number>;
            if !mailbox.is_null() {
                // SAFETY: WM_NCCREATE has put it there with a count, which is given back once.
                unsafe { Arc::from_raw(mailbox) }.close();
            }
        }
        WM_TIMER => run(window),
        _ if is_tick(message) && wparam == RUN => come(window),
        _ if is_tick(message) && wparam == CLOSE => {
            // SAFETY: the window is this thread's.
            unsafe { DestroyWindow(window) };
        }
        _ => {}
    }
    // SAFETY: these are the parameters of the procedure.
    unsafe { DefWindowProcW(window, message, wparam, lparam) }
}

/// Our message has come: runs the tick, unless others are to pass first.
fn come(window: HWND) {
    let has_tick = mailbox(window).is_some_and(|mailbox| mailbox.has_tick());
    if has_tick && !passing::begin(window) {
        run(window);
    }
}

/// Runs the tick that lies in the mailbox, if there is one.
fn run(window: HWND) {
    passing::forget(window);
    if let Some(tick) = mailbox(window).and_then(|mailbox| mailbox.take()) {
        let began = Instant::now();
        // It may destroy the window.
        tick.run();
        passing::turned(began);
    }
}

/// The mailbox of a window of this thread.
fn mailbox(window: HWND) -> Option<Arc<Mailbox<Number>>> {
    // SAFETY: the window is this thread's, and has there what WM_NCCREATE has put, or zero. The count of
    // that is the window's, so that there is one to be added to.
    unsafe {
        let mailbox = GetWindowLongPtrW(window, GWLP_USERDATA) as *const Mailbox<Number>;
        if mailbox.is_null() {
            return None;
        }
        Arc::increment_strong_count(mailbox);
        Some(Arc::from_raw(mailbox))
    }
}
