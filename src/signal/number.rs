//! A signal, by its number.

use std::fmt;
use std::io;

use signal_hook::consts::{self, FORBIDDEN};
use signal_hook::low_level::signal_name;

/// A signal of the operating system.
///
/// ```
/// use interloop::signal::Signal;
///
/// assert_eq!(Signal::INT.to_string(), "SIGINT");
/// assert_eq!(Signal::new(Signal::INT.number()), Signal::INT);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(i32);

impl Signal {
    /// `SIGALRM`: a timer of `alarm` has run down.
    pub const ALRM: Signal = Signal(consts::SIGALRM);
    /// `SIGCHLD`: a child has ended or was stopped. Children of this crate are waited for without it.
    pub const CHLD: Signal = Signal(consts::SIGCHLD);
    /// `SIGCONT`: the process goes on after a stop.
    pub const CONT: Signal = Signal(consts::SIGCONT);
    /// `SIGHUP`: the terminal is gone; of a daemon, a wish to read its configuration again.
    pub const HUP: Signal = Signal(consts::SIGHUP);
    /// `SIGINT`: an interrupt from the terminal, by Ctrl-C.
    pub const INT: Signal = Signal(consts::SIGINT);
    /// `SIGPIPE`: somebody wrote to a pipe that nobody reads.
    pub const PIPE: Signal = Signal(consts::SIGPIPE);
    /// `SIGQUIT`: a wish to end with a core dump, from the terminal by Ctrl-\.
    pub const QUIT: Signal = Signal(consts::SIGQUIT);
    /// `SIGTERM`: a wish to end.
    pub const TERM: Signal = Signal(consts::SIGTERM);
    /// `SIGTSTP`: a stop from the terminal, by Ctrl-Z.
    pub const TSTP: Signal = Signal(consts::SIGTSTP);
    /// `SIGTTIN`: a background process has read from the terminal.
    pub const TTIN: Signal = Signal(consts::SIGTTIN);
    /// `SIGTTOU`: a background process has written to the terminal.
    pub const TTOU: Signal = Signal(consts::SIGTTOU);
    /// `SIGURG`: a socket has urgent data.
    pub const URG: Signal = Signal(consts::SIGURG);
    /// `SIGUSR1`: whatever the program makes of it.
    pub const USR1: Signal = Signal(consts::SIGUSR1);
    /// `SIGUSR2`: whatever the program makes of it.
    pub const USR2: Signal = Signal(consts::SIGUSR2);
    /// `SIGWINCH`: the terminal has another size.
    pub const WINCH: Signal = Signal(consts::SIGWINCH);

    /// The signal of this number, which need not exist.
    pub const fn new(number: i32) -> Signal {
        Signal(number)
    }

    /// The number that the operating system has for it.
    pub const fn number(self) -> i32 {
        self.0
    }

    pub(super) fn check(self) -> io::Result<()> {
        if !FORBIDDEN.contains(&self.0) {
            return Ok(());
        }
        let why = match self.0 {
            consts::SIGKILL | consts::SIGSTOP => "the operating system lets nobody catch it",
            _ => "the program that it interrupts cannot go on",
        };
        let message = format!("{self} cannot be listened to: {why}");
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match signal_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
