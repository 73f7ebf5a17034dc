//! `CFRunLoop`: Apple's, or on Linux that of Swift's Foundation.

#[cfg_attr(all(target_os = "macos", feature = "appkit"), path = "application.rs")]
#[cfg_attr(not(all(target_os = "macos", feature = "appkit")), path = "no_application.rs")]
mod application;
mod object;
#[cfg_attr(target_vendor = "apple", path = "pool.rs")]
#[cfg_attr(not(target_vendor = "apple"), path = "no_pool.rs")]
mod pool;
mod source;
#[cfg_attr(target_os = "macos", path = "termination.rs")]
#[cfg_attr(not(target_os = "macos"), path = "no_termination.rs")]
mod termination;
#[cfg_attr(target_vendor = "apple", path = "descriptor.rs")]
#[cfg_attr(not(target_vendor = "apple"), path = "port.rs")]
mod watch;

pub(crate) use application::quit_application;
pub(crate) use object::stop;
pub(crate) use source::Source;
pub(crate) use termination::Termination;
pub(crate) use watch::Watch;

/// The common modes.
pub(crate) const COMMON: &[&str] = &[object::COMMON];

/// Whether reactors are embedded without being asked.
pub(crate) const EMBEDS_BY_ITSELF: bool = false;
