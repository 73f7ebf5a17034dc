//! A window of X11, as its manager sees it.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, MapState, Window,
};
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

/// Waits for a window with this title, and gives its number.
///
/// # Panics
///
/// When it is not there within a minute.
pub fn wait_for_window(title: &str) -> u32 {
    wait_for(&Display::connect(), title)
}

/// Asks the window with this title to close, as the window manager does for the user, once it is there.
///
/// # Panics
///
/// When it is not there within a minute.
pub fn close_window(title: &str) {
    let display = Display::connect();
    let window = wait_for(&display, title);
    display.close(window).expect("the display answers");
}

fn wait_for(display: &Display, title: &str) -> Window {
    let limit = Instant::now() + LIMIT;
    loop {
        if let Some(window) = display.find(title).expect("the display answers") {
            return window;
        }
        let others = || display.titles().expect("the display answers");
        assert!(Instant::now() < limit, "no window has the title {title:?}, but {:?}", others());
        thread::sleep(Duration::from_millis(10));
    }
}

struct Display {
    x: RustConnection,
    root: Window,
}

impl Display {
    fn connect() -> Display {
        let (x, screen) = x11rb::connect(None).expect("the display is there");
        let root = x.setup().roots[screen].root;
        Display { x, root }
    }

    /// The title of a window. Windows come and go: one that is gone has none.
    fn title(&self, window: Window) -> Option<Vec<u8>> {
        let name = self.x.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 1_000);
        name.ok()?.reply().ok().map(|name| name.value).filter(|title| !title.is_empty())
    }

    /// One that is not shown yet does not listen either.
    fn is_shown(&self, window: Window) -> bool {
        let attributes = self.x.get_window_attributes(window).ok();
        let attributes = attributes.and_then(|attributes| attributes.reply().ok());
        attributes.is_some_and(|attributes| attributes.map_state == MapState::VIEWABLE)
    }

    fn find(&self, title: &str) -> Result<Option<Window>, ReplyOrIdError> {
        let mut windows = self.x.query_tree(self.root)?.reply()?.children.into_iter();
        let is_it = |window| self.title(window).as_deref() == Some(title.as_bytes());
        Ok(windows.find(|&window| is_it(window) && self.is_shown(window)))
    }

    fn titles(&self) -> Result<Vec<String>, ReplyOrIdError> {
        let windows = self.x.query_tree(self.root)?.reply()?.children.into_iter();
        let titles = windows.filter_map(|window| self.title(window));
        Ok(titles.map(|title| String::from_utf8_lossy(&title).into_owned()).collect())
    }

    fn close(&self, window: Window) -> Result<(), ReplyOrIdError> {
        let atom = |name| Ok::<_, ReplyOrIdError>(self.x.intern_atom(false, name)?.reply()?.atom);
        let (protocols, delete) = (atom(b"WM_PROTOCOLS")?, atom(b"WM_DELETE_WINDOW")?);
        let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
        Ok(self.x.send_event(false, window, EventMask::NO_EVENT, message)?.check()?)
    }
}
