//! Run loops of other threads, and what other threads do to the run loop of this one.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use interloop::net::{TcpListener, TcpStream};
use interloop::testing::Kit;
use interloop::{Action, Handle, Interest, Reactor};
use interloop_cocoa::{Attach, Drive, Modes};

use crate::run_loop::raw::run_in;
use crate::run_loop::{DEFAULT, Loop};

const RUN: Duration = Duration::from_millis(10);

pub fn cases(kit: Kit) -> Kit {
    kit.case::<Loop<false>>("ten_threads_with_a_reactor_each", || ten(Drive::Worker))
        .case::<Loop<true>>("ten_threads_with_a_reactor_each", || ten(Drive::Embedded))
        .case::<Loop<false>>("a_waker_dropped_elsewhere_takes_its_source_along", waker_elsewhere)
        .case::<Loop<false>>("a_hundred_reactors_leave_nothing_behind", || hundred(Drive::Worker))
        .case::<Loop<true>>("a_hundred_reactors_leave_nothing_behind", || hundred(Drive::Embedded))
        .case::<Loop<true>>("more_at_once_than_one_wait_tells_of", many)
        .case::<Loop<true>>("an_idle_loop_sleeps_when_the_reactor_has_stopped", idle)
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

fn work(drive: Drive) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = Attach::new().drive(drive).to(&reactor)?;
    let handle = reactor.handle();
    let talking = async move {
        talk(handle.clone(), 10).await.expect("the loopback interface works");
        handle.stop();
    };
    reactor.spawn_local(talking).detach();
    while !reactor.is_stopped() {
        run_in(DEFAULT, RUN);
    }
    drop(attached);
    Ok(())
}

fn ten(drive: Drive) -> io::Result<()> {
    let threads: Vec<_> = (0..10).map(|_| thread::spawn(move || work(drive))).collect();
    threads.into_iter().try_for_each(|thread| thread.join().expect("no callback panics"))
}

/// The descriptors that are open, where the system lists them, and what they are of.
fn descriptors() -> BTreeMap<PathBuf, PathBuf> {
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    // That of the list itself is gone.
    paths.filter_map(|path| Some((path.clone(), fs::read_link(&path).ok()?))).collect()
}

fn waker_elsewhere() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = Attach::new().to(&reactor)?;
    let before = descriptors();
    let waker = interloop_cocoa::waker(&Modes::common())?;
    thread::spawn(move || drop(waker)).join().expect("it drops");
    while descriptors().len() > before.len() {
        run_in(DEFAULT, RUN);
    }
    drop(attached);
    Ok(())
}

fn hundred(drive: Drive) -> io::Result<()> {
    // What the run loop opens once: for its sources, and for a run that comes to its limit.
    work(drive)?;
    let idle = Reactor::new()?;
    let attached = Attach::new().drive(drive).to(&idle)?;
    let mut began = Instant::now();
    run_in(DEFAULT, RUN);
    while began.elapsed() < RUN {
        began = Instant::now();
        run_in(DEFAULT, RUN);
    }
    drop((attached, idle));
    let before = descriptors();
    for _ in 0..100 {
        work(drive)?;
    }
    let after = descriptors();
    assert_eq!(after.len(), before.len(), "before: {before:#?}, and after: {after:#?}");
    Ok(())
}

/// The run loop may see that the descriptor has become readable, and not that it still is.
fn many() -> io::Result<()> {
    const MANY: usize = 3_000;
    let reactor = Reactor::new()?;
    let attached = Attach::new().drive(Drive::Embedded).to(&reactor)?;
    let ready = Rc::new(Cell::new(0));
    let mut far_ends = Vec::new();
    for _ in 0..MANY {
        let (near, mut far) = UnixStream::pair()?;
        far.write_all(b"0")?;
        far_ends.push(far);
        let count = Rc::clone(&ready);
        let source = reactor.register(near, Interest::READABLE, move |_, _| {
            count.set(count.get() + 1);
            Action::Remove
        });
        source?.detach();
    }
    while ready.get() < MANY {
        run_in(DEFAULT, RUN);
    }
    drop(attached);
    Ok(())
}

/// A descriptor that stays readable for ever would have the loop run for ever.
fn idle() -> io::Result<()> {
    let other = Reactor::new()?;
    let beside = Attach::new().drive(Drive::Worker).to(&other)?;
    let reactor = Reactor::new()?;
    let attached = Attach::new().drive(Drive::Embedded).to(&reactor)?.keep_running();
    reactor.stop();
    while !reactor.is_stopped() {
        run_in(DEFAULT, RUN);
    }
    let done = Rc::new(Cell::new(false));
    let over = Rc::clone(&done);
    other.after(Duration::from_millis(100), move || over.set(true)).detach();
    let (mut runs, turns) = (0, reactor.stats().turns);
    while !done.get() {
        run_in(DEFAULT, RUN);
        runs += 1;
    }
    assert!(runs < 1_000, "the loop ran {runs} times in 100 ms");
    assert!(reactor.stats().turns <= turns + 1, "turns of a reactor that has stopped");
    drop((attached, beside));
    Ok(())
}
