//! What these tests need of Tcl's interface: its event loop, without an interpreter.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_void};

/// `Tcl_Event`, which an event of one's own begins with. Tcl owns it once it is queued, and frees it.
#[repr(C)]
pub struct Event {
    /// Called to handle the event; not 0 when it has.
    pub handle: extern "C" fn(*mut Event, c_int) -> c_int,
    pub next: *mut Event,
}

/// `Tcl_ThreadId`.
pub type ThreadId = *mut c_void;
/// `Tcl_TimerToken`.
pub type TimerToken = *mut c_void;

pub const ALL_EVENTS: c_int = !(1 << 1);
pub const READABLE: c_int = 1 << 1;
pub const QUEUE_TAIL: c_uint = 0;

unsafe extern "C" {
    pub fn Tcl_FindExecutable(argv0: *const c_char);
    pub fn Tcl_Finalize();
    pub fn Tcl_DoOneEvent(flags: c_int) -> c_int;
    pub fn Tcl_Alloc(size: c_uint) -> *mut c_char;
    pub fn Tcl_GetCurrentThread() -> ThreadId;
    pub fn Tcl_QueueEvent(event: *mut Event, position: c_uint);
    pub fn Tcl_ThreadQueueEvent(thread: ThreadId, event: *mut Event, position: c_uint);
    pub fn Tcl_ThreadAlert(thread: ThreadId);
    pub fn Tcl_CreateTimerHandler(
        milliseconds: c_int,
        callback: extern "C" fn(*mut c_void),
        data: *mut c_void,
    ) -> TimerToken;
    pub fn Tcl_CreateFileHandler(
        descriptor: c_int,
        mask: c_int,
        callback: extern "C" fn(*mut c_void, c_int),
        data: *mut c_void,
    );
    pub fn Tcl_DeleteFileHandler(descriptor: c_int);
    pub fn Tcl_CreateExitHandler(callback: extern "C" fn(*mut c_void), data: *mut c_void);
    pub fn Tcl_DeleteExitHandler(callback: extern "C" fn(*mut c_void), data: *mut c_void);
}
