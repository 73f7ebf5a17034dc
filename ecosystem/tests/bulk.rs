//! A gibibyte each way over TCP, in little memory.

use std::cell::Cell;
use std::rc::Rc;

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use interloop::Reactor;
use interloop::net::{TcpListener, TcpStream};
use interloop_ecosystem::{World, worlds};

const GIBIBYTE: u64 = 1 << 30;
const BUFFER: usize = 64 * 1024;
/// How much more memory than before a transfer may take, in bytes.
const ALLOWANCE: u64 = 64 << 20;

/// What is sent: the byte at place n is n modulo a prime, so that nothing that is lost, doubled or
/// moved by a buffer's length goes unseen.
struct Pattern(Vec<u8>);

impl Pattern {
    const PERIOD: usize = 251;

    fn new() -> Pattern {
        Pattern((0..BUFFER + Pattern::PERIOD).map(|at| (at % Pattern::PERIOD) as u8).collect())
    }

    /// The bytes from `place` on, at most a buffer of them, and none past `size`.
    fn at(&self, place: u64, size: u64) -> &[u8] {
        let begin = (place % Pattern::PERIOD as u64) as usize;
        let length = (size - place).min(BUFFER as u64) as usize;
        &self.0[begin..begin + length]
    }
}

async fn send(mut to: impl AsyncWrite + Unpin, size: u64) {
    let pattern = Pattern::new();
    let mut place = 0;
    while place < size {
        place += to.write(pattern.at(place, size)).await.unwrap() as u64;
    }
    to.close().await.unwrap();
}

async fn receive(mut from: impl AsyncRead + Unpin, size: u64, most: Rc<Cell<u64>>) {
    let pattern = Pattern::new();
    let (mut bytes, mut place, mut looked) = (vec![0; BUFFER], 0, 0);
    loop {
        let read = from.read(&mut bytes).await.unwrap();
        if read == 0 {
            break;
        }
        assert!(bytes[..read] == pattern.at(place, size)[..read], "near byte {place}");
        place += read as u64;
        if place - looked >= 16 << 20 {
            looked = place;
            most.set(most.get().max(resident()));
        }
    }
    assert_eq!(place, size);
}

/// The memory that this process has in use, in bytes; 0 where that is not known.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// The only test of its file, as the memory is the process's. The gibibyte goes over the backend that
/// the reactor would take by itself, a part of it over the others.
#[test]
fn a_gibibyte_each_way_takes_little_memory() {
    let first = Reactor::new().unwrap().backend();
    for world in worlds() {
        let size = if world.backend == first { GIBIBYTE } else { GIBIBYTE / 16 };
        exchange(world, size);
    }
}

fn exchange(world: World, size: u64) {
    let before = resident();
    let most = Rc::new(Cell::new(before));
    let seen = Rc::clone(&most);
    world.run(|handle| async move {
        let listener = TcpListener::bind(&handle, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let near = TcpStream::connect(&handle, address).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        let mut tasks = Vec::new();
        for stream in [near, far] {
            let (reader, writer) = stream.split();
            tasks.push(handle.spawn_local(send(writer, size)));
            tasks.push(handle.spawn_local(receive(reader, size, Rc::clone(&seen))));
        }
        for task in tasks {
            task.await;
        }
    });
    let growth = most.get() - before;
    println!("{world:?}: {size} bytes each way, {growth} bytes of memory");
    assert!(growth < ALLOWANCE, "{world:?}: {growth} bytes more than before");
}
