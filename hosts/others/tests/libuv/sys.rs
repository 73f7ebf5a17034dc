//! What these tests need of libuv's interface. Handles are allocated by the sizes that the library tells,
//! so that nothing of their layout is repeated here.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_void};

/// `uv_loop_t`.
#[repr(C)]
pub struct Loop {
    _opaque: [u8; 0],
}

/// `uv_handle_t`, and what begins with one.
#[repr(C)]
pub struct Handle {
    _opaque: [u8; 0],
}

/// `uv_handle_type`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub enum Kind {
    Async = 1,
    Poll = 8,
    Timer = 13,
}

pub const RUN_DEFAULT: c_uint = 0;
pub const READABLE: c_int = 1;

pub type Callback = extern "C" fn(*mut Handle);
pub type PollCallback = extern "C" fn(*mut Handle, c_int, c_int);
pub type WalkCallback = extern "C" fn(*mut Handle, *mut c_void);

unsafe extern "C" {
    pub fn uv_loop_size() -> usize;
    pub fn uv_loop_init(uv: *mut Loop) -> c_int;
    pub fn uv_loop_close(uv: *mut Loop) -> c_int;
    pub fn uv_run(uv: *mut Loop, mode: c_uint) -> c_int;
    pub fn uv_stop(uv: *mut Loop);
    pub fn uv_walk(uv: *mut Loop, callback: WalkCallback, argument: *mut c_void);
    pub fn uv_handle_size(kind: Kind) -> usize;
    pub fn uv_handle_set_data(handle: *mut Handle, data: *mut c_void);
    pub fn uv_handle_get_data(handle: *const Handle) -> *mut c_void;
    pub fn uv_is_closing(handle: *const Handle) -> c_int;
    pub fn uv_close(handle: *mut Handle, callback: Callback);
    pub fn uv_async_init(uv: *mut Loop, handle: *mut Handle, callback: Callback) -> c_int;
    pub fn uv_async_send(handle: *mut Handle) -> c_int;
    pub fn uv_poll_init(uv: *mut Loop, handle: *mut Handle, descriptor: c_int) -> c_int;
    pub fn uv_poll_start(handle: *mut Handle, events: c_int, callback: PollCallback) -> c_int;
    pub fn uv_poll_stop(handle: *mut Handle) -> c_int;
    pub fn uv_timer_init(uv: *mut Loop, handle: *mut Handle) -> c_int;
    pub fn uv_timer_start(
        handle: *mut Handle,
        callback: Callback,
        timeout: u64,
        repeat: u64,
    ) -> c_int;
    pub fn uv_strerror(error: c_int) -> *const c_char;
}
