//! The window, and what is drawn in it.

use std::collections::VecDeque;
use std::env;

use interloop::Stats;
use interloop_demos::game::{ARENA, COIN, PLAYER, Point, View};
use sdl2::Sdl;
use sdl2::pixels::Color;
use sdl2::rect::Rect;
use sdl2::render::{BlendMode, WindowCanvas};

use crate::font;

/// The height of the bar below the arena.
const BAR: u32 = 52;
const GROUND: Color = Color::RGB(17, 20, 31);
const LINES: Color = Color::RGB(27, 32, 48);
const PANEL: Color = Color::RGB(10, 12, 19);
const TEXT: Color = Color::RGB(150, 160, 190);
const YOU: Color = Color::RGB(64, 200, 180);
const OTHER: Color = Color::RGB(240, 120, 90);
const GOLD: Color = Color::RGB(250, 200, 80);
/// How many frames back a trail goes.
const TRAIL: usize = 24;

pub struct Picture {
    canvas: WindowCanvas,
    frames: u32,
    trails: [VecDeque<Point>; 2],
}

impl Picture {
    pub fn open(sdl: &Sdl, side: &str) -> Result<Picture, String> {
        let title = format!("net_game: {side}");
        let video = sdl.video()?;
        // Unasked, SDL takes that where it finds no display, and the game would go on unseen.
        let asked = env::var_os("SDL_VIDEODRIVER").is_some_and(|driver| !driver.is_empty());
        if video.current_video_driver() == "offscreen" && !asked {
            return Err("there is no display: set DISPLAY, or use xvfb-run".to_owned());
        }
        let mut window = video.window(&title, ARENA.x as u32, ARENA.y as u32 + BAR);
        let window = window.position_centered().build().map_err(|error| error.to_string())?;
        let canvas = window.into_canvas().software().build();
        let mut canvas = canvas.map_err(|error| error.to_string())?;
        canvas.set_blend_mode(BlendMode::Blend);
        Ok(Picture { canvas, frames: 0, trails: Default::default() })
    }

    pub fn draw(&mut self, view: &View, stats: &Stats) -> Result<(), String> {
        self.frames = self.frames.wrapping_add(1);
        self.ground()?;
        if let Some(coin) = view.coin {
            let pulse = (self.frames as f32 / 10.0).sin() * 1.5;
            self.disc(coin, COIN + 5.0 + pulse, with_alpha(GOLD, 50))?;
            self.disc(coin, COIN + pulse, GOLD)?;
        }
        self.player(1, view.other, OTHER)?;
        self.player(0, Some(view.you), YOU)?;
        self.score(view)?;
        self.bar(view, stats)?;
        self.canvas.present();
        Ok(())
    }

    fn ground(&mut self) -> Result<(), String> {
        self.canvas.set_draw_color(GROUND);
        self.canvas.clear();
        self.canvas.set_draw_color(LINES);
        for x in (40..ARENA.x as i32).step_by(40) {
            self.canvas.fill_rect(Rect::new(x, 0, 1, ARENA.y as u32))?;
        }
        for y in (40..ARENA.y as i32).step_by(40) {
            self.canvas.fill_rect(Rect::new(0, y, ARENA.x as u32, 1))?;
        }
        Ok(())
    }

    fn player(&mut self, which: usize, at: Option<Point>, color: Color) -> Result<(), String> {
        let Some(at) = at else {
            self.trails[which].clear();
            return Ok(());
        };
        self.trails[which].push_back(at);
        if self.trails[which].len() > TRAIL {
            self.trails[which].pop_front();
        }
        for index in 0..self.trails[which].len() {
            let age = index as f32 / TRAIL as f32;
            let place = self.trails[which][index];
            self.disc(place, PLAYER * age * 0.8, with_alpha(color, (age * 30.0) as u8))?;
        }
        self.disc(at, PLAYER, color)?;
        self.disc(at, PLAYER * 0.5, with_alpha(GROUND, 90))
    }

    fn score(&mut self, view: &View) -> Result<(), String> {
        let middle = ARENA.x as i32 / 2;
        if view.coin.is_none() {
            return self.text("waiting for the other player", middle, 24, 3, TEXT);
        }
        let [you, other] = view.score;
        self.text(&you.to_string(), middle - 60, 16, 7, with_alpha(YOU, 170))?;
        self.text(":", middle, 16, 7, with_alpha(TEXT, 170))?;
        self.text(&other.to_string(), middle + 60, 16, 7, with_alpha(OTHER, 170))
    }

    fn bar(&mut self, view: &View, stats: &Stats) -> Result<(), String> {
        let (middle, top) = (ARENA.x as i32 / 2, ARENA.y as i32);
        self.canvas.set_draw_color(PANEL);
        self.canvas.fill_rect(Rect::new(0, top, ARENA.x as u32, BAR))?;
        let link = &view.link;
        let all = (link.arrived + link.lost).max(1);
        let trip =
            link.round_trip.map_or("-".to_owned(), |trip| format!("{} ms", trip.as_millis()));
        let packets = format!(
            "round trip {trip}   packets {}   lost {:.1} %   late {}   twice {}",
            link.arrived,
            100.0 * link.lost as f64 / all as f64,
            link.late,
            link.duplicates
        );
        self.text(&packets, middle, top + 10, 2, TEXT)?;
        let turns = format!(
            "reactor: turns {}   wakes {}   events {}   failed posts {}",
            stats.turns, stats.wakes_issued, stats.events, stats.wakes_failed
        );
        self.text(&turns, middle, top + 31, 2, TEXT)
    }

    /// A text with its middle at `x`, in dots of this size.
    fn text(&mut self, text: &str, x: i32, y: i32, size: u32, color: Color) -> Result<(), String> {
        self.canvas.set_draw_color(color);
        let scale = size as i32;
        let left = x - (text.len() * font::ADVANCE) as i32 * scale / 2;
        for (right, down) in font::dots(text) {
            let (x, y) = (left + right as i32 * scale, y + down as i32 * scale);
            self.canvas.fill_rect(Rect::new(x, y, size, size))?;
        }
        Ok(())
    }

    /// A disc, row by row.
    fn disc(&mut self, at: Point, radius: f32, color: Color) -> Result<(), String> {
        self.canvas.set_draw_color(color);
        let rows = radius as i32;
        for row in -rows..=rows {
            let half = (radius * radius - (row * row) as f32).max(0.0).sqrt();
            let (left, width) = ((at.x - half) as i32, (2.0 * half) as u32);
            self.canvas.fill_rect(Rect::new(left, at.y as i32 + row, width.max(1), 1))?;
        }
        Ok(())
    }
}

fn with_alpha(color: Color, alpha: u8) -> Color {
    Color::RGBA(color.r, color.g, color.b, alpha)
}
