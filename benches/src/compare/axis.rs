//! A logarithmic axis.

/// From a round number to a round number.
pub(super) struct Axis {
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis on which all of these have a place, and the least of them some length. What is not
    /// positive has none.
    pub(super) fn holding(values: impl Iterator<Item = f64>) -> Axis {
        let (mut least, mut most) = (f64::INFINITY, 0_f64);
        for value in values.filter(|value| *value > 0.0) {
            (least, most) = (least.min(value), most.max(value));
        }
        if most == 0.0 {
            return Axis { from: 1.0, to: 10.0 };
        }
        Axis { from: round_down(least / 2.0), to: round_up(most) }
    }

    /// Where the value is, as a share of the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = (value.max(self.from) / self.from).ln() / (self.to / self.from).ln();
        place.clamp(0.0, 1.0)
    }

    /// The round numbers on the axis: the powers of ten, and where those are few also 2 and 5 of each.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let decades = (self.to / self.from).log10();
        let steps: &[f64] = if decades < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let first = self.from.log10().floor() as i32;
        let last = self.to.log10().ceil() as i32;
        // Where there are very many decades, not each of them has room for its number.
        let apart = 1 + (decades / 8.0) as usize;
        let powers = (first..=last).step_by(apart).map(|power| 10_f64.powi(power));
        let ticks = powers.flat_map(|power| steps.iter().map(move |step| step * power));
        let slack = 1.0 + 1e-9;
        ticks.filter(|tick| (self.from / slack..=self.to * slack).contains(tick)).collect()
    }
}

/// The greatest of 1, 2 and 5 times a power of ten that is not above.
fn round_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    match value / power {
        5.0.. => 5.0 * power,
        2.0.. => 2.0 * power,
        _ => power,
    }
}

/// The least of them that is not below.
fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    match value / power {
        ..=1.0 => power,
        ..=2.0 => 2.0 * power,
        ..=5.0 => 5.0 * power,
        _ => 10.0 * power,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_begins_and_ends_with_a_round_number() {
        let axis = Axis::holding([700.0, 3300.0].into_iter());
        assert_eq!((axis.from, axis.to), (200.0, 5000.0));
        assert_eq!(axis.ticks(), [200.0, 500.0, 1000.0, 2000.0, 5000.0]);
        assert_eq!((axis.place(200.0), axis.place(1000.0), axis.place(5000.0)), (0.0, 0.5, 1.0));
    }

    #[test]
    fn a_long_axis_has_the_powers_of_ten() {
        let axis = Axis::holding([3.0, 80_000.0].into_iter());
        assert_eq!(axis.ticks(), [1.0, 10.0, 100.0, 1000.0, 10_000.0, 100_000.0]);
    }

    #[test]
    fn zero_has_no_length() {
        let axis = Axis::holding([0.0, 10.0].into_iter());
        assert_eq!(axis.place(0.0), 0.0);
        assert!(axis.place(10.0) > 0.0);
        assert_eq!(Axis::holding([0.0].into_iter()).place(0.0), 0.0);
    }
}
