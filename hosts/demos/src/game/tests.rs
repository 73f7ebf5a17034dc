//! Two sides of the game, with a wire between them that loses, delays and doubles what goes over it.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::Reactor;

use super::Play;
use super::arena::{Point, SPEED, Steering};
use super::packet::SIZE;
use super::random::Random;
use super::session::{Link, Session, View};

const FRAME: Duration = Duration::from_micros(16_667);

fn address(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

const HOST: u16 = 1;
const GUEST: u16 = 2;

/// What the wire does, in percent, and for how many frames at the most it keeps a packet.
#[derive(Clone, Copy, Default)]
struct Weather {
    loss: u32,
    twice: u32,
    frames: u32,
}

struct Game {
    host: Session,
    guest: Session,
    now: Instant,
    wire: Vec<Sent>,
    weather: Weather,
    random: Random,
}

struct Sent {
    bytes: [u8; SIZE],
    from: SocketAddr,
    to: SocketAddr,
    frames: u32,
}

impl Game {
    fn new(weather: Weather) -> Game {
        let now = Instant::now();
        Game {
            host: Session::host(now).seeded(1),
            guest: Session::guest(address(HOST), now).seeded(2),
            now,
            wire: Vec::new(),
            weather,
            random: Random::seeded(3),
        }
    }

    fn send(&mut self, packet: Option<([u8; SIZE], SocketAddr)>, from: u16) {
        let Some((bytes, to)) = packet else { return };
        let copies = 1 + u32::from(self.random.percent(self.weather.twice));
        for _ in 0..copies {
            if !self.random.percent(self.weather.loss) {
                let frames = self.random.next() % (self.weather.frames + 1);
                self.wire.push(Sent { bytes, from: address(from), to, frames });
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now;
        for mut sent in std::mem::take(&mut self.wire) {
            if sent.frames > 0 {
                sent.frames -= 1;
                self.wire.push(sent);
                continue;
            }
            let (side, port) = if sent.to == address(HOST) {
                (&mut self.host, HOST)
            } else {
                (&mut self.guest, GUEST)
            };
            let answer = side.receive(&sent.bytes, sent.from, now);
            self.send(answer, port);
        }
    }

    /// One frame, in which both go for the coin, or do as they are told.
    fn frame(&mut self, told: Option<[Steering; 2]>) -> [View; 2] {
        self.now += FRAME;
        self.deliver();
        let views = [self.host.view(self.now), self.guest.view(self.now)];
        let wanted = |view: &View| {
            view.coin.map_or(Steering::default(), |coin| Steering::toward(view.you, coin))
        };
        let [host, guest] = told.unwrap_or([wanted(&views[0]), wanted(&views[1])]);
        self.host.step(self.now, host);
        self.guest.step(self.now, guest);
        let packets = (self.host.packet(self.now), self.guest.packet(self.now));
        self.send(packets.0, HOST);
        self.send(packets.1, GUEST);
        views
    }

    fn play(&mut self, frames: usize) -> [View; 2] {
        let mut views = self.frame(None);
        for _ in 1..frames {
            views = self.frame(None);
        }
        views
    }
}

const FAIR: Weather = Weather { loss: 0, twice: 0, frames: 0 };
const STORM: Weather = Weather { loss: 33, twice: 20, frames: 5 };
/// As for both, in a storm.
const MINUTE: usize = 3_600;

#[test]
fn both_agree_on_the_score_in_a_storm() {
    let mut game = Game::new(STORM);
    game.play(MINUTE);
    game.weather = FAIR;
    // Nobody moves, and what is on the wire arrives.
    let stay = [Steering::default(); 2];
    let mut views = game.frame(Some(stay));
    for _ in 0..30 {
        views = game.frame(Some(stay));
    }
    let [host, guest] = views;
    assert_eq!(host.score, [guest.score[1], guest.score[0]]);
    assert_eq!(host.coin, guest.coin);
    assert!(host.score.iter().all(|points| *points > 5), "{:?}", host.score);
    let near =
        |shown: Option<Point>, at: Point| shown.is_some_and(|shown| shown.distance(at) < 1.0);
    assert!(near(host.other, guest.you) && near(guest.other, host.you));
}

#[test]
fn the_other_does_not_jump_in_bad_weather() {
    let mut game = Game::new(Weather { loss: 20, twice: 10, frames: 2 });
    game.play(60);
    let mut before = game.play(1)[0].other.expect("he is there");
    let step = SPEED * FRAME.as_secs_f32();
    for _ in 0..MINUTE {
        let after = game.play(1)[0].other.expect("he is there");
        // Where he was guessed wrongly, he is put right.
        assert!(before.distance(after) < 6.0 * step, "{before:?} to {after:?}");
        before = after;
    }
}

#[test]
fn the_wire_is_judged_rightly() {
    let link = |weather| {
        let Link { arrived, lost, late, duplicates, .. } = Game::new(weather).play(MINUTE)[0].link;
        (arrived as f64 / (arrived + lost) as f64, late, duplicates)
    };
    assert_eq!(link(FAIR), (1.0, 0, 0));
    let (arrived, late, duplicates) = link(Weather { loss: 33, ..FAIR });
    assert!((0.64..0.70).contains(&arrived) && late == 0 && duplicates == 0, "{arrived}");
    let (arrived, late, duplicates) = link(Weather { twice: 50, frames: 3, ..FAIR });
    assert!(arrived > 0.99 && late > 100 && duplicates > 1_000, "{arrived} {late} {duplicates}");
}

#[test]
fn the_round_trip_is_that_of_the_wire() {
    // A packet is there with the next frame, and answered in it.
    let trip = Game::new(FAIR).play(100)[0].link.round_trip.expect("packets came back");
    assert!(trip.abs_diff(2 * FRAME) < Duration::from_millis(2), "{trip:?}");
}

#[test]
fn a_stranger_is_not_heard() {
    let mut game = Game::new(FAIR);
    game.play(10);
    let before = game.host.view(game.now);
    let mut stranger = Session::guest(address(HOST), game.now).seeded(9);
    let (bytes, _) = stranger.packet(game.now).expect("he knows the host");
    for from in [3, GUEST] {
        assert!(game.host.receive(&bytes, address(from), game.now).is_none());
    }
    let after = game.host.view(game.now);
    assert_eq!((before.other, before.link.arrived), (after.other, after.link.arrived));
}

#[test]
fn one_who_is_silent_is_gone_and_another_may_come() {
    let mut game = Game::new(FAIR);
    game.play(10);
    game.weather.loss = 100;
    game.play(200);
    assert!(game.host.view(game.now).other.is_none());
    game.weather.loss = 0;
    let mut second = Session::guest(address(HOST), game.now).seeded(9);
    let (bytes, _) = second.packet(game.now).expect("he knows the host");
    game.host.receive(&bytes, address(7), game.now);
    assert!(game.host.view(game.now).other.is_some());
}

#[test]
fn goodbye_is_said_until_it_is_heard() {
    let mut game = Game::new(FAIR);
    game.play(10);
    let mut lost = 0;
    while let Some((bytes, _)) = game.guest.goodbye(game.now) {
        // Two that are lost, and two whose answers are.
        lost += 1;
        let answer = (lost > 2).then(|| game.host.receive(&bytes, address(GUEST), game.now));
        if let Some((bytes, _)) = answer.flatten().filter(|_| lost > 4) {
            game.guest.receive(&bytes, address(HOST), game.now);
        }
    }
    assert_eq!(lost, 5);
    assert!(game.host.view(game.now).other.is_none());
}

#[test]
fn a_packet_that_comes_after_goodbye_brings_nobody_back() {
    let mut game = Game::new(FAIR);
    game.play(10);
    let (late, _) = game.guest.packet(game.now).expect("he knows the host");
    let (goodbye, _) = game.guest.goodbye(game.now).expect("he knows the host");
    for bytes in [goodbye, late] {
        game.host.receive(&bytes, address(GUEST), game.now);
    }
    assert!(game.host.view(game.now).other.is_none());
}

#[test]
fn two_play_over_sockets() -> std::io::Result<()> {
    let reactor = Reactor::new()?;
    let host = Play::host(&reactor, "127.0.0.1:0")?;
    let guest = Play::join(&reactor, host.local_addr()?)?;
    host.lose(20);
    guest.lose(20);
    let scores = Rc::new(Cell::new([0; 2]));
    let (last, handle) = (Rc::clone(&scores), reactor.handle());
    let mut steering = [Steering::default(); 2];
    let frame = move || {
        for (play, steering) in [&host, &guest].into_iter().zip(&mut steering) {
            let view = play.frame(*steering);
            *steering = view.coin.map_or(Steering::default(), |c| Steering::toward(view.you, c));
            last.set(view.score);
        }
        if last.get().iter().sum::<u32>() < 2 {
            return ControlFlow::Continue(());
        }
        handle.stop();
        ControlFlow::Break(())
    };
    reactor.every(Duration::from_millis(5), frame).detach();
    reactor.run()?;
    assert_eq!(scores.get().iter().sum::<u32>(), 2);
    Ok(())
}
