//! Sorting a thousand places, by the bytes of their deadlines.
//!
//! A pass for each byte in which they differ: three where they lie within 16 ms, four within four seconds. None of
//! them has a branch that depends on the times, where a sort by comparison guesses wrong every few places.

use std::mem;

use super::Place;

/// Fewer are sorted by comparison.
const LEAST: usize = 64;

/// Moves `places` to `sorted`, the latest first. What is in `sorted` is dropped.
pub(super) fn sort(places: &mut Vec<Place>, sorted: &mut Vec<Place>) {
    sorted.clear();
    sorted.extend_from_slice(places);
    if places.len() >= LEAST {
        let deadlines = || places.iter().map(|place| place.deadline);
        let from = deadlines().min().unwrap_or(0);
        let span = deadlines().max().unwrap_or(0) - from;
        for shift in (0..u64::BITS - span.leading_zeros()).step_by(8) {
            mem::swap(places, sorted);
            pass(places, sorted, |place| ((place.deadline - from) >> shift) as u8);
        }
    }
    // Where there are few, or equal times.
    if !sorted.is_sorted_by(|later, earlier| later > earlier) {
        sorted.sort_unstable_by(|place, other| other.cmp(place));
    }
    places.clear();
}

/// Copies `places` to `sorted`, those with the highest digit first, and those with the same in their order.
fn pass(places: &[Place], sorted: &mut [Place], digit: impl Fn(&Place) -> u8) {
    let mut starts = [0_u32; 256];
    for place in places {
        starts[usize::from(digit(place))] += 1;
    }
    let mut start = 0;
    for count in starts.iter_mut().rev() {
        start += mem::replace(count, start);
    }
    for place in places {
        let at = &mut starts[usize::from(digit(place))];
        sorted[*at as usize] = *place;
        *at += 1;
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_latest_comes_first_however_far_they_are_apart() {
        for bits in 0..=64 {
            for count in [0, 1, LEAST - 1, LEAST, 1000] {
                let places = (0..count as u32).map(|number| {
                    let random = u64::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    let deadline = random.checked_shr(64 - bits).unwrap_or(7);
                    Place { deadline, sequence: number ^ 0x55, slot: number }
                });
                let mut places: Vec<_> = places.collect();
                let mut expected = places.clone();
                expected.sort_by_key(|place| (place.deadline, place.sequence));
                expected.reverse();
                let mut sorted = places.clone();
                sort(&mut places, &mut sorted);
                let parts = |place: &Place| (place.deadline, place.sequence);
                assert!(sorted.iter().map(parts).eq(expected.iter().map(parts)), "{bits}, {count}");
                assert!(places.is_empty());
            }
        }
    }
}
