//! `Async` over what is no socket, and what it costs.

use std::cell::Cell;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use interloop::net::UnixStream;
use interloop::{Async, Handle};
use rustix::event::EventfdFlags;
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;

use crate::cases;
use crate::futures::{Flag, yield_now};
use crate::pairs::{fence, script_on};
use crate::sockets::{once, receive, send, task};
use crate::world::{Host, World};

cases!(
    pipes_carry_what_is_written,
    an_eventfd_is_read_when_it_counts,
    a_terminal_gives_its_lines_and_hangs_up,
    a_regular_file_is_handed_back,
    who_reads_behind_the_objects_back_does_not_spin,
    who_writes_behind_the_objects_back_does_not_spin,
    twenty_poll_functions_all_hear,
    a_busy_stream_is_registered_once_where_there_are_edges,
    what_is_there_already_needs_no_registration;
    hosted:
    what_came_while_an_operation_ran_is_not_forgotten,
    what_comes_while_the_task_that_waits_for_it_is_polled_has_it_polled_again,
);

fn pipe(reactor: &Handle) -> (Async<File>, Async<File>) {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let make = |end| Async::new(reactor, File::from(end)).unwrap();
    (make(reader), make(writer))
}

/// Issue point 2: and the end of it.
fn pipes_carry_what_is_written(world: &World) {
    task(world, |reactor| async move {
        const BYTES: usize = 1 << 20;
        let (mut reader, mut writer) = pipe(&reactor);
        let reads = reactor.spawn_local(async move { receive(&mut reader, 5003).await.unwrap() });
        send(&mut writer, 0..BYTES, 30_011).await.unwrap();
        writer.flush().await.unwrap();
        drop(writer);
        assert_eq!(reads.await, BYTES);
        let (reader, mut writer) = pipe(&reactor);
        drop(reader);
        crate::pairs::settled(&reactor).await;
        assert_eq!(writer.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    });
}

/// Issue point 2: `read_with` and `write_with`.
fn an_eventfd_is_read_when_it_counts(world: &World) {
    task(world, |reactor| async move {
        let counter = File::from(rustix::event::eventfd(0, EventfdFlags::empty()).unwrap());
        let counter = Rc::new(Async::new(&reactor, counter).unwrap());
        let reader = Rc::clone(&counter);
        let reads = reactor.spawn_local(async move {
            let mut sum = 0;
            while sum < 5050 {
                let mut bytes = [0; 8];
                reader.read_with(|mut file| file.read(&mut bytes)).await.unwrap();
                sum += u64::from_ne_bytes(bytes);
            }
            sum
        });
        for number in 1..=100_u64 {
            counter.write_with(|mut file| file.write(&number.to_ne_bytes())).await.unwrap();
            if number % 3 == 0 {
                yield_now().await;
            }
        }
        assert_eq!(reads.await, 5050);
    });
}

/// Behaviour 25: both ends of a pseudo-terminal.
fn a_terminal_gives_its_lines_and_hangs_up(world: &World) {
    task(world, |reactor| async move {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let terminal = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let make = |end| Async::new(&reactor, File::from(end)).unwrap();
        let (mut master, mut terminal) = (make(master), make(terminal));
        let mut bytes = [0; 64];
        for _ in 0..20 {
            // A line is there when it has ended.
            assert!(once(terminal.read(&mut bytes)).await.is_none());
            master.write_all(b"who").await.unwrap();
            assert!(once(terminal.read(&mut bytes)).await.is_none());
            master.write_all(b" is it\n").await.unwrap();
            let read = terminal.read(&mut bytes).await.unwrap();
            assert_eq!(&bytes[..read], b"who is it\n");
            terminal.write_all(b"me\n").await.unwrap();
            // What was typed is echoed, and ends of lines are translated.
            let mut heard = Vec::new();
            while !heard.ends_with(b"me\r\n") {
                let read = master.read(&mut bytes).await.unwrap();
                heard.extend_from_slice(&bytes[..read]);
            }
            assert_eq!(heard, b"who is it\r\nme\r\n");
        }
        let hears = reactor.spawn_local(async move { master.read(&mut [0]).await });
        yield_now().await;
        drop(terminal);
        // Linux says so with an error.
        match hears.await {
            Ok(read) => assert_eq!(read, 0),
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EIO)),
        }
    });
}

/// Behaviour 25.
fn a_regular_file_is_handed_back(world: &World) {
    task(world, |reactor| async move {
        let file = File::open(std::env::current_exe().unwrap()).unwrap();
        let refused = Async::new(&reactor, file).unwrap_err();
        assert_eq!(refused.error.kind(), ErrorKind::Unsupported);
        let mut bytes = [0; 4];
        (&refused.io).read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"\x7fELF");
    });
}

/// Issue point 2: readiness that is remembered may be of the past.
fn who_reads_behind_the_objects_back_does_not_spin(world: &World) {
    const ROUNDS: u64 = 200;
    task(world, |reactor| async move {
        let (near, mut far) = UnixStream::pair(&reactor).unwrap();
        let ready = Rc::new(Cell::new(0));
        let count = Rc::clone(&ready);
        let waits = reactor.spawn_local(async move {
            let mut read = 0;
            while read < ROUNDS {
                near.as_async().readable().await.unwrap();
                count.set(count.get() + 1);
                let mut socket = near.get_ref();
                while let Ok(bytes) = socket.read(&mut [0; 16]) {
                    read += bytes as u64;
                }
            }
        });
        for sent in 0..ROUNDS {
            far.write_all(b"x").await.unwrap();
            while ready.get() <= sent && !waits.is_finished() {
                yield_now().await;
            }
        }
        waits.await;
        // One that came while it was waiting anew may be told of twice.
        assert!(ready.get() <= 2 * ROUNDS, "{} times for {ROUNDS} bytes", ready.get());
    });
}

/// Issue point 2.
fn who_writes_behind_the_objects_back_does_not_spin(world: &World) {
    task(world, |reactor| async move {
        let (near, mut far) = UnixStream::pair(&reactor).unwrap();
        let mut bytes = vec![0; 65536];
        for _ in 0..10 {
            let mut socket = near.get_ref();
            let mut left = 0;
            while let Ok(written) = socket.write(&bytes) {
                left += written;
            }
            let object = near.clone();
            let waits = reactor.spawn_local(async move { object.as_async().writable().await });
            let polls = reactor.stats().polls;
            for _ in 0..50 {
                reactor.sleep(Duration::ZERO).await;
            }
            // The task here is polled too.
            let spent = reactor.stats().polls - polls;
            assert!(spent < 60, "{spent} polls while there is no room");
            assert!(!waits.is_finished());
            while left > 0 {
                left -= far.read(&mut bytes).await.unwrap();
            }
            waits.await.unwrap();
        }
    });
}

/// Issue point 2: more of them than are remembered.
fn twenty_poll_functions_all_hear(world: &World) {
    const TASKS: usize = 20;
    task(world, |reactor| async move {
        let (near, mut far) = UnixStream::pair(&reactor).unwrap();
        let near = Rc::new(near);
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let near = Rc::clone(&near);
                reactor.spawn_local(async move {
                    let mut byte = [0];
                    std::future::poll_fn(|cx| {
                        near.as_async().poll_read_with(cx, |mut socket| socket.read(&mut byte))
                    })
                    .await
                    .unwrap()
                })
            })
            .collect();
        for _ in 0..TASKS {
            yield_now().await;
            far.write_all(b"x").await.unwrap();
        }
        for task in tasks {
            assert_eq!(task.await, 1);
        }
    });
}

/// Opens a host loop in which a byte is written, and goes on until it has come.
fn bring_a_byte(handle: &Handle, host: &Host, far: &UnixStream) {
    let come = Flag::default();
    let (set, reactor, mut writer) = (come.clone(), handle.clone(), far.clone());
    let writes = async move {
        writer.write_all(b"x").await.unwrap();
        fence(&reactor).await;
        set.set();
    };
    handle.spawn_local(writes).detach();
    host.run_until(|| come.is_set());
}

/// Behaviour 51: an operation that finds nothing, and opens a host loop before it says so.
fn what_came_while_an_operation_ran_is_not_forgotten(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (near, far) = UnixStream::pair(&reactor).unwrap();
    let (inner, handle) = (host.clone(), reactor.handle());
    let mut nested = false;
    let reads = async move {
        let read = near.as_async().read_with(|mut socket| {
            let read = socket.read(&mut [0; 4]);
            if !std::mem::replace(&mut nested, true) {
                assert_eq!(read.as_ref().unwrap_err().kind(), ErrorKind::WouldBlock);
                bring_a_byte(&handle, &inner, &far);
            }
            read
        });
        assert_eq!(read.await.unwrap(), 1);
        inner.done();
    };
    reactor.spawn_local(reads).detach();
    host.run();
}

/// Behaviour 57: in the loop that it has opened itself.
fn what_comes_while_the_task_that_waits_for_it_is_polled_has_it_polled_again(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (near, mut far) = UnixStream::pair(&reactor).unwrap();
    let (inner, handle) = (host.clone(), reactor.handle());
    let waits = async move {
        // What is kept of the first wait is at hand in the others.
        for _ in 0..3 {
            let read = near.as_async().read_with(|mut socket| socket.read(&mut [0; 4]));
            let mut read = pin!(read);
            assert!(once(&mut read).await.is_none());
            bring_a_byte(&handle, &inner, &far);
            let mut first = true;
            std::future::poll_fn(|_| match std::mem::take(&mut first) {
                true => std::task::Poll::Pending,
                false => std::task::Poll::Ready(()),
            })
            .await;
            assert_eq!(read.await.unwrap(), 1);
        }
        far.close().await.unwrap();
        inner.done();
    };
    reactor.spawn_local(waits).detach();
    host.run();
}

/// Issue point 2: thousands of messages, and the backend is told nothing.
fn a_busy_stream_is_registered_once_where_there_are_edges(world: &World) {
    let (watched, builder) = world.watched();
    let edges = interloop::Poller::has_edges(&*watched);
    let reactor = builder.build().unwrap();
    script_on(&reactor, world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (mut near, mut far) = UnixStream::pair(&reactor).unwrap();
            let echo = reactor.spawn_local(async move {
                let mut byte = [0; 4];
                while far.read(&mut byte).await.unwrap() > 0 {
                    far.write_all(&byte).await.unwrap();
                }
            });
            let mut byte = [0; 4];
            let mut modified = None;
            for _ in 0..3000 {
                near.write_all(b"ping").await.unwrap();
                near.read_exact(&mut byte).await.unwrap();
                let now = watched.seen().modified;
                assert!(!edges || now == *modified.get_or_insert(now), "it is registered anew");
            }
            let all = watched.seen().modified;
            assert!(edges || (all > 0 && all <= 6010), "{all} for 3000 messages there and back");
            drop(near);
            echo.await;
        }
    });
}

/// Issue point 2: on any backend it is told only when an operation would have blocked.
fn what_is_there_already_needs_no_registration(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    script_on(&reactor, world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (mut near, mut far) = UnixStream::pair(&reactor).unwrap();
            far.write_all(&[7; 4000]).await.unwrap();
            for _ in 0..4000 {
                assert_eq!(near.read(&mut [0]).await.unwrap(), 1);
            }
            assert_eq!(watched.seen().modified, 0);
            assert!(once(near.read(&mut [0])).await.is_none());
        }
    });
}
