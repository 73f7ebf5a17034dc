//! Closing a window as the window manager does for the user.

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{AtomEnum, ClientMessageEvent, ConnectionExt, EventMask, Window};

/// Asks the window with this title to close.
pub fn window(title: &str) {
    let (x, screen) = x11rb::connect(None).expect("the display is there");
    let root = x.setup().roots[screen].root;
    let children = x.query_tree(root).unwrap().reply().unwrap().children;
    let has_title = |window: &Window| {
        let name = x.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 100);
        name.unwrap().reply().is_ok_and(|name| name.value == title.as_bytes())
    };
    let window = children.into_iter().find(has_title).expect("the window is there");
    let atom = |name: &[u8]| x.intern_atom(false, name).unwrap().reply().unwrap().atom;
    let (protocols, delete) = (atom(b"WM_PROTOCOLS"), atom(b"WM_DELETE_WINDOW"));
    let message = ClientMessageEvent::new(32, window, protocols, [delete, 0, 0, 0, 0]);
    x.send_event(false, window, EventMask::NO_EVENT, message).unwrap().check().unwrap();
}
