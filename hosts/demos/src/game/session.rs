//! One player's side of the game, without a socket and without a clock.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::arena::{ARENA, COIN, PLAYER, Point, Steering};
use super::order::{Arrival, Order};
use super::packet::{Board, Kind, Packet, SIZE};
use super::random::Random;
use super::track::Track;

/// After how long a silence the other player counts as gone.
const SILENCE: Duration = Duration::from_secs(3);
/// The longest step of a frame: a window that was stopped does not throw its player across the arena.
const LONGEST_STEP: Duration = Duration::from_millis(100);
/// How much a new measurement counts for the round trip that is shown.
const SMOOTHING: f64 = 0.1;

/// Who a player is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// He decides about the coin and the score.
    Host,
    /// He came to the host.
    Guest,
}

impl Role {
    fn index(self) -> usize {
        match self {
            Role::Host => 0,
            Role::Guest => 1,
        }
    }
}

/// What a player sees.
#[derive(Clone, Debug)]
pub struct View {
    /// Where you are.
    pub you: Point,
    /// Where the other one is shown, when he is there.
    pub other: Option<Point>,
    /// Where the coin is, when there is somebody to play with.
    pub coin: Option<Point>,
    /// Your points, and the other one's.
    pub score: [u32; 2],
    /// How the packets come through.
    pub link: Link,
}

/// What became of the other player's packets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Link {
    /// From here to there and back, without the time in which they lay there.
    pub round_trip: Option<Duration>,
    /// How many have come.
    pub arrived: u64,
    /// How many have not come.
    pub lost: u64,
    /// How many came after a newer one.
    pub late: u64,
    /// How many came again.
    pub duplicates: u64,
}

/// One player's side of the game.
pub struct Session {
    role: Role,
    game: u32,
    began: Instant,
    stepped: Instant,
    sequence: u32,
    you: Point,
    board: Board,
    address: Option<SocketAddr>,
    other: Option<Other>,
    /// The other player knows that this one leaves.
    parted: bool,
    /// The game in which the other one has left, and when.
    departed: Option<(u32, Instant)>,
    random: Random,
}

/// The other player, as he is heard.
struct Other {
    order: Order,
    track: Track,
    /// Where he is, for all that is known.
    at: Point,
    heard: Instant,
    /// The newest packet, by his clock.
    sent: u32,
    round_trip: Option<f64>,
}

impl Session {
    /// The side of the one who waits for another.
    pub fn host(now: Instant) -> Session {
        let start = Point { x: ARENA.x / 4.0, y: ARENA.y / 2.0 };
        Session::new(Role::Host, start, None, now, Random::new())
    }

    /// The side of the one who comes to the host at this address.
    pub fn guest(host: SocketAddr, now: Instant) -> Session {
        let start = Point { x: ARENA.x * 3.0 / 4.0, y: ARENA.y / 2.0 };
        Session::new(Role::Guest, start, Some(host), now, Random::new())
    }

    fn new(
        role: Role,
        you: Point,
        address: Option<SocketAddr>,
        now: Instant,
        mut random: Random,
    ) -> Session {
        let game = random.next();
        let board = Board { coin: Point { x: ARENA.x / 2.0, y: ARENA.y / 2.0 }, score: [0; 2] };
        Session {
            role,
            game,
            began: now,
            stepped: now,
            sequence: 0,
            you,
            board,
            address,
            other: None,
            parted: false,
            departed: None,
            random,
        }
    }

    /// Goes on to `now`: a frame.
    pub fn step(&mut self, now: Instant, steering: Steering) {
        let time = now.saturating_duration_since(self.stepped).min(LONGEST_STEP);
        self.stepped = now;
        self.you = steering.go(self.you, time);
        if self.other.as_ref().is_some_and(|other| now - other.heard > SILENCE) {
            self.lose_the_other();
        }
        let Some(other) = self.other.as_ref().filter(|_| self.role == Role::Host) else { return };
        let mut players = [(Role::Host, self.you), (Role::Guest, other.at)];
        // Who is nearer has it.
        players.sort_by(|(_, a), (_, b)| {
            a.distance(self.board.coin).total_cmp(&b.distance(self.board.coin))
        });
        let (winner, at) = players[0];
        if at.distance(self.board.coin) < PLAYER + COIN {
            self.board.score[winner.index()] += 1;
            let (x, y) = (self.random.part() * ARENA.x, self.random.part() * ARENA.y);
            self.board.coin = Point { x, y }.inside();
        }
    }

    /// The next packet for the other player, and his address. None as long as the host knows nobody.
    pub fn packet(&mut self, now: Instant) -> Option<([u8; SIZE], SocketAddr)> {
        self.write(Kind::State, now)
    }

    /// A packet that says goodbye. None when there is nobody who would have to know, or who does not know
    /// yet.
    pub fn goodbye(&mut self, now: Instant) -> Option<([u8; SIZE], SocketAddr)> {
        if self.other.is_none() || self.parted {
            return None;
        }
        self.write(Kind::Goodbye, now)
    }

    fn write(&mut self, kind: Kind, now: Instant) -> Option<([u8; SIZE], SocketAddr)> {
        let address = self.address?;
        let (echo, held) = self.other.as_ref().map_or((0, 0), |other| {
            (other.sent, milliseconds(now.saturating_duration_since(other.heard)))
        });
        let packet = Packet {
            kind,
            from: self.role,
            game: self.game,
            sequence: self.sequence,
            // Never 0, which as an echo stands for nothing.
            sent: milliseconds(now - self.began).max(1),
            echo,
            held,
            at: self.you,
            board: self.board,
        };
        self.sequence = self.sequence.wrapping_add(1);
        Some((packet.write(), address))
    }

    /// Takes a datagram that came from an address, and answers with the one that is to be sent back, if any.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
        now: Instant,
    ) -> Option<([u8; SIZE], SocketAddr)> {
        let packet = Packet::read(bytes).filter(|packet| packet.from != self.role)?;
        let has_left = self.departed.is_some_and(|(game, when)| {
            game == packet.game && now.saturating_duration_since(when) < SILENCE
        });
        if has_left && packet.kind == Kind::State {
            // It went before the goodbye, and came after it.
            return None;
        }
        if self.role == Role::Host && self.other.is_none() && packet.kind == Kind::State {
            // The first who comes is the one who plays.
            (self.game, self.address) = (packet.game, Some(from));
            self.board.score = [0; 2];
        }
        if packet.game != self.game || self.address != Some(from) {
            return None;
        }
        match packet.kind {
            Kind::State => {
                self.hear(&packet, now);
                None
            }
            Kind::Goodbye => {
                // Again for each, because the answer may be lost too.
                let farewell = self.write(Kind::Farewell, now);
                self.other = None;
                self.departed = Some((packet.game, now));
                farewell
            }
            Kind::Farewell => {
                self.parted = true;
                None
            }
        }
    }

    fn hear(&mut self, packet: &Packet, now: Instant) {
        let other = self.other.get_or_insert_with(|| Other {
            order: Order::default(),
            track: Track::default(),
            at: packet.at,
            heard: now,
            sent: 0,
            round_trip: None,
        });
        if other.order.arrive(packet.sequence) != Arrival::News {
            return;
        }
        let clock = now - self.began;
        other.track.add(Duration::from_millis(packet.sent.into()), clock, packet.at);
        (other.at, other.heard, other.sent) = (packet.at, now, packet.sent);
        if packet.echo != 0 {
            let away = milliseconds(clock).saturating_sub(packet.echo);
            let measured = f64::from(away.saturating_sub(packet.held));
            let before = other.round_trip.unwrap_or(measured);
            other.round_trip = Some(before + (measured - before) * SMOOTHING);
        }
        if self.role == Role::Guest {
            self.board = packet.board;
        }
    }

    fn lose_the_other(&mut self) {
        self.other = None;
        if self.role == Role::Host {
            self.address = None;
        }
    }

    /// Who this player is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// What the player sees.
    pub fn view(&self, now: Instant) -> View {
        let other = self.other.as_ref();
        let you = self.role.index();
        let link = |other: &Other| Link {
            round_trip: other.round_trip.map(|trip| Duration::from_secs_f64(trip / 1000.0)),
            arrived: other.order.arrived(),
            lost: other.order.lost(),
            late: other.order.late,
            duplicates: other.order.duplicates,
        };
        View {
            you: self.you,
            other: other.and_then(|other| other.track.at(now - self.began)),
            coin: other.map(|_| self.board.coin),
            score: [self.board.score[you], self.board.score[1 - you]],
            link: other.map(link).unwrap_or_default(),
        }
    }
}

/// Whole milliseconds; the clock of a game begins with it.
fn milliseconds(time: Duration) -> u32 {
    time.as_millis() as u32
}

#[cfg(test)]
impl Session {
    /// With a coin that goes where this number leads it.
    pub(super) fn seeded(mut self, seed: u64) -> Session {
        self.random = Random::seeded(seed);
        self
    }
}
