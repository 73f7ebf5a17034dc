//! An event dispatcher that shows whether an application is destroyed while it is being woken.

unsafe extern "C" {
    safe fn qt_slow_dispatcher_install();
    safe fn qt_slow_dispatcher_wait();
    safe fn qt_slow_dispatcher_was_woken() -> bool;
    safe fn qt_slow_dispatcher_was_destroyed_while_woken() -> bool;
}

/// Gives the next application a dispatcher that takes its time when another thread wakes it. Its loop
/// cannot be run.
pub fn install() {
    qt_slow_dispatcher_install();
}

/// Waits until another thread wakes the dispatcher.
pub fn wait() {
    qt_slow_dispatcher_wait();
}

/// Whether another thread has woken the dispatcher.
pub fn was_woken() -> bool {
    qt_slow_dispatcher_was_woken()
}

/// Whether the dispatcher was destroyed while another thread was waking it.
pub fn was_destroyed_while_woken() -> bool {
    qt_slow_dispatcher_was_destroyed_while_woken()
}
