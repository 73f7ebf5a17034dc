//! The client: one thread, one epoll set, connections that are kept alive, one request at a time on each.
//!
//! It is the same for every system, and cheap, for it shares the machine with the server: after the first
//! answer it knows how long an answer is, and only counts bytes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n";

/// Fewer answers than these are not taken, however slow the server is.
const LEAST: usize = 200;

/// How long an answer may take before the server counts as hanging.
const LIMIT: Duration = Duration::from_secs(10);

/// What the client does.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) connections: usize,
    /// Not measured.
    pub(super) warm_up: Duration,
    pub(super) measured: Duration,
}

/// A client at work.
pub(super) struct Client(JoinHandle<io::Result<Outcome>>);

impl Client {
    /// Starts the client. It calls `done`, on its own thread, when it has ended, well or not.
    pub(super) fn start(
        address: SocketAddr,
        load: Load,
        done: impl FnOnce() + Send + 'static,
    ) -> io::Result<Client> {
        let thread = thread::Builder::new().name("client".into()).spawn(move || {
            let outcome = ask(address, load);
            done();
            outcome
        })?;
        Ok(Client(thread))
    }

    pub(super) fn outcome(self) -> io::Result<Outcome> {
        self.0.join().expect("the client does not panic")
    }
}

/// What the client has seen.
pub(super) struct Outcome {
    took: Duration,
    /// In ns, of each request that was measured, from the shortest to the longest.
    latencies: Vec<u32>,
}

impl Outcome {
    pub(super) fn requests_per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// The latency, in ns, that this share of the requests did not exceed.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        let last = self.latencies.len() - 1;
        f64::from(self.latencies[(last as f64 * share).round() as usize])
    }
}

struct Connection {
    stream: TcpStream,
    asked: Instant,
    /// How much of the answer is to come.
    left: usize,
}

fn ask(address: SocketAddr, load: Load) -> io::Result<Outcome> {
    let set = epoll::create(CreateFlags::CLOEXEC)?;
    let mut connections = Vec::new();
    let mut length = 0;
    for index in 0..load.connections {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        length = first_answer(&mut stream)?;
        epoll::add(&set, &stream, EventData::new_u64(index as u64), EventFlags::IN)?;
        connections.push(Connection { stream, asked: Instant::now(), left: length });
    }
    for connection in &mut connections {
        connection.ask(Instant::now())?;
    }
    let measured_from = Instant::now() + load.warm_up;
    let until = measured_from + load.measured;
    let mut latencies = Vec::with_capacity(1 << 20);
    let mut events: Vec<Event> = Vec::with_capacity(load.connections);
    let limit = Timespec::try_from(LIMIT).expect("it is small");
    loop {
        events.clear();
        if epoll::wait(&set, spare_capacity(&mut events), Some(&limit))? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"));
        }
        for event in &events {
            let connection = &mut connections[event.data.u64() as usize];
            if !connection.receive(length)? {
                continue;
            }
            let now = Instant::now();
            if now >= until && latencies.len() >= LEAST {
                latencies.sort_unstable();
                let took = now - measured_from;
                return Ok(Outcome { took, latencies });
            }
            if now >= measured_from {
                let latency = now - connection.asked;
                latencies.push(u32::try_from(latency.as_nanos()).unwrap_or(u32::MAX));
            }
            connection.ask(now)?;
        }
    }
}

impl Connection {
    fn ask(&mut self, now: Instant) -> io::Result<()> {
        self.asked = now;
        self.stream.write_all(REQUEST)
    }

    /// Takes what has come. True when that was the rest of an answer.
    fn receive(&mut self, length: usize) -> io::Result<bool> {
        let count = self.stream.read(&mut [0; 4096])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self
            .left
            .checked_sub(count)
            .ok_or_else(|| io::Error::other("an answer is longer than the first one"))?;
        let whole = self.left == 0;
        if whole {
            self.left = length;
        }
        Ok(whole)
    }
}

/// Asks once, and tells how long the answer is, its head included.
fn first_answer(stream: &mut TcpStream) -> io::Result<usize> {
    stream.write_all(REQUEST)?;
    let mut answer = Vec::new();
    loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(&bytes[..count]);
        if answer.ends_with(super::hyper_side::BODY) {
            break;
        }
    }
    if !answer.starts_with(b"HTTP/1.1 200 OK\r\n") {
        let answer = String::from_utf8_lossy(&answer);
        return Err(io::Error::other(format!("not the answer that was wanted: {answer}")));
    }
    Ok(answer.len())
}
