//! The C++ shim, `shim.cpp` and `quitter.cpp`, in Rust's terms.
//!
//! A callback that panics here aborts the process: nothing may unwind through Qt.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::rc::Rc;

use interloop::Tick;
use interloop::backends::{AsSource, source_number};

mod raw {
    use std::ffi::c_void;

    #[repr(C)]
    pub(super) struct Receiver {
        _opaque: [u8; 0],
    }

    #[repr(C)]
    pub(super) struct Joint {
        _opaque: [u8; 0],
    }

    #[repr(C)]
    pub(super) struct Quitter {
        _opaque: [u8; 0],
    }

    #[repr(C)]
    pub(super) struct TickCalls {
        pub(super) run: extern "C" fn(*mut c_void),
        pub(super) fail: extern "C" fn(*mut c_void),
        pub(super) forget: extern "C" fn(*mut c_void),
    }

    unsafe extern "C" {
        pub(super) safe fn interloop_qt_is_elsewhere() -> bool;
        pub(super) safe fn interloop_qt_polls_by_number() -> bool;
        pub(super) safe fn interloop_qt_receiver_new(calls: TickCalls) -> *mut Receiver;
        pub(super) fn interloop_qt_receiver_post(
            receiver: *mut Receiver,
            tick: *mut c_void,
        ) -> bool;
        pub(super) fn interloop_qt_receiver_let_go(receiver: *mut Receiver);
        pub(super) fn interloop_qt_joint_new(
            descriptor: isize,
            readable: extern "C" fn(*mut c_void) -> bool,
            quits: extern "C" fn(*mut c_void),
            data: *mut c_void,
        ) -> *mut Joint;
        pub(super) fn interloop_qt_joint_let_go(joint: *mut Joint);
        pub(super) safe fn interloop_qt_quitter_new() -> *mut Quitter;
        pub(super) fn interloop_qt_quitter_let_go(quitter: *mut Quitter);
    }
}

/// True when there is a QCoreApplication, and it lives on another thread.
pub(crate) fn is_application_elsewhere() -> bool {
    raw::interloop_qt_is_elsewhere()
}

/// True when the event dispatcher of this thread takes the number of a descriptor anew for each poll.
pub(crate) fn polls_by_number() -> bool {
    raw::interloop_qt_polls_by_number()
}

/// A QObject on the thread that made it, which runs the ticks that are posted to it.
pub(crate) struct Receiver(*mut raw::Receiver);

// SAFETY: the shim lets go of the object on any thread.
unsafe impl Send for Receiver {}

// SAFETY: the shim posts on any thread, and on several at a time.
unsafe impl Sync for Receiver {}

impl Receiver {
    pub(crate) fn new() -> Receiver {
        let calls = raw::TickCalls { run: run_tick, fail: fail_tick, forget: forget_tick };
        Receiver(raw::interloop_qt_receiver_new(calls))
    }

    /// Posts a tick, or drops it where the application is being destroyed.
    pub(crate) fn post(&self, tick: Tick) {
        let tick = Box::into_raw(Box::new(tick)).cast();
        // SAFETY: the receiver lives as long as `self`. The shim gives a tick that it has taken to
        // one of the three functions, once.
        if !unsafe { raw::interloop_qt_receiver_post(self.0, tick) } {
            fail_tick(tick);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // SAFETY: it is there until now, and nobody else has it.
        unsafe { raw::interloop_qt_receiver_let_go(self.0) }
    }
}

extern "C" fn run_tick(tick: *mut c_void) {
    unbox(tick).run();
}

extern "C" fn fail_tick(tick: *mut c_void) {
    drop(unbox(tick));
}

extern "C" fn forget_tick(tick: *mut c_void) {
    unbox(tick).detach();
}

fn unbox(tick: *mut c_void) -> Tick {
    // SAFETY: it is what `Receiver::post` gave, and each is handed back once.
    *unsafe { Box::from_raw(tick.cast()) }
}

/// What is told of the application.
pub(crate) trait Guest {
    /// The descriptor is readable. False ends the watch.
    fn is_readable(&self) -> bool;

    /// The application is about to quit: its loop has ended.
    fn quits(&self);
}

/// Joins a guest to the application of this thread, at once or when there is one and its loop runs. Dropping
/// it ends that; the guest may do it while it is being told something.
pub(crate) struct Joint<G: Guest> {
    raw: *mut raw::Joint,
    guest: *const G,
}

impl<G: Guest> Joint<G> {
    /// Watches `source` too, which has to outlive the joint.
    pub(crate) fn new<S: AsSource>(source: Option<&S>, guest: Rc<G>) -> Joint<G> {
        let number = source.map(|source| source_number(source.as_source()));
        // A handle or a small number, which is signed where it comes from.
        let descriptor = number.map_or(-1, |number| number as isize);
        let guest = Rc::into_raw(guest);
        let data = guest.cast_mut().cast();
        // SAFETY: `data` is a `G` in an `Rc`, as the two functions take it, until the shim has let go.
        let raw =
            unsafe { raw::interloop_qt_joint_new(descriptor, is_readable::<G>, quits::<G>, data) };
        Joint { raw, guest }
    }
}

impl<G: Guest> Drop for Joint<G> {
    fn drop(&mut self) {
        // SAFETY: it is there until now; after this the shim does not use the guest.
        unsafe { raw::interloop_qt_joint_let_go(self.raw) };
        // SAFETY: it comes from `Rc::into_raw` in `new`, and is given back once.
        drop(unsafe { Rc::from_raw(self.guest) });
    }
}

extern "C" fn is_readable<G: Guest>(data: *mut c_void) -> bool {
    lend::<G>(data).is_readable()
}

extern "C" fn quits<G: Guest>(data: *mut c_void) {
    lend::<G>(data).quits();
}

/// The guest, which may drop its joint while it is called.
fn lend<G: Guest>(data: *mut c_void) -> Rc<G> {
    let guest = data.cast_const().cast::<G>();
    // SAFETY: the shim was given it by `Joint::new`, and calls only while the joint owns a count of it.
    unsafe {
        Rc::increment_strong_count(guest);
        Rc::from_raw(guest)
    }
}

/// Tells the application of this thread to quit, at once or when it runs, unless it is dropped before.
pub(crate) struct Quitter(*mut raw::Quitter);

impl Quitter {
    pub(crate) fn new() -> Quitter {
        Quitter(raw::interloop_qt_quitter_new())
    }
}

impl Drop for Quitter {
    fn drop(&mut self) {
        // SAFETY: it is there until now, on this thread, as a pointer is not `Send`.
        unsafe { raw::interloop_qt_quitter_let_go(self.0) }
    }
}
