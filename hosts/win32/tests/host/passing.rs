//! Reactors that are never idle, and what else is to be dispatched.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Kit;
use windows_sys::Win32::UI::Input::KeyboardAndMouse::{
    INPUT, INPUT_0, INPUT_KEYBOARD, KEYBDINPUT, KEYEVENTF_KEYUP, SendInput, SetFocus, VK_F13,
};

use crate::gui::Gui;
use crate::pump::{self, GetMessages, MsgWaits, Pump};
use crate::win32::Win32;

/// How many messages of each kind have to come.
const EACH: u32 = 20;

pub fn cases(kit: Kit) -> Kit {
    kit.case::<Win32<GetMessages>>("a_flood_lets_timers_pass", timers::<GetMessages>)
        .case::<Win32<MsgWaits>>("a_flood_lets_timers_pass", timers::<MsgWaits>)
        .case::<Win32<GetMessages>>("a_flood_lets_painting_pass", painting)
        .case::<Win32<GetMessages>>("a_flood_lets_input_pass", input)
        .case::<Win32<GetMessages>>("a_flood_lets_wm_quit_pass", quit::<GetMessages>)
        .case::<Win32<MsgWaits>>("a_flood_lets_wm_quit_pass", quit::<MsgWaits>)
        .case::<Win32<GetMessages>>("painting_for_ever_lets_turns_pass", painting_for_ever)
        .case::<Win32<GetMessages>>("two_floods_take_turns", two)
}

/// Has something to do in every turn, for ever. Each turn takes a while. Gives the count of turns.
fn flood(reactor: &Reactor) -> Rc<Cell<u32>> {
    let polls = Rc::new(Cell::new(0));
    let count = Rc::clone(&polls);
    let task = poll_fn(move |context| {
        count.set(count.get() + 1);
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    reactor.spawn_local(task).detach();
    polls
}

fn timers<P: Pump>() -> io::Result<()> {
    P::prepare();
    let gui = Gui::open()?;
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let _polls = flood(&reactor);
    let ticks = Rc::new(Cell::new(0));
    let count = Rc::clone(&ticks);
    gui.every(Duration::from_millis(10), Box::new(move || count.set(count.get() + 1)));
    P::run_until(&|| ticks.get() >= EACH);
    drop(attached);
    Ok(())
}

fn painting() -> io::Result<()> {
    let gui = Gui::open()?;
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let _polls = flood(&reactor);
    let before = gui.paints.get();
    gui.repaint();
    GetMessages::run_until(&|| gui.paints.get() >= before + EACH);
    drop(attached);
    Ok(())
}

fn painting_for_ever() -> io::Result<()> {
    let gui = Gui::open()?;
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let polls = flood(&reactor);
    gui.repaint();
    let before = gui.paints.get();
    GetMessages::run_until(&|| polls.get() >= 10 * EACH);
    let paints = gui.paints.get() - before;
    assert!(paints >= EACH, "{paints} paintings beside {} turns", polls.get());
    drop(attached);
    Ok(())
}

fn input() -> io::Result<()> {
    let gui = Gui::open()?;
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    // SAFETY: the window is this thread's.
    unsafe { SetFocus(gui.window()) };
    let _polls = flood(&reactor);
    press_keys(EACH)?;
    GetMessages::run_until(&|| gui.keys.get() >= EACH);
    drop(attached);
    Ok(())
}

/// As a keyboard does.
fn press_keys(count: u32) -> io::Result<()> {
    let key = |flags| {
        let ki = KEYBDINPUT { wVk: VK_F13, dwFlags: flags, ..KEYBDINPUT::default() };
        INPUT { r#type: INPUT_KEYBOARD, Anonymous: INPUT_0 { ki } }
    };
    for _ in 0..count {
        let inputs = [key(0), key(KEYEVENTF_KEYUP)];
        // SAFETY: there are two of this size.
        let sent = unsafe { SendInput(2, inputs.as_ptr(), size_of::<INPUT>() as i32) };
        if sent != 2 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn quit<P: Pump>() -> io::Result<()> {
    P::prepare();
    let reactor = Reactor::new()?;
    let attached = interloop_win32::attach(&reactor)?;
    let polls = flood(&reactor);
    reactor.after(Duration::from_millis(50), pump::quit).detach();
    P::run_until(&|| false);
    assert!(polls.get() > 0);
    drop(attached);
    Ok(())
}

fn two() -> io::Result<()> {
    let reactors = [Reactor::new()?, Reactor::new()?];
    let polls: Vec<_> = reactors.iter().map(flood).collect();
    let attached: Vec<_> =
        reactors.iter().map(|reactor| interloop_win32::attach(reactor)).collect();
    GetMessages::run_until(&|| polls.iter().all(|polls| polls.get() >= 10 * EACH));
    let polls: Vec<u32> = polls.iter().map(|polls| polls.get()).collect();
    let most = polls.iter().max().expect("there are two");
    assert!(*most < 40 * EACH, "the two took turns unevenly: {polls:?}");
    drop(attached);
    Ok(())
}
