//! The numbers of the packets that come: which is news, and which were lost.

/// What a packet is, by its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    /// Newer than all before.
    News,
    /// A newer one has come before it.
    Late,
    /// It has come before.
    Duplicate,
}

/// How many numbers back a packet is remembered.
const MEMORY: u32 = u64::BITS;

/// The packets of one sender. Numbers go on at 0 after the last one.
#[derive(Default)]
pub(super) struct Order {
    newest: Option<u32>,
    /// A bit for each of the last numbers that has come, the newest lowest.
    seen: u64,
    /// How many numbers there have been.
    numbers: u64,
    arrived: u64,
    pub(super) late: u64,
    pub(super) duplicates: u64,
}

impl Order {
    pub(super) fn arrive(&mut self, sequence: u32) -> Arrival {
        let Some(newest) = self.newest else {
            (self.newest, self.seen) = (Some(sequence), 1);
            (self.numbers, self.arrived) = (1, 1);
            return Arrival::News;
        };
        let ahead = sequence.wrapping_sub(newest);
        if (1..=u32::MAX / 2).contains(&ahead) {
            self.newest = Some(sequence);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.numbers += u64::from(ahead);
            self.arrived += 1;
            return Arrival::News;
        }
        let behind = newest.wrapping_sub(sequence);
        // What is too old to be remembered counts as lost, and this as one that came twice.
        let bit = 1_u64.checked_shl(behind).filter(|_| behind < MEMORY);
        let unseen = bit.filter(|bit| self.seen & bit == 0 && u64::from(behind) < self.numbers);
        let Some(bit) = unseen else {
            self.duplicates += 1;
            return Arrival::Duplicate;
        };
        self.seen |= bit;
        self.arrived += 1;
        self.late += 1;
        Arrival::Late
    }

    /// How many packets have not come, so far.
    pub(super) fn lost(&self) -> u64 {
        self.numbers - self.arrived
    }

    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }
}

#[cfg(test)]
mod tests {
    use super::Arrival::{Duplicate, Late, News};
    use super::*;

    fn arrive(sequences: &[u32]) -> (Vec<Arrival>, Order) {
        let mut order = Order::default();
        (sequences.iter().map(|sequence| order.arrive(*sequence)).collect(), order)
    }

    #[test]
    fn what_is_missing_is_lost_until_it_comes() {
        let (arrivals, order) = arrive(&[7, 8, 11]);
        assert_eq!((arrivals, order.lost()), (vec![News; 3], 2));
        let (arrivals, order) = arrive(&[7, 8, 11, 9]);
        assert_eq!((arrivals[3], order.lost(), order.late), (Late, 1, 1));
    }

    #[test]
    fn one_that_comes_twice_is_counted_once() {
        let (arrivals, order) = arrive(&[1, 1, 3, 2, 2, 1, 3]);
        assert_eq!(arrivals, [News, Duplicate, News, Late, Duplicate, Duplicate, Duplicate]);
        assert_eq!((order.arrived(), order.lost(), order.duplicates), (3, 0, 4));
    }

    #[test]
    fn numbers_go_on_after_the_last_one() {
        let (arrivals, order) = arrive(&[u32::MAX - 1, 1, u32::MAX, 0]);
        assert_eq!(arrivals, [News, News, Late, Late]);
        assert_eq!(order.lost(), 0);
    }

    #[test]
    fn a_long_silence_is_that_many_lost() {
        let (arrivals, order) = arrive(&[1, 1_001, 1]);
        assert_eq!(arrivals, [News, News, Duplicate]);
        assert_eq!(order.lost(), 999);
    }
}
