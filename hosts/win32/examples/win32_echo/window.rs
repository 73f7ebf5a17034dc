//! A window that shows a text.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::io;
use std::ptr;

use windows_sys::Win32::Foundation::{HWND, LPARAM, LRESULT, RECT, WPARAM};
use windows_sys::Win32::Graphics::Gdi::{
    BeginPaint, COLOR_WINDOW, DT_NOPREFIX, DrawTextW, EndPaint, InvalidateRect, PAINTSTRUCT,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CW_USEDEFAULT, CreateWindowExW, DefWindowProcW, DispatchMessageW, GetClientRect, GetMessageW,
    IDC_ARROW, LoadCursorW, MB_OK, MSG, MessageBoxW, PostQuitMessage, RegisterClassExW,
    TranslateMessage, WM_DESTROY, WM_LBUTTONDOWN, WM_PAINT, WNDCLASSEXW, WS_OVERLAPPEDWINDOW,
    WS_VISIBLE,
};
use windows_sys::core::w;

/// How far the text is from the edges.
const MARGIN: i32 = 12;

thread_local! {
    static TEXT: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

pub struct Window(HWND);

impl Window {
    /// Opens the window. It is the only one of its kind.
    pub fn open(title: &str) -> io::Result<Window> {
        let name = w!("interloop echo");
        let title: Vec<u16> = title.encode_utf16().chain([0]).collect();
        // SAFETY: the names end with zeros and live through the calls.
        let window = unsafe {
            let class = WNDCLASSEXW {
                cbSize: size_of::<WNDCLASSEXW>() as u32,
                lpfnWndProc: Some(procedure),
                hCursor: LoadCursorW(ptr::null_mut(), IDC_ARROW),
                hbrBackground: ptr::without_provenance_mut(COLOR_WINDOW as usize + 1),
                lpszClassName: name,
                ..WNDCLASSEXW::default()
            };
            if RegisterClassExW(&class) == 0 {
                return Err(io::Error::last_os_error());
            }
            CreateWindowExW(
                0,
                name,
                title.as_ptr(),
                WS_OVERLAPPEDWINDOW | WS_VISIBLE,
                CW_USEDEFAULT,
                CW_USEDEFAULT,
                480,
                300,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            )
        };
        if window.is_null() { Err(io::Error::last_os_error()) } else { Ok(Window(window)) }
    }

    pub fn show(&self, text: &str) {
        TEXT.set(text.encode_utf16().collect());
        // SAFETY: the window is this thread's, or gone.
        unsafe { InvalidateRect(self.0, ptr::null(), 1) };
    }
}

/// Runs the message loop until the window is closed.
pub fn run() {
    let mut message = MSG::default();
    // SAFETY: `message` lives, and is what GetMessageW has written.
    unsafe {
        while GetMessageW(&mut message, ptr::null_mut(), 0, 0) > 0 {
            TranslateMessage(&message);
            DispatchMessageW(&message);
        }
    }
}

fn paint(window: HWND) {
    let mut painting = PAINTSTRUCT::default();
    let mut area = RECT::default();
    TEXT.with_borrow_mut(|text| {
        // SAFETY: the window is this thread's, and is being painted; all the others live.
        unsafe {
            let context = BeginPaint(window, &mut painting);
            GetClientRect(window, &mut area);
            area.left += MARGIN;
            area.top += MARGIN;
            DrawTextW(context, text.as_mut_ptr(), text.len() as i32, &mut area, DT_NOPREFIX);
            EndPaint(window, &painting);
        }
    });
}

unsafe extern "system" fn procedure(
    window: HWND,
    message: u32,
    wparam: WPARAM,
    lparam: LPARAM,
) -> LRESULT {
    match message {
        WM_PAINT => {
            paint(window);
            return 0;
        }
        WM_LBUTTONDOWN => {
            let text = w!("The server goes on while this is open.");
            // SAFETY: the texts end with zeros.
            unsafe { MessageBoxW(window, text, w!("interloop echo"), MB_OK) };
        }
        // SAFETY: it takes a number.
        WM_DESTROY => unsafe { PostQuitMessage(0) },
        _ => {}
    }
    // SAFETY: these are the parameters of the procedure.
    unsafe { DefWindowProcW(window, message, wparam, lparam) }
}
