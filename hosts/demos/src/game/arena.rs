//! The arena, and how one moves in it.

use std::time::Duration;

/// Its width and height.
pub const ARENA: Point = Point { x: 640.0, y: 400.0 };
/// The radius of a player.
pub const PLAYER: f32 = 16.0;
/// The radius of the coin.
pub const COIN: f32 = 9.0;
/// How far a player gets in a second.
pub(super) const SPEED: f32 = 260.0;

/// A place in the arena, or a way through it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// How far it is from here to there.
    pub fn distance(self, there: Point) -> f32 {
        (there.x - self.x).hypot(there.y - self.y)
    }

    /// The place at this part of the way from here to there: here with 0, there with 1, and further on
    /// above.
    pub(super) fn toward(self, there: Point, part: f32) -> Point {
        Point { x: self.x + (there.x - self.x) * part, y: self.y + (there.y - self.y) * part }
    }

    /// The next place where a player can be.
    pub(super) fn inside(self) -> Point {
        let within = |value: f32, size: f32| value.clamp(PLAYER, size - PLAYER);
        Point { x: within(self.x, ARENA.x), y: within(self.y, ARENA.y) }
    }
}

/// Where a player wants to go.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Steering {
    /// To the right, with 1, or to the left, with -1.
    pub x: f32,
    /// Down or up.
    pub y: f32,
}

impl Steering {
    /// Straight from here to there.
    pub fn toward(here: Point, there: Point) -> Steering {
        let distance = here.distance(there);
        if distance < 1.0 {
            return Steering::default();
        }
        Steering { x: (there.x - here.x) / distance, y: (there.y - here.y) / distance }
    }

    /// Where it leads in this time, no faster across than along.
    pub(super) fn go(self, from: Point, time: Duration) -> Point {
        let way = SPEED * time.as_secs_f32() / self.x.hypot(self.y).max(1.0);
        Point { x: from.x + self.x * way, y: from.y + self.y * way }.inside()
    }
}
