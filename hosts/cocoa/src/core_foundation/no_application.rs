//! There is no application, or none that this crate knows.

pub(crate) fn quit_application() {}
