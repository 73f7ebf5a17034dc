//! What is in the window.

use gtk4::prelude::*;
use gtk4::{
    Align, Application, ApplicationWindow, Box, Button, Entry, HeaderBar, InfoBar, InputPurpose,
    Label, MessageType, Orientation, ProgressBar, ScrolledWindow, Stack, StackSwitcher, TextTag,
    TextView, WrapMode, pango,
};

/// What of the window changes.
pub struct Widgets {
    pub window: ApplicationWindow,
    pub address: Entry,
    /// Loads, and while that goes on, cancels.
    pub button: Button,
    pub error_bar: InfoBar,
    pub error: Label,
    source: TextView,
    /// A line that is wrapped has no hyphen that is not in the page.
    verbatim: TextTag,
    pub headers: TextView,
    pub status: Label,
    pub progress: ProgressBar,
}

const SPACE: i32 = 6;

impl Widgets {
    pub fn new(application: &Application) -> Widgets {
        let window = ApplicationWindow::builder()
            .application(application)
            .title("Web Client")
            .default_width(900)
            .default_height(640)
            .build();
        let address = Entry::builder()
            .hexpand(true)
            .placeholder_text("Address")
            .input_purpose(InputPurpose::Url)
            .build();
        let button = Button::builder().label("Load").action_name("win.load").width_request(80);
        let error = Label::builder().wrap(true).wrap_mode(pango::WrapMode::WordChar).xalign(0.0);
        let error_bar = InfoBar::builder().message_type(MessageType::Error).revealed(false);
        let status = Label::builder().hexpand(true).xalign(0.0);
        let (source, verbatim) = (text_view(), TextTag::builder().insert_hyphens(false).build());
        source.buffer().tag_table().add(&verbatim);
        let widgets = Widgets {
            window,
            address,
            button: button.build(),
            error_bar: error_bar.show_close_button(true).build(),
            error: error.selectable(true).hexpand(true).build(),
            source,
            verbatim,
            headers: text_view(),
            status: status.ellipsize(pango::EllipsizeMode::End).build(),
            progress: ProgressBar::builder().width_request(200).visible(false).build(),
        };
        widgets.arrange();
        widgets
    }

    fn arrange(&self) {
        let stack = Stack::new();
        for (view, name) in [(&self.source, "Source"), (&self.headers, "Headers")] {
            let scrolled = ScrolledWindow::builder().child(view).vexpand(true).build();
            stack.add_titled(&scrolled, Some(name), name);
        }
        let switcher = StackSwitcher::builder().stack(&stack).build();
        let title_bar = HeaderBar::builder().title_widget(&self.address).build();
        title_bar.pack_start(&self.button);
        self.window.set_titlebar(Some(&title_bar));
        let top = row();
        switcher.set_halign(Align::Center);
        switcher.set_hexpand(true);
        top.append(&switcher);
        let bottom = row();
        bottom.append(&self.status);
        self.progress.set_valign(Align::Center);
        bottom.append(&self.progress);
        self.error_bar.add_child(&self.error);
        let all = Box::new(Orientation::Vertical, 0);
        all.append(&top);
        all.append(&self.error_bar);
        all.append(&stack);
        all.append(&bottom);
        self.window.set_child(Some(&all));
    }

    /// Adds to the source of the page.
    pub fn add_source(&self, text: &str) {
        let buffer = self.source.buffer();
        let mut end = buffer.end_iter();
        let begin = end.offset();
        buffer.insert(&mut end, text);
        buffer.apply_tag(&self.verbatim, &buffer.iter_at_offset(begin), &end);
    }

    /// Shows nothing of any page.
    pub fn clear(&self) {
        self.error_bar.set_revealed(false);
        for view in [&self.source, &self.headers] {
            view.buffer().set_text("");
        }
    }
}

fn row() -> Box {
    let row = Box::new(Orientation::Horizontal, SPACE);
    row.set_margin_top(SPACE);
    row.set_margin_bottom(SPACE);
    row.set_margin_start(SPACE);
    row.set_margin_end(SPACE);
    row
}

fn text_view() -> TextView {
    TextView::builder()
        .editable(false)
        .cursor_visible(false)
        .monospace(true)
        .wrap_mode(WrapMode::WordChar)
        .left_margin(SPACE)
        .right_margin(SPACE)
        .build()
}
