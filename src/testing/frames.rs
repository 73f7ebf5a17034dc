//! The toolkit's own timer, as a clock of how long its loop was kept from it.

use std::time::{Duration, Instant};

/// How much worse the worst frame may be with a reactor. Not to measure anything, which a busy machine
/// would spoil, but to see that the timer is not locked out for as long as there is something to do.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// When the frames came.
#[derive(Default)]
pub(super) struct Frames {
    pub(super) count: usize,
    /// The longest time between two of them.
    pub(super) worst: Duration,
    last: Option<Instant>,
}

impl Frames {
    pub(super) fn come(&mut self) {
        let now = Instant::now();
        let gap = self.last.map_or(Duration::ZERO, |last| now - last);
        self.worst = self.worst.max(gap);
        self.last = Some(now);
        self.count += 1;
    }
}
