//! Objects of GNUstep, by the runtime of Objective-C.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_void};
use std::mem;
use std::time::Duration;

type Id = *mut c_void;
type Selector = *const c_void;
type Method = unsafe extern "C" fn();

unsafe extern "C" {
    fn objc_getClass(name: *const c_char) -> Id;
    fn sel_registerName(name: *const c_char) -> Selector;
    fn objc_msg_lookup(receiver: Id, selector: Selector) -> Method;
    fn objc_allocateClassPair(superclass: Id, name: *const c_char, extra: usize) -> Id;
    fn objc_registerClassPair(class: Id);
    fn NSDeallocateObject(object: Id);
    fn class_addMethod(class: Id, name: Selector, method: Method, types: *const c_char) -> i8;
}

/// Looks a method up, and calls it: `send!(receiver, c"selector:", (argument: type) -> type)`.
macro_rules! send {
    ($receiver:expr, $selector:expr, ($($argument:expr => $kind:ty),*) -> $answer:ty) => {{
        let (receiver, selector) = ($receiver, sel_registerName($selector.as_ptr()));
        let method = objc_msg_lookup(receiver, selector);
        let method: unsafe extern "C" fn(Id, Selector $(, $kind)*) -> $answer = mem::transmute(method);
        method(receiver, selector $(, $argument)*)
    }};
}

fn class(name: &CStr) -> Id {
    // SAFETY: the name ends with a zero.
    let class = unsafe { objc_getClass(name.as_ptr()) };
    assert!(!class.is_null(), "there is no class {name:?}");
    class
}

/// Runs `work` with an autorelease pool.
pub fn with_pool<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: a pool is made, and released once.
    unsafe {
        let pool = send!(class(c"NSAutoreleasePool"), c"new", () -> Id);
        let answer = work();
        send!(pool, c"release", () -> ());
        answer
    }
}

fn string(text: &str) -> Id {
    let text = CString::new(text).expect("a text without zeros");
    // SAFETY: the text ends with a zero.
    unsafe {
        send!(class(c"NSString"), c"stringWithUTF8String:", (text.as_ptr() => *const c_char) -> Id)
    }
}

fn current_loop() -> Id {
    // SAFETY: the thread is known to GNUstep.
    unsafe { send!(class(c"NSRunLoop"), c"currentRunLoop", () -> Id) }
}

/// Runs the loop in this mode once, for `limit` at the most.
pub fn run_in(mode: &str, limit: Duration) {
    with_pool(|| {
        // SAFETY: the arguments are of the kinds that the methods take.
        unsafe {
            let date = send!(
                class(c"NSDate"),
                c"dateWithTimeIntervalSinceNow:",
                (limit.as_secs_f64() => f64) -> Id
            );
            send!(current_loop(), c"runMode:beforeDate:", (string(mode) => Id, date => Id) -> i8);
        }
    });
}

type Callback = Box<dyn FnMut()>;

thread_local! {
    /// What timers call, by the numbers that are their objects.
    static CALLBACKS: RefCell<Vec<Option<Callback>>> = const { RefCell::new(Vec::new()) };
}

/// An object of ours, which timers and posts tell of themselves.
#[derive(Clone, Copy)]
pub struct Target(Id);

impl Target {
    /// Once in a process.
    pub fn new() -> Target {
        // SAFETY: a class without variables of its own is made and registered, with one method, which
        // takes an object.
        unsafe {
            let superclass = class(c"NSObject");
            let ours = objc_allocateClassPair(superclass, c"InterloopTarget".as_ptr(), 0);
            let fire: Method = mem::transmute(fire as unsafe extern "C" fn(Id, Selector, Id));
            let name = sel_registerName(c"fire:".as_ptr());
            class_addMethod(ours, name, fire, c"v@:@".as_ptr());
            objc_registerClassPair(ours);
            // GNUstep keeps the count in front of the object: only `alloc` makes room for it.
            Target(send!(ours, c"new", () -> Id))
        }
    }

    /// Calls back from a timer, again and again, in these modes.
    pub fn every(self, period: Duration, modes: &[&str], callback: Callback) {
        with_pool(|| {
            // SAFETY: the arguments are of the kinds that the methods take.
            unsafe {
                let timer = send!(
                    class(c"NSTimer"),
                    c"timerWithTimeInterval:target:selector:userInfo:repeats:",
                    (
                        period.as_secs_f64() => f64,
                        self.0 => Id,
                        sel_registerName(c"fire:".as_ptr()) => Selector,
                        number(callback) => Id,
                        1 => i8
                    ) -> Id
                );
                for mode in modes {
                    let mode = string(mode);
                    send!(current_loop(), c"addTimer:forMode:", (timer => Id, mode => Id) -> ());
                }
            }
        });
    }

    /// Calls back once from the loop.
    pub fn post(self, modes: &[&str], callback: Callback) {
        with_pool(|| {
            // SAFETY: the arguments are of the kinds that the methods take.
            unsafe {
                let names: Vec<Id> = modes.iter().map(|mode| string(mode)).collect();
                let modes = send!(
                    class(c"NSArray"),
                    c"arrayWithObjects:count:",
                    (names.as_ptr() => *const Id, names.len() => usize) -> Id
                );
                send!(
                    self.0,
                    c"performSelector:withObject:afterDelay:inModes:",
                    (
                        sel_registerName(c"fire:".as_ptr()) => Selector,
                        number(callback) => Id,
                        0.0 => f64,
                        modes => Id
                    ) -> ()
                );
            }
        });
    }
}

/// A class whose objects are counted when they go.
#[derive(Clone, Copy)]
pub struct Counted(Id);

thread_local! {
    static GONE: Cell<usize> = const { Cell::new(0) };
}

/// How many of these objects have gone.
pub fn gone() -> usize {
    GONE.get()
}

impl Counted {
    /// Once in a process.
    pub fn new() -> Counted {
        // SAFETY: a class without variables of its own is made and registered, with one method, which
        // takes nothing.
        unsafe {
            let superclass = class(c"NSObject");
            let ours = objc_allocateClassPair(superclass, c"InterloopCounted".as_ptr(), 0);
            let dealloc: Method = mem::transmute(dealloc as unsafe extern "C" fn(Id, Selector));
            class_addMethod(ours, sel_registerName(c"dealloc".as_ptr()), dealloc, c"v@:".as_ptr());
            objc_registerClassPair(ours);
            Counted(ours)
        }
    }

    /// Makes an object that goes with the innermost pool.
    pub fn autorelease(self) {
        // SAFETY: the class is registered.
        unsafe {
            let object = send!(self.0, c"new", () -> Id);
            send!(object, c"autorelease", () -> Id);
        }
    }
}

unsafe extern "C" fn dealloc(object: Id, _selector: Selector) {
    GONE.set(GONE.get() + 1);
    // SAFETY: it is the end of an object without variables.
    unsafe { NSDeallocateObject(object) };
}

/// Drops what timers call. The loop does not run again.
pub fn forget_callbacks() {
    let callbacks = CALLBACKS.take();
    drop(callbacks);
}

/// An `NSNumber` that stands for the callback.
fn number(callback: Callback) -> Id {
    let number = CALLBACKS.with_borrow_mut(|callbacks| {
        callbacks.push(Some(callback));
        callbacks.len() - 1
    });
    // SAFETY: it takes a word.
    unsafe { send!(class(c"NSNumber"), c"numberWithUnsignedLong:", (number => usize) -> Id) }
}

/// The method of `Target`: gets a timer with a number as its `userInfo`, or the number.
unsafe extern "C" fn fire(_target: Id, _selector: Selector, sender: Id) {
    // SAFETY: it is one of the two.
    let number = unsafe {
        let kind = class(c"NSTimer");
        let is_timer = send!(sender, c"isKindOfClass:", (kind => Id) -> i8) != 0;
        let number = if is_timer { send!(sender, c"userInfo", () -> Id) } else { sender };
        send!(number, c"unsignedLongValue", () -> usize)
    };
    // None while it runs, in a loop that it has opened.
    let callback = CALLBACKS.with_borrow_mut(|callbacks| callbacks[number].take());
    if let Some(mut callback) = callback {
        callback();
        CALLBACKS.with_borrow_mut(|callbacks| callbacks[number] = Some(callback));
    }
}
