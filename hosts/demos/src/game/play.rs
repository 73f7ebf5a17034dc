//! The game on a reactor.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::net::UdpSocket;
use interloop::{Handle, Interest, Phase, Task};

use super::arena::Steering;
use super::random::Random;
use super::session::{Session, View};

/// How often goodbye is said, unless it is answered, and how long an answer is waited for.
const GOODBYES: u32 = 20;
const ANSWER: Duration = Duration::from_millis(50);

/// A game that is played over a socket.
///
/// When the reactor shuts down, it says goodbye before the sockets are closed, until the other player has
/// answered, or a second has passed.
#[must_use = "the game ends when this is dropped"]
pub struct Play {
    inner: Rc<Inner>,
    _receive: Task<()>,
}

struct Inner {
    socket: UdpSocket,
    session: RefCell<Session>,
    /// The percentage of packets that are not sent, to show that they need not be.
    loss: Cell<u32>,
    random: RefCell<Random>,
}

impl Play {
    /// Waits for another player at this address; port 0 is any free one.
    ///
    /// # Errors
    ///
    /// As [`UdpSocket::bind`].
    pub fn host(handle: &Handle, address: &str) -> io::Result<Play> {
        let socket = UdpSocket::bind(handle, address)?;
        Play::start(handle, socket, Session::host(Instant::now()))
    }

    /// Plays with the host at this address.
    ///
    /// # Errors
    ///
    /// As [`UdpSocket::bind`].
    pub fn join(handle: &Handle, host: SocketAddr) -> io::Result<Play> {
        let any = if host.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(handle, any)?;
        Play::start(handle, socket, Session::guest(host, Instant::now()))
    }

    fn start(handle: &Handle, socket: UdpSocket, session: Session) -> io::Result<Play> {
        let inner = Rc::new(Inner {
            socket: socket.clone(),
            session: RefCell::new(session),
            loss: Cell::new(0),
            random: RefCell::new(Random::new()),
        });
        let hearing = Rc::clone(&inner);
        let receive = socket.on_ready(Interest::READABLE, move |socket| match socket {
            Ok(socket) => hearing.receive(socket),
            Err(_closed) => ControlFlow::Break(()),
        });
        let (leaving, clock) = (Rc::clone(&inner), handle.clone());
        let goodbye = async move { leaving.say_goodbye(&clock).await };
        handle.on_shutdown(Phase::Before, goodbye)?.label("say goodbye").detach();
        Ok(Play { inner, _receive: receive })
    }

    /// Leaves out this percentage of the packets that it sends.
    pub fn lose(&self, percent: u32) {
        self.inner.loss.set(percent);
    }

    /// Where it can be reached.
    ///
    /// # Errors
    ///
    /// As [`UdpSocket::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.socket.local_addr()
    }

    /// Plays a frame, tells the other player, and answers what is to be seen.
    pub fn frame(&self, steering: Steering) -> View {
        let now = Instant::now();
        let mut session = self.inner.session.borrow_mut();
        session.step(now, steering);
        let packet = session.packet(now);
        let view = session.view(now);
        drop(session);
        self.inner.send(packet);
        view
    }
}

impl Inner {
    /// Sends what there is to send. What the system does not take is lost, as it may be on its way.
    fn send(&self, packet: Option<(impl AsRef<[u8]>, SocketAddr)>) {
        let Some((bytes, address)) = packet else { return };
        if !self.random.borrow_mut().percent(self.loss.get()) {
            let _lost = self.socket.get_ref().send_to(bytes.as_ref(), address);
        }
    }

    fn receive(&self, socket: &std::net::UdpSocket) -> ControlFlow<()> {
        let mut bytes = [0; 1_500];
        loop {
            match socket.recv_from(&mut bytes) {
                Ok((count, from)) => {
                    let mut session = self.session.borrow_mut();
                    let answer = session.receive(&bytes[..count], from, Instant::now());
                    drop(session);
                    self.send(answer);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return ControlFlow::Continue(());
                }
                // Of an earlier datagram, which found nobody there: he may be on his way.
                Err(_unreachable) => {}
            }
        }
    }

    async fn say_goodbye(&self, handle: &Handle) {
        for _ in 0..GOODBYES {
            let packet = self.session.borrow_mut().goodbye(Instant::now());
            if packet.is_none() {
                return;
            }
            self.send(packet);
            handle.sleep(ANSWER).await;
        }
    }
}

impl fmt::Debug for Play {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Play").field("socket", &self.inner.socket).finish_non_exhaustive()
    }
}
