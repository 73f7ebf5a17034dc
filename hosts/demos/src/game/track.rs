//! Where the other player is shown.

use std::collections::VecDeque;
use std::time::Duration;

use super::arena::Point;

/// How long ago he is shown: so much may packets be late, or be missing, without a jump.
pub(super) const DELAY: Duration = Duration::from_millis(100);
/// How long he goes on in the same direction when nothing is heard of him.
const ONWARD: Duration = Duration::from_millis(150);
/// How much of the past is kept.
const KEPT: usize = 32;
/// How much of a longer way the clock believes with each packet, so that it follows clocks that drift, and
/// routes that change.
const DRIFT: f64 = 0.01;

/// Places on the clock of the other player, and how that differs from the clock here.
#[derive(Default)]
pub(super) struct Track {
    places: VecDeque<(Duration, Point)>,
    /// What the clock here was when a packet came, less what the other one was when it went, in seconds: of
    /// the packets with the shortest way.
    offset: Option<f64>,
}

impl Track {
    /// Adds a place, in the order of the times `sent`.
    pub(super) fn add(&mut self, sent: Duration, now: Duration, at: Point) {
        let offset = now.as_secs_f64() - sent.as_secs_f64();
        self.offset = Some(match self.offset {
            Some(shortest) if offset > shortest => shortest + (offset - shortest) * DRIFT,
            _ => offset,
        });
        self.places.push_back((sent, at));
        if self.places.len() > KEPT {
            self.places.pop_front();
        }
    }

    /// Where he is shown now.
    pub(super) fn at(&self, now: Duration) -> Option<Point> {
        let seconds = now.as_secs_f64() - self.offset? - DELAY.as_secs_f64();
        let time = Duration::from_secs_f64(seconds.max(0.0));
        let after = self.places.iter().position(|(sent, _)| *sent > time);
        let (from, to) = match after {
            Some(0) => return Some(self.places[0].1),
            Some(after) => (after - 1, after),
            // Beyond the last one, by the way from the one before.
            None if self.places.len() > 1 => (self.places.len() - 2, self.places.len() - 1),
            None => return self.places.back().map(|(_, at)| *at),
        };
        let ((from, start), (to, end)) = (self.places[from], self.places[to]);
        let time = time.min(to + ONWARD);
        let part = (time - from).as_secs_f32() / (to - from).as_secs_f32().max(0.001);
        Some(start.toward(end, part).inside())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn milliseconds(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    fn at(x: f32) -> Point {
        Point { x, y: 200.0 }
    }

    /// Someone who goes to the right, with 100 in a second from 100 on, on a clock that is 5 s ahead of the one
    /// here.
    fn walk(times: &[u64]) -> Track {
        let mut track = Track::default();
        for time in times {
            track.add(
                milliseconds(5_000 + time),
                milliseconds(*time),
                at(100.0 + *time as f32 / 10.0),
            );
        }
        track
    }

    fn shown(track: &Track, now: u64) -> f32 {
        track.at(milliseconds(now)).expect("he was heard").x
    }

    #[test]
    fn he_is_shown_between_two_places() {
        let track = walk(&[0, 50, 100, 150, 200]);
        assert!((shown(&track, 225) - 112.5).abs() < 0.01);
    }

    #[test]
    fn what_is_missing_between_makes_no_difference() {
        let track = walk(&[0, 200]);
        assert!((shown(&track, 225) - 112.5).abs() < 0.01);
    }

    #[test]
    fn he_goes_on_for_a_while_and_then_waits() {
        let track = walk(&[0, 50, 100]);
        assert!((shown(&track, 250) - 115.0).abs() < 0.01);
        assert!((shown(&track, 350) - 125.0).abs() < 0.01);
        assert!((shown(&track, 10_000) - 125.0).abs() < 0.01);
    }

    #[test]
    fn nobody_is_nowhere() {
        assert_eq!(Track::default().at(milliseconds(1)), None);
        assert_eq!(walk(&[0]).at(milliseconds(5)), Some(at(100.0)));
    }

    #[test]
    fn one_slow_packet_does_not_move_the_clock() {
        let mut track = walk(&[0, 50, 100]);
        track.add(milliseconds(5_150), milliseconds(450), at(115.0));
        let offset = track.offset.expect("he was heard");
        assert!((offset + 5.0).abs() < 0.01, "{offset}");
    }
}
