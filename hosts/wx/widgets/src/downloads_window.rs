//! The window of the example `downloads`.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};

use crate::Application;

/// What the user does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Downloads what is at this address.
    Download(String),
    /// Does what the button of a row offers.
    StopOrResume(usize),
    /// Stops all that run.
    StopAll,
    /// Goes on with all that were stopped or have failed.
    ResumeAll,
}

/// What the button of a row offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum Offer {
    /// It is done.
    Nothing,
    /// To stop.
    Stop,
    /// To go on.
    Resume,
}

#[repr(C)]
struct Listener {
    data: *mut c_void,
    act: extern "C" fn(*mut c_void, c_int, usize, *const c_char),
    drop: extern "C" fn(*mut c_void),
}

#[repr(C)]
struct RawWindow {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    safe fn wx_downloads_new(listener: Listener) -> *mut RawWindow;
    fn wx_downloads_forget(window: *mut RawWindow);
    fn wx_downloads_set_status(window: *mut RawWindow, text: *const c_char);
    fn wx_downloads_set_title(window: *mut RawWindow, text: *const c_char);
    fn wx_downloads_add_row(window: *mut RawWindow, name: *const c_char);
    fn wx_downloads_set_row(
        window: *mut RawWindow,
        row: usize,
        progress: c_int,
        offer: Offer,
        text: *const c_char,
    );
}

/// The window: a line for an address, and a row for each download. When its user has closed it, what is
/// shown is not seen.
pub struct DownloadsWindow {
    raw: *mut RawWindow,
    rows: Cell<usize>,
}

impl DownloadsWindow {
    /// Makes the window, shown. `on_action` is called when the user does something, from the loop.
    pub fn new<F: FnMut(Action) + 'static>(
        _application: &Application,
        on_action: F,
    ) -> DownloadsWindow {
        let data = Box::into_raw(Box::new(RefCell::new(on_action))).cast();
        let listener = Listener { data, act: act::<F>, drop: drop_it::<F> };
        DownloadsWindow { raw: wx_downloads_new(listener), rows: Cell::new(0) }
    }

    /// Shows something in the last line.
    pub fn set_status(&self, status: &str) {
        let status = text(status);
        // SAFETY: the weak reference is there as long as `self`, and the text is copied.
        unsafe { wx_downloads_set_status(self.raw, status.as_ptr()) }
    }

    /// Sets the title, which is `downloads` at first.
    pub fn set_title(&self, title: &str) {
        let title = text(title);
        // SAFETY: the weak reference is there as long as `self`, and the text is copied.
        unsafe { wx_downloads_set_title(self.raw, title.as_ptr()) }
    }

    /// Adds a row, and answers with its number.
    pub fn add_row(&self, name: &str) -> usize {
        let name = text(name);
        // SAFETY: the weak reference is there as long as `self`, and the text is copied.
        unsafe { wx_downloads_add_row(self.raw, name.as_ptr()) }
        self.rows.replace(self.rows.get() + 1)
    }

    /// Shows how far a download is, where that is known, what can be done with it, and a text.
    ///
    /// # Panics
    ///
    /// When there is no such row.
    pub fn set_row(&self, row: usize, progress: Option<f64>, offer: Offer, status: &str) {
        assert!(row < self.rows.get(), "there is no row {row}");
        let thousandths = progress.map_or(-1, |part| (part.clamp(0.0, 1.0) * 1000.0) as c_int);
        let status = text(status);
        // SAFETY: the weak reference is there as long as `self`, it has this row, and the text is copied.
        unsafe { wx_downloads_set_row(self.raw, row, thousandths, offer, status.as_ptr()) }
    }
}

impl Drop for DownloadsWindow {
    fn drop(&mut self) {
        // SAFETY: it is there until now. The frame itself is wx's.
        unsafe { wx_downloads_forget(self.raw) }
    }
}

/// A text without the zeros that would end it early.
fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).expect("it has no zeros")
}

extern "C" fn act<F: FnMut(Action)>(
    data: *mut c_void,
    action: c_int,
    row: usize,
    text: *const c_char,
) {
    // SAFETY: the shim's text ends with a zero, and is there during the call.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // The order of the shim's `Action`.
    let action = match action {
        0 => Action::Download(text),
        1 => Action::StopOrResume(row),
        2 => Action::StopAll,
        _ => Action::ResumeAll,
    };
    // SAFETY: it is the box of `DownloadsWindow::new`, which the shim keeps during the call.
    let on_action = unsafe { &*data.cast::<RefCell<F>>() };
    // A dialog that the callback opened might bring another one.
    if let Ok(mut on_action) = on_action.try_borrow_mut() {
        on_action(action);
    }
}

extern "C" fn drop_it<F>(data: *mut c_void) {
    // SAFETY: it is the box of `DownloadsWindow::new`, and is dropped once.
    drop(unsafe { Box::from_raw(data.cast::<RefCell<F>>()) });
}
