//! Threads that are single-threaded apartments of COM, and are not the main one.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use interloop::net::{TcpListener, TcpStream};
use interloop::testing::{Kit, inapplicable};
use interloop::{Handle, Reactor};
use windows_sys::Win32::Foundation::RPC_S_CALLPENDING;
use windows_sys::Win32::System::Com::{
    COWAIT_DISPATCH_CALLS, COWAIT_DISPATCH_WINDOW_MESSAGES, CoWaitForMultipleHandles,
};
use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent};
use windows_sys::Win32::UI::WindowsAndMessaging::{SendMessageW, WM_NULL};

use crate::gui::Gui;
use crate::pump::{GetMessages, MsgWaits, Pump, enter_apartment};
use crate::win32::Win32;

pub fn cases(kit: Kit) -> Kit {
    type Apartment = Win32<MsgWaits>;
    kit.case::<Apartment>("ten_apartments_with_a_reactor_each", ten)
        .case::<Apartment>("what_other_threads_send_comes_between_turns", sent)
        .case::<Apartment>("a_wait_of_com_lets_turns_go_on", wait)
}

/// Says hello through TCP, a number of times.
async fn talk(handle: Handle, times: u32) -> io::Result<()> {
    let listener = TcpListener::bind(&handle, "127.0.0.1:0")?;
    let mut client = TcpStream::connect(&handle, listener.local_addr()?).await?;
    let (mut server, _) = listener.accept().await?;
    for _ in 0..times {
        let mut word = [0; 5];
        client.write_all(b"hello").await?;
        server.read_exact(&mut word).await?;
        server.write_all(&word).await?;
        client.read_exact(&mut word).await?;
    }
    Ok(())
}

fn ten() -> io::Result<()> {
    let threads: Vec<_> = (0..10)
        .map(|_| {
            thread::spawn(|| -> io::Result<()> {
                enter_apartment();
                let reactor = Reactor::new()?;
                let attached = interloop_win32::attach(&reactor)?;
                let handle = reactor.handle();
                let talk = async move {
                    talk(handle.clone(), 50).await.expect("the loopback interface works");
                    handle.stop();
                };
                reactor.spawn_local(talk).detach();
                GetMessages::run_until(&|| false);
                assert!(reactor.is_stopped());
                drop(attached);
                Ok(())
            })
        })
        .collect();
    threads.into_iter().try_for_each(|thread| thread.join().expect("no callback panics"))
}

/// Messages that are sent, as COM's calls into an apartment are, are served by any wait of the thread.
fn sent() -> io::Result<()> {
    MsgWaits::prepare();
    let gui = Gui::open()?;
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let window = Arc::new(AtomicIsize::new(gui.window() as isize));
    let (over, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let (end, count) = (Arc::clone(&over), Arc::clone(&served));
    let sender = thread::spawn(move || {
        while !end.load(Ordering::Relaxed) {
            // SAFETY: the message carries nothing.
            unsafe { SendMessageW(window.load(Ordering::Relaxed) as _, WM_NULL, 0, 0) };
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let handle = reactor.handle();
    let talk = async move {
        talk(handle.clone(), 500).await.expect("the loopback interface works");
        while served.load(Ordering::Relaxed) < 100 {
            handle.sleep(Duration::from_millis(1)).await;
        }
        over.store(true, Ordering::Relaxed);
        handle.stop();
    };
    reactor.spawn_local(talk).detach();
    MsgWaits::run_until(&|| false);
    assert!(reactor.is_stopped());
    drop(attached);
    gui.destroy();
    sender.join().expect("it ends");
    Ok(())
}

/// COM waits for an event inside a callback. What comes meanwhile is delivered by then, or after that.
fn wait() -> io::Result<()> {
    const LIMIT: u32 = 2_000;
    enter_apartment();
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    // SAFETY: it has no name and no attributes.
    let event = unsafe { CreateEventW(ptr::null(), 1, 0, ptr::null()) };
    let waited = Rc::new(Cell::new(None));
    let (answer, number) = (Rc::clone(&waited), event as isize);
    let waiter = move || {
        let flags = (COWAIT_DISPATCH_CALLS | COWAIT_DISPATCH_WINDOW_MESSAGES) as u32;
        let mut index = 0;
        // SAFETY: there is one event.
        let waited =
            unsafe { CoWaitForMultipleHandles(flags, LIMIT, 1, &(number as _), &mut index) };
        answer.set(Some(waited));
    };
    reactor.after(Duration::ZERO, waiter).detach();
    let handle = reactor.handle();
    let setter = async move {
        talk(handle.clone(), 20).await.expect("the loopback interface works");
        // SAFETY: the event lives as long as the process.
        unsafe { SetEvent(number as _) };
        handle.stop();
    };
    reactor.spawn_local(setter).detach();
    GetMessages::run_until(&|| false);
    drop(attached);
    assert!(reactor.is_stopped());
    match waited.get().expect("the timer has fired") {
        0 => Ok(()),
        RPC_S_CALLPENDING => {
            let message = "CoWaitForMultipleHandles of this system dispatches no posted messages";
            Err(inapplicable(message))
        }
        other => panic!("CoWaitForMultipleHandles: {other:#x}"),
    }
}
