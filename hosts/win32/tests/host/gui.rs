//! A small program of plain Win32: a window with timers and jobs of its own.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{InvalidateRect, UpdateWindow, ValidateRect};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DefWindowProcW, DestroyWindow, PostMessageW, PostQuitMessage,
    RegisterClassExW, SetTimer, WM_APP, WM_CLOSE, WM_DESTROY, WM_KEYDOWN, WM_PAINT, WM_TIMER,
    WNDCLASSEXW, WS_OVERLAPPEDWINDOW, WS_VISIBLE,
};
use windows_sys::core::w;

type Job = Box<dyn FnOnce()>;
type Timer = Box<dyn FnMut()>;

/// Has the first job run.
const JOB: u32 = WM_APP;

/// The program's window, on the thread that opened it. Closing it ends the loop.
#[derive(Default)]
pub struct Gui {
    window: Cell<HWND>,
    jobs: RefCell<VecDeque<Job>>,
    /// None while one runs.
    timers: RefCell<BTreeMap<usize, Option<Timer>>>,
    /// What the window has been given so far.
    pub paints: Cell<u32>,
    pub keys: Cell<u32>,
    /// Has every painting ask for another one.
    pub repaints: Cell<bool>,
}

thread_local! {
    static GUI: RefCell<Option<Rc<Gui>>> = const { RefCell::new(None) };
}

fn gui() -> Rc<Gui> {
    GUI.with_borrow(|gui| gui.clone()).expect("the window is open")
}

impl Gui {
    /// Opens the window. Once in a process.
    pub fn open() -> io::Result<Rc<Gui>> {
        let gui = Rc::<Gui>::default();
        GUI.replace(Some(Rc::clone(&gui)));
        let name = w!("interloop's tests");
        let class = WNDCLASSEXW {
            cbSize: size_of::<WNDCLASSEXW>() as u32,
            lpfnWndProc: Some(procedure),
            lpszClassName: name,
            ..WNDCLASSEXW::default()
        };
        // SAFETY: the class and its name live long enough.
        let window = unsafe {
            if RegisterClassExW(&class) == 0 {
                return Err(io::Error::last_os_error());
            }
            let (none, style) = (ptr::null_mut(), WS_OVERLAPPEDWINDOW | WS_VISIBLE);
            CreateWindowExW(0, name, name, style, 0, 0, 320, 240, none, none, none, ptr::null())
        };
        if window.is_null() {
            return Err(io::Error::last_os_error());
        }
        gui.window.set(window);
        // SAFETY: the window is this thread's. What is painted at the start is not counted.
        unsafe { UpdateWindow(window) };
        Ok(gui)
    }

    pub fn window(&self) -> HWND {
        self.window.get()
    }

    pub fn every(&self, period: Duration, callback: Timer) {
        let id = self.timers.borrow().len() + 1;
        self.timers.borrow_mut().insert(id, Some(callback));
        // SAFETY: the window is this thread's.
        let set = unsafe { SetTimer(self.window(), id, period.as_millis() as u32, None) };
        assert_ne!(set, 0, "SetTimer: {}", io::Error::last_os_error());
    }

    pub fn post(&self, job: Job) {
        self.jobs.borrow_mut().push_back(job);
        self.send(JOB, 0);
    }

    /// Closes the window, as its button does.
    pub fn close(&self) {
        self.send(WM_CLOSE, 0);
    }

    pub fn send(&self, message: u32, wparam: WPARAM) {
        // SAFETY: the message carries no pointer.
        let sent = unsafe { PostMessageW(self.window(), message, wparam, 0) };
        assert_ne!(sent, 0, "PostMessage: {}", io::Error::last_os_error());
    }

    /// Has the window painted again and again.
    pub fn repaint(&self) {
        self.repaints.set(true);
        invalidate(self.window());
    }

    pub fn destroy(&self) {
        // SAFETY: the window is this thread's, or gone already.
        unsafe { DestroyWindow(self.window()) };
    }
}

fn invalidate(window: HWND) {
    // SAFETY: the window is this thread's.
    unsafe { InvalidateRect(window, ptr::null(), 0) };
}

fn run_timer(id: usize) {
    let take = |timers: &RefCell<BTreeMap<usize, Option<Timer>>>| {
        timers.borrow_mut().get_mut(&id).and_then(Option::take)
    };
    let gui = gui();
    if let Some(mut timer) = take(&gui.timers) {
        timer();
        gui.timers.borrow_mut().insert(id, Some(timer));
    }
}

unsafe extern "system" fn procedure(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    match message {
        JOB => {
            let job = gui().jobs.borrow_mut().pop_front();
            job.expect("a message for each job")();
        }
        WM_TIMER => run_timer(wparam),
        WM_KEYDOWN => {
            let gui = gui();
            gui.keys.set(gui.keys.get() + 1);
        }
        WM_PAINT => {
            let gui = gui();
            gui.paints.set(gui.paints.get() + 1);
            // SAFETY: the window is this thread's.
            unsafe { ValidateRect(window, ptr::null()) };
            if gui.repaints.get() {
                invalidate(window);
            }
            return 0;
        }
        // SAFETY: it takes a number.
        WM_DESTROY => unsafe { PostQuitMessage(0) },
        _ => {}
    }
    // SAFETY: these are the parameters of the procedure.
    unsafe { DefWindowProcW(window, message, wparam, lparam) }
}
