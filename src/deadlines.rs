//! Deadlines in their order, sorted no further than anybody has asked.
//!
//! A quicksort that stops as soon as it knows the first of them, and goes on when these are taken: the
//! next few lie sorted, with those that came since in a small heap beside them; the others lie in
//! unsorted buckets, each of which is earlier than the one before it. To add one costs a search among the
//! buckets, of which there are some ten for a million; to take one, its share of the partitions, which
//! run through memory in order where a large heap jumps about.

mod radix;

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::clock::Nanos;

/// When a timer is due, in few bytes, as they are moved about. Of equal times, the one with the lower
/// sequence comes first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The timer's.
    pub(crate) slot: u32,
    pub(crate) sequence: u32,
    pub(crate) deadline: Nanos,
}

impl Place {
    /// All parts in one number, which the processor compares without a branch.
    fn rank(&self) -> u128 {
        let low = u64::from(self.sequence) << 32 | u64::from(self.slot);
        u128::from(self.deadline) << 64 | u128::from(low)
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Place) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Place) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// As many as are sorted at once, and as many as may come in between before they are sorted as well: they
/// fit into the processor's nearest caches.
const FEW: usize = 1024;

/// How many are shown ahead of their time at once.
const AHEAD: usize = 64;

pub(crate) struct Deadlines {
    /// The earliest, sorted: the first of them is the last element.
    near: Vec<Place>,
    /// How many of `near` have not been shown ahead of their time.
    unseen: usize,
    /// Those that came when `near` was sorted already, or before anybody has asked: none is later than
    /// what is in `far`.
    fresh: BinaryHeap<Reverse<Place>>,
    /// The others. The last bucket is the nearest, and comes after all of `near` and `fresh`.
    far: Vec<Bucket>,
    /// Empty buffers of buckets that were used up: in the long run, none is allocated.
    spare: Vec<Vec<Place>>,
    len: usize,
}

struct Bucket {
    /// None of the bucket is earlier, and none of the next one is later or the same.
    from: Place,
    places: Vec<Place>,
}

impl Deadlines {
    pub(crate) fn new() -> Deadlines {
        Deadlines {
            near: Vec::new(),
            unseen: 0,
            fresh: BinaryHeap::new(),
            far: Vec::new(),
            spare: Vec::new(),
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn push(&mut self, place: Place) {
        self.len += 1;
        let bucket = self.far.partition_point(|bucket| bucket.from > place);
        if let Some(bucket) = self.far.get_mut(bucket) {
            return bucket.places.push(place);
        }
        self.fresh.push(Reverse(place));
        if self.fresh.len() > FEW {
            self.start_over();
        }
    }

    /// The earliest.
    #[inline]
    pub(crate) fn first(&mut self) -> Option<&Place> {
        if self.near.is_empty() || !self.fresh.is_empty() {
            return self.first_of_both();
        }
        self.near.last()
    }

    /// The earliest, where something has come in between, or all that was sorted is taken.
    #[cold]
    fn first_of_both(&mut self) -> Option<&Place> {
        if self.is_unsorted() {
            self.sort();
        }
        match self.is_fresh_first() {
            true => self.fresh.peek().map(|Reverse(place)| place),
            false => self.near.last(),
        }
    }

    /// Takes the earliest, which `first` has shown.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Place> {
        let place = match self.is_fresh_first() {
            true => self.fresh.pop().map(|Reverse(place)| place),
            false => self.near.pop(),
        };
        self.len -= usize::from(place.is_some());
        place
    }

    /// Those that come soon and have not been shown yet: after a sort the next few, and then one for each that is taken.
    #[inline]
    pub(crate) fn ahead(&mut self) -> &[Place] {
        let seen = self.unseen.min(self.near.len());
        self.unseen = seen.min(self.near.len().saturating_sub(AHEAD));
        &self.near[self.unseen..seen]
    }

    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Place) -> bool) {
        self.near.retain(&mut keep);
        self.fresh.retain(|Reverse(place)| keep(place));
        for bucket in &mut self.far {
            bucket.places.retain(&mut keep);
        }
        self.far.retain(|bucket| !bucket.places.is_empty());
        let far = self.far.iter().map(|bucket| bucket.places.len()).sum::<usize>();
        self.len = self.near.len() + self.fresh.len() + far;
    }

    /// True when the earliest is not known, or when a heap is no longer the place for what has come.
    #[inline]
    fn is_unsorted(&self) -> bool {
        let (near, fresh) = (self.near.len(), self.fresh.len());
        if near == 0 { self.len > 0 } else { fresh > near / 2 + 32 }
    }

    #[inline]
    fn is_fresh_first(&self) -> bool {
        match (self.fresh.peek(), self.near.last()) {
            (Some(Reverse(fresh)), Some(near)) => fresh < near,
            (fresh, _) => fresh.is_some(),
        }
    }

    /// Makes a bucket of all that is not in one.
    fn start_over(&mut self) {
        let mut places = self.spare.pop().unwrap_or_default();
        let first = self.first().copied();
        places.append(&mut self.near);
        places.extend(self.fresh.drain().map(|Reverse(place)| place));
        self.far.extend(first.map(|from| Bucket { from, places }));
    }

    /// Makes `near` of what is near and fresh, or else of the nearest of the others.
    #[cold]
    fn sort(&mut self) {
        let mut few = self.spare.pop().unwrap_or_default();
        few.append(&mut self.near);
        few.extend(self.fresh.drain().map(|Reverse(place)| place));
        if few.is_empty() {
            self.take_bucket(&mut few);
        }
        radix::sort(&mut few, &mut self.near);
        self.unseen = self.near.len();
        self.keep(few);
    }

    /// Takes the nearest bucket, or as much of it as can be sorted at once.
    fn take_bucket(&mut self, few: &mut Vec<Place>) {
        while let Some(mut bucket) = self.far.pop() {
            if bucket.places.len() <= FEW {
                few.append(&mut bucket.places);
                return self.keep(bucket.places);
            }
            let mut later = self.spare.pop().unwrap_or_default();
            let pivot = split(&mut bucket.places, &mut later);
            self.far.push(Bucket { from: pivot, places: later });
            self.far.push(bucket);
        }
    }

    /// Keeps a buffer, unless it is a large one of a crowd that is gone.
    fn keep(&mut self, mut buffer: Vec<Place>) {
        buffer.clear();
        if buffer.capacity() <= 8 * FEW && self.spare.len() < 8 {
            self.spare.push(buffer);
        }
    }
}

/// Moves the later half to `later`, and gives the first of it. Always the half: a pivot by guess takes a few places off
/// at a time where times rise and then fall, and one look for the earliest would take a second and more.
fn split(places: &mut Vec<Place>, later: &mut Vec<Place>) -> Place {
    let half = places.len() / 2;
    let (_, &mut first, _) = places.select_nth_unstable(half);
    later.extend(places.drain(half..));
    first
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    fn place(deadline: Nanos, sequence: u32) -> Place {
        Place { deadline, sequence, slot: 0 }
    }

    fn drain(deadlines: &mut Deadlines) -> Vec<(Nanos, u32)> {
        let drained = std::iter::from_fn(|| {
            deadlines.first()?;
            deadlines.pop()
        });
        drained.map(|place| (place.deadline, place.sequence)).collect()
    }

    #[test]
    fn they_come_out_sorted_in_whatever_order_they_went_in() {
        let orders: [fn(u64) -> u64; 6] = [
            |number| number,
            |number| 10_000 - number,
            |_| 7,
            |number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44,
            |number| number.min(10_000 - number),
            // Centuries apart.
            |number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        ];
        for order in orders {
            let mut deadlines = Deadlines::new();
            (0..10_000).for_each(|number| deadlines.push(place(order(number), number as u32)));
            assert_eq!(deadlines.len(), 10_000);
            let drained = drain(&mut deadlines);
            assert_eq!(drained.len(), 10_000);
            assert!(drained.is_sorted());
            assert_eq!(deadlines.len(), 0);
        }
    }

    #[test]
    fn each_is_shown_once_before_it_is_taken() {
        let mut deadlines = Deadlines::new();
        (0..5_000).for_each(|number| deadlines.push(place(Nanos::from(number), number)));
        let mut shown = Vec::new();
        while deadlines.first().is_some() {
            shown.extend(deadlines.ahead().iter().map(|place| place.sequence));
            let taken = deadlines.pop().map(|place| place.sequence);
            assert!(taken.is_some_and(|taken| shown.contains(&taken)));
        }
        shown.sort_unstable();
        assert!(shown.into_iter().eq(0..5_000));
    }

    #[test]
    fn the_earliest_of_a_crowd_is_found_in_a_few_halves() {
        const CROWD: u64 = 100_000;
        let orders: [fn(u64) -> u64; 3] = [
            |number| number.min(CROWD - number),
            |number| number.max(CROWD - number),
            |number| number,
        ];
        for order in orders {
            let mut deadlines = Deadlines::new();
            (0..CROWD).for_each(|number| deadlines.push(place(order(number), number as u32)));
            let before = deadlines.far.len();
            assert!(deadlines.first().is_some());
            assert!(deadlines.far.len() <= before + 8, "{before}, {}", deadlines.far.len());
        }
    }

    #[test]
    fn what_is_added_between_two_takes_its_turn() {
        let mut deadlines = Deadlines::new();
        let mut model = std::collections::BTreeSet::new();
        let mut random = 1_u64;
        for sequence in 0..100_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let deadline = (random >> 33) % (1 + (random >> 20) % 5_000);
            deadlines.push(place(deadline, sequence));
            model.insert((deadline, sequence));
            if random >> 62 == 0 {
                let first = deadlines.first().map(|place| (place.deadline, place.sequence));
                assert_eq!(first, model.first().copied());
                for _ in 0..sequence % 7 {
                    deadlines.first();
                    let taken = deadlines.pop().map(|place| (place.deadline, place.sequence));
                    assert_eq!(taken, model.pop_first());
                }
            }
            if sequence % 10_000 == 0 {
                deadlines.retain(|place| place.sequence % 3 > 0);
                model.retain(|(_, sequence)| sequence % 3 > 0);
                assert_eq!(deadlines.len(), model.len());
            }
        }
        assert!(drain(&mut deadlines).into_iter().eq(model));
    }
}
