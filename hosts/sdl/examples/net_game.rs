//! A game for two over UDP: who reaches the coin first has a point.
//! `cargo run -p interloop-sdl --example net_game -- --host 127.0.0.1:4242` in one terminal, and
//! `cargo run -p interloop-sdl --example net_game -- --join 127.0.0.1:4242` in another.
//!
//! The game itself is in `hosts/demos/src/game.rs`. Here is what a program with SDL has: a window, a loop with 60
//! frames in a second, and in it a reactor. The loop does not sleep between two frames, it waits for events:
//! so a packet is taken when it comes, and not when the next frame is due.

#[path = "net_game/font.rs"]
mod font;
#[path = "net_game/options.rs"]
mod options;
#[path = "net_game/picture.rs"]
mod picture;

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use interloop::{Handle, Reactor};
use interloop_demos::game::{Play, Steering, View};
use interloop_sdl::Attached;
use options::{Options, Side};
use picture::Picture;
use sdl2::EventPump;
use sdl2::event::Event;
use sdl2::keyboard::{KeyboardState, Keycode, Scancode};

const FRAME: Duration = Duration::from_micros(16_667);
/// How long the other player is waited for, to hear that this one leaves.
const GOODBYE: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("net_game: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let sdl = sdl2::init()?;
    let mut picture = Picture::open(&sdl, options.side.name())?;
    let mut pump = sdl.event_pump()?;
    let reactor = Reactor::new()?;
    let play = play(&reactor, options)?;
    // Dropped first: the goodbye goes out while there is a game to say it.
    let attached = interloop_sdl::attach(&reactor, &sdl.event()?)?.finish_within(GOODBYE);
    let mut news = News::default();
    let mut steering = Steering::default();
    let mut next = Instant::now();
    while !events_until(next, &mut pump, &attached) {
        // A frame that came too late is not made good by others that come too soon.
        next = (next + FRAME).max(Instant::now());
        let view = play.frame(steering);
        steering = if options.bot { seek(&view) } else { steer(&pump.keyboard_state()) };
        picture.draw(&view, &reactor.stats())?;
        news.tell(&view);
    }
    Ok(())
}

/// Takes events until the next frame is due. True when the program is to end.
fn events_until(next: Instant, pump: &mut EventPump, attached: &Attached) -> bool {
    loop {
        let left = next.saturating_duration_since(Instant::now());
        // The ones that are there are taken in any case.
        let event = if left.is_zero() {
            pump.poll_event()
        } else {
            pump.wait_event_timeout(left.as_millis() as u32 + 1)
        };
        match event {
            Some(event) if attached.handle(&event) => {}
            Some(Event::Quit { .. }) => return true,
            Some(Event::KeyDown { keycode: Some(Keycode::Escape), .. }) => return true,
            Some(_) => {}
            None if left.is_zero() => return false,
            None => {}
        }
    }
}

fn play(reactor: &Handle, options: &Options) -> std::io::Result<Play> {
    let play = match &options.side {
        Side::Host(address) => Play::host(reactor, address)?,
        Side::Join(address) => Play::join(reactor, *address)?,
    };
    play.lose(options.loss);
    println!("{} at {}", options.side.name(), play.local_addr()?);
    Ok(play)
}

/// What the keys say.
fn steer(keys: &KeyboardState<'_>) -> Steering {
    let pressed = |either, or| {
        f32::from(u8::from(keys.is_scancode_pressed(either) || keys.is_scancode_pressed(or)))
    };
    Steering {
        x: pressed(Scancode::Right, Scancode::D) - pressed(Scancode::Left, Scancode::A),
        y: pressed(Scancode::Down, Scancode::S) - pressed(Scancode::Up, Scancode::W),
    }
}

/// What the program does by itself.
fn seek(view: &View) -> Steering {
    view.coin.map_or(Steering::default(), |coin| Steering::toward(view.you, coin))
}

/// What has been told on the standard output.
#[derive(Default)]
struct News {
    playing: bool,
    score: [u32; 2],
}

impl News {
    fn tell(&mut self, view: &View) {
        let playing = view.other.is_some();
        if std::mem::replace(&mut self.playing, playing) != playing {
            println!("the other player {}", if playing { "is here" } else { "has left" });
        }
        if std::mem::replace(&mut self.score, view.score) != view.score {
            let [you, other] = view.score;
            println!("score {you} : {other}");
        }
    }
}
