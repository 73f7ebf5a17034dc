//! What a work is.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rounds::Limits;

/// Something to do that every system is given alike.
pub(crate) struct Work {
    pub(crate) name: &'static str,
    /// One line that says what is measured.
    pub(crate) about: &'static str,
    /// The system that the ratios of the table are against.
    pub(crate) reference: &'static str,
    /// What is varied: of a quick run, fewer than of a full one.
    pub(crate) cases: fn(Effort) -> Vec<String>,
    /// The systems that do it, whether or not they can here: one that cannot answers `Unsupported`. Of a quick
    /// run, fewer than of a full one.
    pub(crate) systems: fn(case: &str, Effort) -> Vec<String>,
    /// Whether the samples of a round are taken all at once, because what they measure does not depend on
    /// what else the machine does. Otherwise one is taken after the other.
    pub(crate) at_once: bool,
    /// Does it once, and says what it took. An error of the kind `Unsupported` leaves the system out,
    /// with its message as the reason. This is called in a process of its own, on its main thread.
    pub(crate) sample: fn(&Sample) -> io::Result<Vec<Figure>>,
}

/// Which sample is to be taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sample {
    pub(crate) case: String,
    pub(crate) system: String,
    pub(crate) effort: Effort,
}

/// How much a run, and each of its samples, does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effort {
    /// A first look.
    Quick,
    /// Figures to be cited.
    Full,
}

impl Effort {
    /// How long a sample measures, where its work is bounded by time.
    pub(crate) fn sample_time(self) -> Duration {
        match self {
            Effort::Quick => Duration::from_millis(12),
            Effort::Full => Duration::from_millis(100),
        }
    }

    /// How much a run takes, unless it is told.
    pub(crate) fn limits(self) -> Limits {
        match self {
            // In less than a minute, with its files.
            Effort::Quick => Limits { rounds: 3, within: Some(Duration::from_secs(57)) },
            // With fewer than six, no ratio has an interval.
            Effort::Full => Limits { rounds: 7, within: None },
        }
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Effort::Quick => "quick",
            Effort::Full => "full",
        })
    }
}

impl FromStr for Effort {
    type Err = String;

    fn from_str(name: &str) -> Result<Effort, String> {
        match name {
            "quick" => Ok(Effort::Quick),
            "full" => Ok(Effort::Full),
            _ => Err(format!("an effort is quick or full, and not {name:?}")),
        }
    }
}

/// One thing that a sample has measured.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) metric: Cow<'static, str>,
    pub(crate) unit: Cow<'static, str>,
    pub(crate) value: f64,
}

impl Figure {
    pub(crate) const fn new(metric: &'static str, unit: &'static str, value: f64) -> Figure {
        Figure { metric: Cow::Borrowed(metric), unit: Cow::Borrowed(unit), value }
    }
}
