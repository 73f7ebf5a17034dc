//! The hosts: which toolkit each package needs, and how its tests are run.

use crate::check::{Check, Stopped};
use crate::command::cargo;
use crate::packages::{self as system, Package};

/// One package under hosts/.
pub(crate) struct Host {
    pub(crate) package: &'static str,
    /// What it needs in order to compile.
    needs: &'static [Package],
    runs: &'static [Run],
}

/// One run of tests.
struct Run {
    name: &'static str,
    /// The arguments of `cargo test`.
    arguments: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// What it needs besides.
    needs: &'static [Package],
}

/// Every package under hosts/.
pub(crate) const HOSTS: &[Host] = &[Host {
    package: "interloop-demos",
    needs: &[],
    runs: &[Run { name: "what the demos share", arguments: "", environment: &[], needs: &[] }],
}];

impl Host {
    fn missing(&self) -> Option<&Package> {
        self.needs.iter().find(|package| package.is_missing())
    }
}

/// The arguments that leave out of a command with `--workspace` the hosts that cannot be compiled here.
pub(crate) fn excluded() -> String {
    exclude(|host| host.missing().is_some())
}

/// The arguments that leave all hosts out.
pub(crate) fn all_excluded() -> String {
    exclude(|_| true)
}

fn exclude(which: impl Fn(&Host) -> bool) -> String {
    let hosts = HOSTS.iter().filter(|host| which(host));
    hosts.map(|host| format!(" --exclude {}", host.package)).collect()
}

/// Runs the tests of every host, in its own loop and, where it has windows, on a display.
pub(crate) fn steps(check: &mut Check) -> Result<(), Stopped> {
    for host in HOSTS {
        for run in host.runs {
            let name = format!("host: {}", run.name);
            let needed = host.needs.iter().chain(run.needs);
            if let Some(missing) = needed.into_iter().find(|package| package.is_missing()) {
                check.skip(&name, missing.advice());
                continue;
            }
            let mut tests = run.command(host.package);
            check.run_tests(&name, &mut tests)?;
        }
    }
    Ok(())
}

impl Run {
    fn command(&self, package: &str) -> std::process::Command {
        let line = format!("test -p {package} --no-fail-fast {}", self.arguments);
        let mut cargo = cargo(&line);
        if self.needs.iter().any(|package| package.name == system::DISPLAY.name) {
            cargo = crate::command::under("xvfb-run -a", &cargo);
            // Software renders, and nobody is asked over D-Bus.
            cargo.env("GDK_BACKEND", "x11").env("GSK_RENDERER", "cairo");
            cargo.env("LIBGL_ALWAYS_SOFTWARE", "1");
        }
        // A toolkit that cannot be opened is a failure here, and not a skipped case.
        cargo.env("INTERLOOP_REQUIRE_HOSTS", "1").envs(self.environment.iter().copied());
        cargo
    }
}
