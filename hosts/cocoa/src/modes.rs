//! In which modes of the run loop a reactor is served.

use crate::run_loop;

/// The modes of a run loop in which a reactor is served, by their names.
///
/// ```
/// use interloop_cocoa::{Attach, Modes};
///
/// let reactor = interloop::Reactor::new()?;
/// let modes = Modes::common().and("MyProgressPanelMode");
/// let attached = Attach::new().modes(modes).to(&reactor)?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Modes(Vec<String>);

impl Modes {
    /// The common ones: the default mode, that for tracking events, that of modal panels, and what the
    /// program has added to them.
    pub fn common() -> Modes {
        Modes(run_loop::COMMON.iter().copied().map(str::to_owned).collect())
    }

    /// This one alone: `kCFRunLoopDefaultMode`, say.
    pub fn only(mode: impl Into<String>) -> Modes {
        Modes(vec![mode.into()])
    }

    /// This one too.
    pub fn and(mut self, mode: impl Into<String>) -> Modes {
        self.0.push(mode.into());
        self
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Default for Modes {
    fn default() -> Modes {
        Modes::common()
    }
}
