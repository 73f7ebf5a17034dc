//! AppKit's application, which has a loop of its own round the run loop.

use objc2::MainThreadMarker;
use objc2_app_kit::{NSApplication, NSEvent, NSEventModifierFlags, NSEventType};
use objc2_foundation::NSPoint;

/// Stops the application, if it runs and this is its thread.
pub(crate) fn quit_application() {
    let Some(main_thread) = MainThreadMarker::new() else { return };
    let application = NSApplication::sharedApplication(main_thread);
    if !application.isRunning() {
        return;
    }
    application.stop(None);
    // It notices after the next event.
    let event = NSEvent::otherEventWithType_location_modifierFlags_timestamp_windowNumber_context_subtype_data1_data2(
        NSEventType::ApplicationDefined,
        NSPoint::ZERO,
        NSEventModifierFlags::empty(),
        0.0,
        0,
        None,
        0,
        0,
        0,
    );
    if let Some(event) = event {
        application.postEvent_atStart(&event, true);
    }
}
