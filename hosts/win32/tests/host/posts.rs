//! Posts that fail.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::{Kit, inapplicable};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;
use windows_sys::Win32::UI::WindowsAndMessaging::{PostThreadMessageW, WM_APP};

use crate::pump::{GetMessages, Pump};
use crate::win32::Win32;
use crate::windows::{destroy, ours};

pub fn cases(kit: Kit) -> Kit {
    type Plain = Win32<GetMessages>;
    kit.case::<Plain>("a_full_queue_loses_nothing", full_queue)
        .case::<Plain>("a_window_that_is_destroyed_in_the_loop_loses_nothing", lost_window)
}

/// More than a queue takes.
const MANY: u32 = 20_000;

/// Posts messages to this thread until it takes no more.
fn fill_the_queue() -> bool {
    // SAFETY: the message carries nothing, and no window gets it.
    let post = || unsafe { PostThreadMessageW(GetCurrentThreadId(), WM_APP, 0, 0) != 0 };
    (0..MANY).any(|_| !post())
}

fn full_queue() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let ran = Arc::new(AtomicU32::new(0));
    // While a callback of the loop's runs, nothing is taken from the queue.
    let is_full = fill_the_queue();
    let (remote, count) = (reactor.remote(), Arc::clone(&ran));
    let call = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    std::thread::spawn(move || remote.call(call).expect("the reactor lives"))
        .join()
        .expect("the call is made");
    if is_full {
        assert!(reactor.stats().wakes_failed > 0, "{:#?}", reactor.stats());
    }
    GetMessages::run_until(&|| ran.load(Ordering::Relaxed) > 0);
    drop(attached);
    if is_full {
        Ok(())
    } else {
        let message = format!("this system takes {MANY} messages: the queue is never full");
        Err(inapplicable(message))
    }
}

/// Every post fails from there on, and the end comes with the guard.
fn lost_window() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let ran = Rc::new(Cell::new(0));
    let (handle, count) = (reactor.handle(), Rc::clone(&ran));
    let asleep = async move {
        ours().into_iter().for_each(destroy);
        for _ in 0..10 {
            handle.sleep(Duration::from_millis(1)).await;
            count.set(count.get() + 1);
        }
        crate::pump::quit();
    };
    let task = reactor.spawn_local(asleep);
    let handle = reactor.handle();
    let end = async move {
        task.await;
        handle.sleep(Duration::from_millis(1)).await;
    };
    reactor.on_shutdown(interloop::Phase::Before, end)?.detach();
    GetMessages::run_until(&|| ours().is_empty());
    assert_eq!(ran.get(), 0);
    while reactor.stats().wakes_failed == 0 {
        std::thread::yield_now();
    }
    drop(attached);
    assert!(reactor.is_stopped());
    assert_eq!(ran.get(), 10);
    Ok(())
}
