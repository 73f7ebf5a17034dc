//! `NSRunLoop` of GNUstep, whose own `CFRunLoop`, where it is installed, is another loop.

mod source;
mod watch;
mod watcher;

pub(crate) use source::Source;
pub(crate) use watch::Watch;

/// The common modes, one by one: `NSRunLoop` of GNUstep watches no descriptor in all of them by one name.
pub(crate) const COMMON: &[&str] =
    &["NSDefaultRunLoopMode", "NSModalPanelRunLoopMode", "NSEventTrackingRunLoopMode"];

/// Whether reactors are embedded without being asked.
pub(crate) const EMBEDS_BY_ITSELF: bool = true;

/// A run of an `NSRunLoop` ends by itself after each event, and its caller sees what to do.
pub(crate) fn stop() {}

/// The base library knows no application.
pub(crate) fn quit_application() {}

/// No application tells of its end.
pub(crate) enum Termination {}

impl Termination {
    pub(crate) fn observe(_end: impl Fn() + 'static) -> Option<Termination> {
        None
    }
}
