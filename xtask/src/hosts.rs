//! The hosts: which toolkit each package needs, and how its tests are run.

use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::benches;
use crate::check::{Check, Stopped};
use crate::command::{cargo, command, read};
use crate::packages::{self as system, Package};
use crate::toolchain;

/// One package under hosts/, and what belongs to it.
pub(crate) struct Host {
    packages: &'static [&'static str],
    /// The features of the first package that are off by default, and are checked all the same.
    features: &'static [&'static str],
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
    /// Where it is not that of this machine.
    target: Option<&'static str>,
    /// Whether building it alone takes minutes.
    is_slow: bool,
    /// What it needs besides.
    needs: &'static [Package],
}

const fn plain(name: &'static str, arguments: &'static str, needs: &'static [Package]) -> Run {
    Run { name, arguments, environment: &[], target: None, is_slow: false, needs }
}

const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// Every package under hosts/.
const HOSTS: &[Host] = &[
    Host {
        packages: &["interloop-demos"],
        features: &[],
        needs: &[],
        runs: &[plain("what the demos share", "", &[])],
    },
    Host {
        packages: &["interloop-glib"],
        features: &["gtk4"],
        needs: &[system::GTK],
        runs: &[plain("GLib and GTK 4", "--features gtk4", &[system::DISPLAY, system::TYPIST])],
    },
    Host {
        packages: &["interloop-qt", "interloop-qt-widgets"],
        features: &[],
        needs: &[system::QT6],
        runs: &[
            plain("Qt 6", "", &[system::DISPLAY]),
            Run {
                name: "Qt 5",
                arguments: "",
                environment: &[("QT_VERSION_MAJOR", "5")],
                target: None,
                is_slow: false,
                needs: &[system::DISPLAY, system::QT5],
            },
        ],
    },
    Host {
        packages: &["interloop-winit"],
        features: &[],
        needs: &[],
        runs: &[plain("winit", "", &[system::DISPLAY])],
    },
    Host {
        packages: &["interloop-sdl"],
        features: &[],
        needs: &[system::SDL2],
        runs: &[
            plain("SDL 2", "", &[system::DISPLAY]),
            Run {
                is_slow: true,
                ..plain(
                    "SDL 3",
                    "--no-default-features --features sdl3-from-source",
                    &[system::DISPLAY, system::SDL3, system::XTEST],
                )
            },
        ],
    },
    Host {
        packages: &["interloop-wx", "interloop-wx-widgets"],
        features: &[],
        needs: &[system::WX],
        runs: &[plain("wxWidgets", "", &[system::DISPLAY])],
    },
    Host {
        packages: &["interloop-win32"],
        features: &[],
        needs: &[],
        runs: &[Run {
            name: "Win32, under wine",
            arguments: "",
            environment: &[],
            target: Some(WINDOWS),
            is_slow: false,
            needs: &[system::WINE, system::MINGW],
        }],
    },
    Host {
        packages: &["interloop-hosts-others"],
        features: &["libuv", "tcl"],
        needs: &[system::UV, system::TCL],
        runs: &[plain("calloop, libuv and Tcl", "--features libuv,tcl", &[])],
    },
    Host {
        packages: &["interloop-cocoa"],
        features: &[],
        needs: &[],
        runs: &[plain("NSRunLoop, of GNUstep", "--features gnustep", &[system::GNUSTEP])],
    },
];

impl Host {
    fn missing(&self) -> Option<&Package> {
        self.needs.iter().find(|package| package.is_missing())
    }
}

/// The arguments that leave out of a command with `--workspace` what cannot be compiled here.
pub(crate) fn excluded() -> String {
    exclude(|host| host.missing().is_some()) + &benches::excluded()
}

/// The arguments that leave out all that asks for a toolkit.
pub(crate) fn all_excluded() -> String {
    exclude(|_| true) + &benches::all_excluded()
}

fn exclude(which: impl Fn(&Host) -> bool) -> String {
    let hosts = HOSTS.iter().filter(|host| which(host));
    let packages = hosts.flat_map(|host| host.packages);
    packages.map(|package| format!(" --exclude {package}")).collect()
}

/// The features of those that can be compiled here, each with a comma before it.
pub(crate) fn features() -> String {
    let hosts = HOSTS.iter().filter(|host| host.missing().is_none());
    let features = hosts.flat_map(|host| host.features.iter().map(|name| (host.packages[0], name)));
    features.map(|(package, name)| format!(",{package}/{name}")).collect()
}

/// The command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut check = Check::new(arguments.has("--fail-fast"));
    check.optional("system packages", system::install);
    let _ = steps(&mut check, Extent::All);
    check.finish()
}

/// Which hosts are run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    All,
    /// Those that are built in a minute.
    Quick,
}

/// Runs the tests of the hosts, in their own loops and, where they have windows, on a display.
pub(crate) fn steps(check: &mut Check, extent: Extent) -> Result<(), Stopped> {
    for host in HOSTS {
        for run in host.runs {
            let name = format!("host: {}", run.name);
            if run.is_slow && extent == Extent::Quick {
                check.skip(&name, "it takes minutes to build; `cargo xtask hosts` runs it");
                continue;
            }
            let needed = host.needs.iter().chain(run.needs);
            if let Some(missing) = needed.into_iter().find(|package| package.is_missing()) {
                check.skip(&name, missing.advice());
                continue;
            }
            if let Some(Err(why)) = run.target.map(toolchain::require_target) {
                check.skip(&name, why);
                continue;
            }
            if let Some(target) = run.target {
                // On this machine's own target there is nothing of it to look at.
                let package = host.packages[0];
                let line =
                    format!("clippy -p {package} --target {target} --all-targets -- -D warnings");
                check.run(&format!("clippy: {}", run.name), &mut cargo(&line))?;
            }
            let mut tests = run.command(host.packages[0]);
            check.run_tests(&name, &mut tests)?;
        }
    }
    core_foundation(check)
}

/// The CFRunLoop that Swift's Foundation has, out of a later Debian: nothing is installed.
fn core_foundation(check: &mut Check) -> Result<(), Stopped> {
    let name = "host: CFRunLoop, of Swift's Foundation";
    match read(&mut command("hosts/cocoa/swift/fetch")) {
        Ok(root) => {
            let line = "test -p interloop-cocoa --no-fail-fast --features swift-corelibs";
            let mut tests = cargo(line);
            tests.env("INTERLOOP_SWIFT_ROOT", root.trim()).env("INTERLOOP_REQUIRE_HOSTS", "1");
            check.run_tests(name, &mut tests)
        }
        Err(why) => {
            check.skip(name, why);
            Ok(())
        }
    }
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
        if let Some(target) = self.target {
            cargo.args(["--target", target]);
            cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", "hosts/win32/wine/run");
        }
        // A toolkit that cannot be opened is a failure here, and not a skipped case.
        cargo.env("INTERLOOP_REQUIRE_HOSTS", "1").envs(self.environment.iter().copied());
        cargo
    }
}
