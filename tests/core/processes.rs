//! Child processes.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use interloop::process::{Child, spawn};
use interloop::{Handle, Phase};
use rustix::process::{Pid, WaitOptions, test_kill_process, waitpid};

use crate::cases;
use crate::pairs::{Heard, script};
use crate::world::{LIMIT, World};

cases!(
    exit_codes_and_signals_are_in_the_status,
    what_is_written_to_cat_comes_back,
    a_closed_pipe_is_an_end_and_then_an_error,
    both_pipes_are_collected_at_a_time,
    one_child_reads_from_another,
    a_killed_child_ends_by_the_signal,
    a_child_is_killed_on_drop_when_that_was_said,
    a_dropped_child_goes_on_and_leaves_no_zombie,
    a_hundred_children_at_once,
    a_wait_is_cancelled_and_awaited_again,
    the_end_of_a_child_is_had_as_a_callback,
    a_program_that_is_not_there_is_named,
    a_reactor_that_has_closed_its_sources_starts_nothing,
    a_child_outlives_the_shutdown_and_leaves_no_zombie,
    a_child_outlives_a_dropped_reactor,
    a_child_of_somebody_else_is_left_to_them,
    a_child_that_somebody_else_waited_for_is_not_killed,
);

/// A shell that runs `script`, with all three pipes.
fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A child that ends when the stream that comes with it is closed.
fn patient(handle: &Handle) -> (Child, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    let mut command = Command::new("cat");
    command.stdin(OwnedFd::from(far)).stdout(Stdio::null());
    (spawn(handle, &mut command).unwrap(), near)
}

/// True when no process has the number, not even one that has ended.
fn is_gone(id: u32) -> bool {
    test_kill_process(pid(id)).is_err()
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.try_into().unwrap()).unwrap()
}

async fn gone(handle: &Handle, id: u32) {
    while !is_gone(id) {
        handle.sleep(Duration::from_millis(1)).await;
    }
}

/// Without a reactor.
fn wait_until_gone(id: u32) {
    let limit = Instant::now() + LIMIT;
    while !is_gone(id) {
        assert!(Instant::now() < limit, "process {id} is still there");
        std::thread::yield_now();
    }
}

/// Behaviour 56.
fn exit_codes_and_signals_are_in_the_status(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for code in [0, 1, 255] {
                let mut child = spawn(&reactor, &mut shell(&format!("exit {code}"))).unwrap();
                assert_eq!(child.wait().await.unwrap().code(), Some(code));
            }
            let mut child = spawn(&reactor, &mut shell("kill -TERM $$")).unwrap();
            assert_eq!(child.wait().await.unwrap().signal(), Some(libc::SIGTERM));
            assert_eq!(child.try_wait().unwrap().unwrap().signal(), Some(libc::SIGTERM));
        }
    });
}

/// Behaviour 56, 49.
fn what_is_written_to_cat_comes_back(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let mut command = Command::new("cat");
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = spawn(&reactor, &mut command).unwrap();
            let bytes: Vec<u8> = (0..1_000_000_u32).map(|number| number as u8).collect();
            let (mut stdin, send) = (child.stdin.take().unwrap(), bytes.clone());
            let writer = reactor.spawn_local(async move {
                stdin.write_all(&send).await.unwrap();
                stdin.close().await.unwrap();
                stdin.write(b"more").await.unwrap_err().kind()
            });
            let mut back = Vec::new();
            child.stdout.as_mut().unwrap().read_to_end(&mut back).await.unwrap();
            assert!(back == bytes);
            assert_eq!(writer.await, ErrorKind::BrokenPipe);
            assert!(child.wait().await.unwrap().success());
        }
    });
}

/// Behaviour 50.
fn a_closed_pipe_is_an_end_and_then_an_error(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let mut child = spawn(&reactor, &mut shell("exec 0<&-; echo x; cat >&2 /dev/null"));
            let child = child.as_mut().unwrap();
            let stdout = child.stdout.as_mut().unwrap();
            assert_eq!(stdout.read(&mut [0; 8]).await.unwrap(), 2);
            assert_eq!(stdout.read(&mut [0; 8]).await.unwrap(), 0);
            assert_eq!(stdout.read(&mut [0; 8]).await.unwrap(), 0);
            let refused = child.stdin.as_mut().unwrap().write(b"x").await;
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::BrokenPipe);
            assert!(child.wait().await.unwrap().success());
        }
    });
}

/// Behaviour 56: neither pipe has room for it.
fn both_pipes_are_collected_at_a_time(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let big = "for i in 1 2 3; do head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; \
                       done; exit 4";
            let output = spawn(&reactor, &mut shell(big)).unwrap().wait_with_output().await;
            let output = output.unwrap();
            assert_eq!((output.stdout.len(), output.stderr.len()), (900_000, 600_000));
            assert_eq!(output.status.code(), Some(4));
            let mut silent = Command::new("true");
            let output = spawn(&reactor, &mut silent).unwrap().wait_with_output().await.unwrap();
            assert!(output.stdout.is_empty() && output.stderr.is_empty());
        }
    });
}

/// The pipe between them blocks, as the second program expects.
fn one_child_reads_from_another(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let mut first = spawn(&reactor, &mut shell("read x; sleep 0; echo $x")).unwrap();
            let mut second = Command::new("tr");
            second.args(["a-z", "A-Z"]).stdout(Stdio::piped());
            second.stdin(first.stdout.take().unwrap().into_stdio().unwrap());
            let second = spawn(&reactor, &mut second).unwrap();
            first.stdin.as_mut().unwrap().write_all(b"hello\n").await.unwrap();
            let output = second.wait_with_output().await.unwrap();
            assert_eq!(output.stdout, b"HELLO\n");
            assert!(output.status.success());
            assert!(first.wait().await.unwrap().success());
        }
    });
}

/// Behaviour 56.
fn a_killed_child_ends_by_the_signal(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (mut child, _stdin) = patient(&reactor);
            assert_eq!(child.try_wait().unwrap(), None);
            child.kill().unwrap();
            assert_eq!(child.wait().await.unwrap().signal(), Some(libc::SIGKILL));
            child.kill().unwrap();
        }
    });
}

/// Behaviour 56.
fn a_child_is_killed_on_drop_when_that_was_said(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (child, _stdin) = patient(&reactor);
            let mut child = child.kill_on_drop(true);
            let (id, wait) = (child.id(), child.wait());
            drop(child);
            assert_eq!(wait.await.unwrap().signal(), Some(libc::SIGKILL));
            assert!(is_gone(id));
            let (child, _stdin) = patient(&reactor);
            let id = child.id();
            drop(child.kill_on_drop(true));
            gone(&reactor, id).await;
            let (child, _stdin) = patient(&reactor);
            let id = child.id();
            drop(child.kill_on_drop(true).wait_with_output());
            gone(&reactor, id).await;
        }
    });
}

/// Behaviour 56.
fn a_dropped_child_goes_on_and_leaves_no_zombie(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (child, stdin) = patient(&reactor);
            let id = child.id();
            drop(child);
            reactor.sleep(Duration::from_millis(5)).await;
            assert!(!is_gone(id));
            drop(stdin);
            gone(&reactor, id).await;
            // One that may have ended before it is dropped.
            for _ in 0..10 {
                let child = spawn(&reactor, &mut Command::new("true")).unwrap();
                let id = child.id();
                drop(child);
                gone(&reactor, id).await;
            }
        }
    });
}

/// Behaviour 56.
fn a_hundred_children_at_once(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let spawn = |number| {
                let script = format!("read x; echo {number}; exit {number}");
                let mut child = spawn(&reactor, &mut shell(&script)).unwrap();
                let stdin = child.stdin.take();
                (number, child.wait_with_output(), stdin)
            };
            let children: Vec<_> = (0..100).map(spawn).collect();
            for (number, output, stdin) in children.into_iter().rev() {
                drop(stdin);
                let output = output.await.unwrap();
                assert_eq!(output.status.code(), Some(number));
                assert_eq!(output.stdout, format!("{number}\n").into_bytes());
            }
        }
    });
}

/// Behaviour 48.
fn a_wait_is_cancelled_and_awaited_again(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (mut child, stdin) = patient(&reactor);
            for _ in 0..3 {
                let timeout = reactor.timeout(Duration::from_millis(1), child.wait()).await;
                assert_eq!(timeout.unwrap_err().kind(), ErrorKind::TimedOut);
            }
            let mut polled = pin!(child.wait());
            assert!(polled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let waits: Vec<_> = (0..3).map(|_| reactor.spawn_local(child.wait())).collect();
            reactor.sleep(Duration::from_millis(1)).await;
            drop(stdin);
            for wait in waits {
                assert!(wait.await.unwrap().success());
            }
            assert!(polled.await.unwrap().success());
            assert!(child.wait().await.unwrap().success());
        }
    });
}

/// Issue point 7.
fn the_end_of_a_child_is_had_as_a_callback(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (mut child, stdin) = patient(&reactor);
            let heard = Heard::new();
            let tell = heard.clone();
            let ended = reactor.spawn_then(child.wait(), move |status| tell.tell(status.unwrap()));
            drop((child, stdin));
            assert!(heard.next().await.success());
            ended.await;
        }
    });
}

fn a_program_that_is_not_there_is_named(world: &World) {
    let reactor = world.reactor();
    let refused = spawn(&reactor, &mut Command::new("no-such-program")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert!(refused.to_string().starts_with("start no-such-program: "), "{refused}");
    let mut command = Command::new("true");
    let refused = spawn(&reactor, command.current_dir("/no/such/folder")).unwrap_err();
    assert!(refused.to_string().starts_with("start true in /no/such/folder: "), "{refused}");
    let refused = spawn(&reactor, &mut Command::new("/etc/passwd")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
}

/// Behaviour 35.
fn a_reactor_that_has_closed_its_sources_starts_nothing(world: &World) {
    let reactor = world.reactor();
    let (handle, refused) = (reactor.handle(), Rc::new(Cell::new(None)));
    let kind = Rc::clone(&refused);
    let trigger = reactor.on_shutdown(Phase::During, async move {
        kind.set(Some(spawn(&handle, &mut Command::new("true")).unwrap_err().kind()));
    });
    trigger.unwrap().detach();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(refused.get(), Some(ErrorKind::NotConnected));
    let refused = spawn(&reactor, &mut Command::new("true")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotConnected);
}

/// Behaviour 41, 56: whether it was dropped, is awaited, or is kept.
fn a_child_outlives_the_shutdown_and_leaves_no_zombie(world: &World) {
    let reactor = world.reactor();
    let host = world.has_host().then(|| world.host(&reactor));
    let (dropped, first) = patient(&reactor);
    let (mut awaited, second) = patient(&reactor);
    let (mut kept, third) = patient(&reactor);
    let ids = [dropped.id(), awaited.id(), kept.id()];
    drop(dropped);
    let error = Rc::new(RefCell::new(None));
    let told = Rc::clone(&error);
    let wait = async move { told.replace(Some(awaited.wait().await.unwrap_err().kind())) };
    reactor.spawn_local(wait).detach();
    reactor.turn();
    let finished = reactor.finish(LIMIT).unwrap();
    assert!(finished.is_clean(), "{finished}");
    // It heard of the closed sources, or was cancelled before.
    assert!(matches!(error.take(), None | Some(ErrorKind::NotConnected)));
    assert!(ids.into_iter().all(|id| !is_gone(id)));
    assert_eq!(kept.try_wait().unwrap(), None);
    drop((first, second));
    wait_until_gone(ids[0]);
    wait_until_gone(ids[1]);
    kept.kill().unwrap();
    drop((kept, third));
    wait_until_gone(ids[2]);
    drop(host);
}

/// Behaviour 42, 56.
fn a_child_outlives_a_dropped_reactor(world: &World) {
    let reactor = world.reactor();
    let host = world.has_host().then(|| world.host(&reactor));
    let (first, first_stdin) = patient(&reactor);
    let (second, second_stdin) = patient(&reactor);
    let ids = [first.id(), second.id()];
    drop(first);
    drop(reactor);
    drop(host);
    drop(second);
    assert!(ids.into_iter().all(|id| !is_gone(id)));
    drop((first_stdin, second_stdin));
    ids.into_iter().for_each(wait_until_gone);
}

/// Behaviour 56.
fn a_child_of_somebody_else_is_left_to_them(world: &World) {
    let mut theirs = Command::new("sh").args(["-c", "exit 5"]).spawn().unwrap();
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for _ in 0..10 {
                let mut ours = spawn(&reactor, &mut shell("exit 6")).unwrap();
                assert_eq!(ours.wait().await.unwrap().code(), Some(6));
            }
        }
    });
    assert_eq!(theirs.wait().unwrap().code(), Some(5));
}

/// Its number may be another's.
fn a_child_that_somebody_else_waited_for_is_not_killed(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (mut child, stdin) = patient(&reactor);
            let wait = reactor.spawn_local(child.wait());
            drop(stdin);
            let theirs = pid(child.id());
            let thread = std::thread::spawn(move || waitpid(Some(theirs), WaitOptions::empty()));
            match wait.await {
                // Either may come first.
                Ok(status) => assert!(status.success()),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                    assert!(error.to_string().contains(&child.id().to_string()));
                    assert_eq!(child.try_wait().unwrap_err().kind(), ErrorKind::NotFound);
                    child.kill().unwrap();
                }
            }
            let _who_was_first = thread.join().unwrap();
        }
    });
}
