//! Loops inside callbacks: dialogs, message boxes, menus, moving a window.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Kit;
use windows_sys::Win32::Foundation::{HWND, LPARAM, WPARAM};
use windows_sys::Win32::UI::Input::KeyboardAndMouse::VK_RETURN;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    AppendMenuW, CreatePopupMenu, DLGTEMPLATE, DefWindowProcW, DestroyMenu,
    DialogBoxIndirectParamW, EndDialog, EndMenu, GWLP_USERDATA, GetForegroundWindow,
    GetWindowLongPtrW, MB_OK, MF_STRING, MessageBoxW, PostMessageW, SC_MOVE, SetTimer,
    SetWindowLongPtrW, TPM_RETURNCMD, TrackPopupMenu, WM_COMMAND, WM_INITDIALOG, WM_KEYDOWN,
    WM_SYSCOMMAND, WM_TIMER, WS_CAPTION, WS_POPUP, WS_VISIBLE,
};
use windows_sys::core::w;

use crate::gui::Gui;
use crate::pump::{GetMessages, Pump};
use crate::win32::Win32;

pub fn cases(kit: Kit) -> Kit {
    type Plain = Win32<GetMessages>;
    kit.case::<Plain>("a_message_box_lets_timers_and_tasks_go_on", message_box)
        .case::<Plain>("a_menu_lets_timers_and_tasks_go_on", menu)
        .case::<Plain>("moving_a_window_lets_timers_and_tasks_go_on", moving)
}

type Done = Rc<dyn Fn() -> bool>;

/// A dialog without a control, and the three empty words that follow: menu, class, title.
#[repr(C, align(4))]
struct Template(DLGTEMPLATE, [u16; 3]);

/// A modal dialog, until `done`.
pub fn dialog(gui: &Gui, done: Done) -> io::Result<()> {
    let style = WS_POPUP | WS_CAPTION | WS_VISIBLE;
    let size = DLGTEMPLATE { style, cx: 100, cy: 50, ..DLGTEMPLATE::default() };
    let template = Template(size, [0; 3]);
    let (owner, parameter) = (gui.window(), &raw const done as LPARAM);
    // SAFETY: the template is one of no controls; the procedure expects a `Done` that lives until the
    // dialog has ended.
    let ended = unsafe {
        DialogBoxIndirectParamW(ptr::null_mut(), &template.0, owner, Some(procedure), parameter)
    };
    if ended == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

unsafe extern "system" fn procedure(
    dialog: HWND,
    message: u32,
    _wparam: WPARAM,
    lparam: LPARAM,
) -> isize {
    // SAFETY: the dialog is this thread's; WM_INITDIALOG brings what `dialog` has given, and that lives.
    unsafe {
        match message {
            WM_INITDIALOG => {
                SetWindowLongPtrW(dialog, GWLP_USERDATA, lparam);
                SetTimer(dialog, 1, 10, None);
            }
            WM_TIMER => {
                let done = GetWindowLongPtrW(dialog, GWLP_USERDATA) as *const Done;
                if (*done)() {
                    EndDialog(dialog, 1);
                }
            }
            _ => return 0,
        }
    }
    1
}

/// Opens a loop of the system's inside a callback, and has a timer of the reactor `end` it, after some
/// turns that only this loop can have dispatched.
fn in_a_callback(open: fn(HWND), end: fn(HWND)) -> io::Result<()> {
    const TURNS: u32 = 20;
    let gui = Gui::open()?;
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let window = gui.window();
    let (is_open, turns) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
    let (inside, count) = (Rc::clone(&is_open), Rc::clone(&turns));
    let tick = move || {
        count.set(count.get() + u32::from(inside.get()));
        // Again and again: the loop might not be ready for the first.
        if inside.get() && count.get() >= TURNS {
            end(window);
        }
        ControlFlow::Continue(())
    };
    reactor.every(Duration::from_millis(1), tick).detach();
    let handle = reactor.handle();
    let opener = async move {
        is_open.set(true);
        open(window);
        is_open.set(false);
        handle.stop();
    };
    reactor.spawn_local(opener).detach();
    GetMessages::run_until(&|| false);
    assert!(turns.get() >= TURNS, "the loop ended by itself, after {} turns", turns.get());
    assert!(reactor.stats().nesting > 1, "{:#?}", reactor.stats());
    drop(attached);
    Ok(())
}

fn message_box() -> io::Result<()> {
    let open = |window| {
        // SAFETY: the texts live.
        let answer = unsafe { MessageBoxW(window, w!("Go on?"), w!("interloop"), MB_OK) };
        assert_ne!(answer, 0, "MessageBox: {}", io::Error::last_os_error());
    };
    let end = |_| {
        // SAFETY: the message carries nothing, and a window that is no message box ignores it.
        unsafe { PostMessageW(GetForegroundWindow(), WM_COMMAND, 2, 0) };
    };
    in_a_callback(open, end)
}

fn menu() -> io::Result<()> {
    let open = |window| {
        // SAFETY: the text lives; the menu is destroyed once.
        unsafe {
            let menu = CreatePopupMenu();
            AppendMenuW(menu, MF_STRING, 1, w!("Nothing"));
            TrackPopupMenu(menu, TPM_RETURNCMD, 0, 0, 0, window, ptr::null());
            DestroyMenu(menu);
        }
    };
    let end = |_| {
        // SAFETY: it takes nothing.
        unsafe { EndMenu() };
    };
    in_a_callback(open, end)
}

fn moving() -> io::Result<()> {
    let open = |window| {
        // SAFETY: the window is this thread's. Without the mouse, by the keyboard.
        unsafe { DefWindowProcW(window, WM_SYSCOMMAND, SC_MOVE as WPARAM, 0) };
    };
    let end = |window| {
        // SAFETY: the message carries no pointer.
        unsafe { PostMessageW(window, WM_KEYDOWN, VK_RETURN as WPARAM, 0) };
    };
    in_a_callback(open, end)
}
