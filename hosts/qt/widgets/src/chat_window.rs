//! The window of the example `chat_window`.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};

use crate::Application;

/// What the user does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Joins the chat of a server.
    Join {
        /// As whom.
        name: String,
        /// Where.
        address: String,
    },
    /// Leaves it, or does not join after all.
    Leave,
    /// Starts a server at this address.
    Serve(String),
    /// Stops the server.
    StopServing,
    /// Says something to all.
    Say(String),
}

/// What the client is at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum Connection {
    /// It is in no chat.
    Apart,
    /// It waits for the server.
    Joining,
    /// It is in a chat.
    Joined,
}

/// Whose a line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum Kind {
    /// Somebody else has said it.
    ByOthers,
    /// We have said it.
    ByOurselves,
    /// It is about the chat.
    Notice,
    /// Something went wrong.
    Trouble,
}

#[repr(C)]
struct Listener {
    data: *mut c_void,
    act: extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char),
    drop: extern "C" fn(*mut c_void),
}

#[repr(C)]
struct RawWindow {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    safe fn qt_chat_window_new(listener: Listener) -> *mut RawWindow;
    fn qt_chat_window_delete(window: *mut RawWindow);
    fn qt_chat_window_set_title(window: *mut RawWindow, text: *const c_char);
    fn qt_chat_window_set_name(window: *mut RawWindow, text: *const c_char);
    fn qt_chat_window_set_address(window: *mut RawWindow, text: *const c_char);
    fn qt_chat_window_set_status(window: *mut RawWindow, text: *const c_char);
    fn qt_chat_window_set_connection(window: *mut RawWindow, connection: Connection);
    fn qt_chat_window_set_serving(window: *mut RawWindow, is_serving: bool);
    fn qt_chat_window_set_members(window: *mut RawWindow, names: *const c_char);
    fn qt_chat_window_add_line(
        window: *mut RawWindow,
        kind: Kind,
        who: *const c_char,
        text: *const c_char,
    );
}

/// The window: a line for the name and the server, what is said, who is there, and a line to say
/// something. It has to be dropped before the application.
pub struct ChatWindow {
    raw: *mut RawWindow,
}

impl ChatWindow {
    /// Makes the window, shown. `on_action` is called when the user does something, from the loop.
    pub fn new<F: FnMut(Action) + 'static>(_application: &Application, on_action: F) -> ChatWindow {
        let data = Box::into_raw(Box::new(RefCell::new(on_action))).cast();
        let listener = Listener { data, act: act::<F>, drop: drop_it::<F> };
        ChatWindow { raw: qt_chat_window_new(listener) }
    }

    /// Sets the title, which is `chat` at first.
    pub fn set_title(&self, title: &str) {
        let title = text(title);
        // SAFETY: the window is there as long as `self`, and copies the text.
        unsafe { qt_chat_window_set_title(self.raw, title.as_ptr()) }
    }

    /// Fills in the name.
    pub fn set_name(&self, name: &str) {
        let name = text(name);
        // SAFETY: the window is there as long as `self`, and copies the text.
        unsafe { qt_chat_window_set_name(self.raw, name.as_ptr()) }
    }

    /// Fills in the address of the server.
    pub fn set_address(&self, address: &str) {
        let address = text(address);
        // SAFETY: the window is there as long as `self`, and copies the text.
        unsafe { qt_chat_window_set_address(self.raw, address.as_ptr()) }
    }

    /// Shows something in the last line of the window.
    pub fn set_status(&self, status: &str) {
        let status = text(status);
        // SAFETY: the window is there as long as `self`, and copies the text.
        unsafe { qt_chat_window_set_status(self.raw, status.as_ptr()) }
    }

    /// Lets the user do what can be done now.
    pub fn set_connection(&self, connection: Connection) {
        // SAFETY: the window is there as long as `self`.
        unsafe { qt_chat_window_set_connection(self.raw, connection) }
    }

    /// Offers to stop the server, or to start one.
    pub fn set_serving(&self, is_serving: bool) {
        // SAFETY: the window is there as long as `self`.
        unsafe { qt_chat_window_set_serving(self.raw, is_serving) }
    }

    /// Shows who is there.
    pub fn set_members<'a>(&self, names: impl IntoIterator<Item = &'a str>) {
        let names = text(&names.into_iter().collect::<Vec<_>>().join(" "));
        // SAFETY: the window is there as long as `self`, and copies the text.
        unsafe { qt_chat_window_set_members(self.raw, names.as_ptr()) }
    }

    /// Adds a line to what is said, with the name of who has said it, if anybody.
    pub fn add_line(&self, kind: Kind, who: &str, what: &str) {
        let (who, what) = (text(who), text(what));
        // SAFETY: the window is there as long as `self`, and copies the texts.
        unsafe { qt_chat_window_add_line(self.raw, kind, who.as_ptr(), what.as_ptr()) }
    }
}

impl Drop for ChatWindow {
    fn drop(&mut self) {
        // SAFETY: it is there until now.
        unsafe { qt_chat_window_delete(self.raw) }
    }
}

/// A text without the zeros that would end it early.
fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).expect("it has no zeros")
}

extern "C" fn act<F: FnMut(Action)>(
    data: *mut c_void,
    action: c_int,
    first: *const c_char,
    second: *const c_char,
) {
    // SAFETY: the shim's texts end with a zero, and are there during the call.
    let own = |text| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned();
    // The order of the shim's `Action`.
    let action = match action {
        0 => Action::Join { name: own(first), address: own(second) },
        1 => Action::Leave,
        2 => Action::Serve(own(first)),
        3 => Action::StopServing,
        _ => Action::Say(own(first)),
    };
    // SAFETY: it is the box of `ChatWindow::new`, which the shim keeps during the call.
    let on_action = unsafe { &*data.cast::<RefCell<F>>() };
    // A dialog that the callback opened might bring another one.
    if let Ok(mut on_action) = on_action.try_borrow_mut() {
        on_action(action);
    }
}

extern "C" fn drop_it<F>(data: *mut c_void) {
    // SAFETY: it is the box of `ChatWindow::new`, and is dropped once.
    drop(unsafe { Box::from_raw(data.cast::<RefCell<F>>()) });
}
