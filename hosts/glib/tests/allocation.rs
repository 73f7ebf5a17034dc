//! A wake does not allocate, neither here nor in GLib, and neither does what watches the descriptor.
//!
//! The only test of its program, for what is counted is the whole process: whoever asks the C library for
//! memory asks the functions below.
#![allow(unsafe_code)]
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::cell::Cell;
use std::ffi::c_void;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use glib::MainContext;
use interloop::{Action, Interest, Reactor, Source};
use interloop_glib::{Attach, Drive};

/// A patience that does not run out: what a watch over the host costs is another matter.
const NEVER: Duration = Duration::from_secs(3600);
const ECHOES: u64 = 10_000;
/// After how many times that many echoes a loop is warm, at the latest.
const STRETCHES: u64 = 8;

/// How often this process has asked for memory. Relaxed: read when all is quiet, or to see whether it
/// moved.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(memory: *mut c_void, size: usize) -> *mut c_void;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the caller keeps the contract of `malloc`, which this is.
    unsafe { __libc_malloc(size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the caller keeps the contract of `calloc`, which this is.
    unsafe { __libc_calloc(count, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(memory: *mut c_void, size: usize) -> *mut c_void {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the caller keeps the contract of `realloc`, which this is.
    unsafe { __libc_realloc(memory, size) }
}

/// Two sources that send a byte to and fro, and re-arm: each event is a wake.
fn echo(reactor: &Reactor, echoed: &Rc<Cell<u64>>) -> [Source<UnixStream>; 2] {
    let (client, server) = UnixStream::pair().unwrap();
    (&client).write_all(&[7]).unwrap();
    [client, server].map(|end| {
        let echoed = Rc::clone(echoed);
        let source = reactor.register(end, Interest::READABLE, move |mut io, _| {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            io.write_all(&byte).unwrap();
            echoed.set(echoed.get() + 1);
            Action::Rearm
        });
        source.unwrap()
    })
}

/// How often memory is asked for in a stretch of echoes, when the loop is warm.
fn allocations(context: &MainContext, attach: Attach) -> u64 {
    let builder = Reactor::builder().rewake_after(NEVER).nested_grace(NEVER).slow_callback(NEVER);
    let reactor = builder.turn_budget(1_000_000, NEVER).build().unwrap();
    let attached = attach.to(&reactor).unwrap();
    let echoed = Rc::new(Cell::new(0));
    let _sources = echo(&reactor, &echoed);
    let mut asked = u64::MAX;
    for _ in 0..STRETCHES {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let end = echoed.get() + ECHOES;
        while echoed.get() < end {
            context.iteration(true);
        }
        asked = ALLOCATIONS.load(Ordering::Relaxed) - before;
        if asked == 0 {
            break;
        }
    }
    drop(attached);
    asked
}

#[test]
fn ten_thousand_wakes_allocate_nothing() {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let context = MainContext::new();
    assert!(ALLOCATIONS.load(Ordering::Relaxed) > before, "what GLib asks for is not counted");
    for attach in [Attach::new(), Attach::new().drive(Drive::Worker)] {
        let (what, inside) = (format!("{attach:?}"), context.clone());
        let asked = context.with_thread_default(|| allocations(&inside, attach)).unwrap();
        assert_eq!(asked, 0, "{what}");
    }
}
