//! Who listens to which signal, in the whole process, and what the host's actions were before.
//!
//! `signal-hook` installs its handler for a signal once and never takes it away, and it believes for
//! good that it is in force. So its action is kept when the host's is put back, and is put in force
//! again for the next who listens.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::{SigId, flag, low_level};

use super::action::Action;
use super::number::Signal;
use crate::net::Context;

/// The signals that somebody listens to, or has listened to.
static TABLE: Mutex<BTreeMap<Signal, Entry>> = Mutex::new(BTreeMap::new());

struct Entry {
    /// How many listen.
    count: usize,
    /// What was in force before the first of them.
    host: Action,
    /// That of `signal-hook`.
    hook: Action,
}

fn table() -> MutexGuard<'static, BTreeMap<Signal, Entry>> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One who listens to one signal.
pub(super) struct Subscription {
    signal: Signal,
    /// Set in the signal handler, before the wake, and taken on the host thread, after the wake was
    /// forgotten. The socket orders the two; SeqCst, as `signal-hook` has it.
    came: Arc<AtomicBool>,
    _hooks: Hooks,
}

impl Subscription {
    /// Listens. When `signal` comes, `tell` gets a byte.
    pub(super) fn new(signal: Signal, tell: UnixStream) -> io::Result<Subscription> {
        let what = |error: io::Error| Context::add(format_args!("listen to {signal}"), error);
        let came = Arc::new(AtomicBool::new(false));
        let mut table = table();
        // Also finds numbers that are none.
        let before = Action::current(signal).map_err(what)?;
        let hooks = Hooks::register(signal, Arc::clone(&came), tell).map_err(|error| {
            // The handler may have been installed.
            if !table.contains_key(&signal) {
                let _unchanged = before.put_back(signal);
            }
            what(error)
        })?;
        match table.get_mut(&signal) {
            Some(entry) if entry.count > 0 => entry.count += 1,
            Some(entry) => {
                let before = entry.hook.put_back(signal).map_err(what)?;
                // Somebody may have put the handler back that was there during a subscription.
                if !before.is(&entry.hook) {
                    entry.host = before;
                }
                entry.count = 1;
            }
            None => {
                let hook = Action::current(signal).map_err(what)?;
                table.insert(signal, Entry { count: 1, host: before, hook });
            }
        }
        drop(table);
        Ok(Subscription { signal, came, _hooks: hooks })
    }

    pub(super) fn signal(&self) -> Signal {
        self.signal
    }

    /// True when the signal came since this was asked last.
    pub(super) fn take(&self) -> bool {
        self.came.swap(false, Ordering::SeqCst)
    }
}

impl Drop for Subscription {
    /// Puts the host's action back before `signal-hook` forgets what to do: in between, the signal
    /// would be swallowed.
    fn drop(&mut self) {
        let mut table = table();
        let Some(entry) = table.get_mut(&self.signal) else { return };
        entry.count -= 1;
        let is_ours = |current: Action| current.is(&entry.hook);
        if entry.count == 0 && Action::current(self.signal).is_ok_and(is_ours) {
            // The kernel has taken both of these before.
            let _refused = entry.host.put_back(self.signal);
        }
    }
}

/// What `signal-hook` does when a signal comes: it sets a flag, and then wakes.
struct Hooks(Vec<SigId>);

impl Hooks {
    fn register(signal: Signal, came: Arc<AtomicBool>, tell: UnixStream) -> io::Result<Hooks> {
        let mut hooks = Hooks(Vec::with_capacity(2));
        hooks.0.push(flag::register(signal.number(), came)?);
        hooks.0.push(low_level::pipe::register(signal.number(), tell)?);
        Ok(hooks)
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        for hook in self.0.drain(..) {
            low_level::unregister(hook);
        }
    }
}
