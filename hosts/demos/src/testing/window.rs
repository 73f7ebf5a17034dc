//! A window of X11, as its manager sees it.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, Window};
use x11rb::rust_connection::RustConnection;

use super::LIMIT;

/// True when there is a display for windows. Where there is none it says so, for the test to pass without
/// having run.
///
/// # Panics
///
/// When there is none, and `INTERLOOP_REQUIRE_HOSTS=1` is in the environment.
pub fn has_display() -> bool {
    let there = env::var_os("DISPLAY").is_some();
    let required = env::var_os("INTERLOOP_REQUIRE_HOSTS").is_some_and(|value| value == "1");
    assert!(there || !required, "no DISPLAY, and INTERLOOP_REQUIRE_HOSTS is set");
    if !there {
        eprintln!("skipped: no DISPLAY; run this with xvfb-run -a");
    }
    there
}

/// Asks the window with this title to close, as the window manager does for the user, once it is there.
///
/// # Panics
///
/// When it is not there within a minute.
pub fn close_window(title: &str) {
    let (x, screen) = x11rb::connect(None).expect("the display is there");
    let root = x.setup().roots[screen].root;
    let limit = Instant::now() + LIMIT;
    while !close(&x, root, title).expect("the display answers") {
        assert!(Instant::now() < limit, "there is no window with the title {title:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// False when there is no such window.
fn close(x: &RustConnection, root: Window, title: &str) -> Result<bool, ReplyOrIdError> {
    let children = x.query_tree(root)?.reply()?.children;
    // Windows come and go: one that is gone has no title.
    let has_title = |window: &Window| {
        let name = x.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 1_000);
        let name = name.ok().and_then(|name| name.reply().ok());
        name.is_some_and(|name| name.value == title.as_bytes())
    };
    let Some(window) = children.into_iter().find(has_title) else { return Ok(false) };
    let atom = |name: &[u8]| Ok::<_, ReplyOrIdError>(x.intern_atom(false, name)?.reply()?.atom);
    let (protocols, delete) = (atom(b"WM_PROTOCOLS")?, atom(b"WM_DELETE_WINDOW")?);
    let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
    x.send_event(false, window, EventMask::NO_EVENT, message)?.check()?;
    Ok(true)
}
