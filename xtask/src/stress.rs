//! One test, many times.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::arguments::{Arguments, refuse};
use crate::check::Check;
use crate::command::{self, capture, cargo, read, show};
use crate::{features, toolchain};

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let [name, count] = arguments.positionals.as_slice() else {
        unreachable!("the command declares two positionals");
    };
    let Ok(count) = count.parse::<u64>() else {
        return refuse(&format!("COUNT is a number, and {count:?} is none"));
    };
    let mut check = Check::new(false);
    let _ = check.step(&format!("{name}, {count} times"), |_| {
        if toolchain::has_subcommand("nextest") {
            by_nextest(name, count)
        } else {
            by_hand(name, count)
        }
    });
    check.finish()
}

fn by_nextest(name: &str, count: u64) -> Result<(), String> {
    let mut nextest = cargo("nextest run");
    nextest.args(features::CORE_ARGUMENTS.split_whitespace());
    nextest.args(features::everything()?.split_whitespace());
    command::run(nextest.arg(format!("--stress-count={count}")).arg(name))
}

fn by_hand(name: &str, count: u64) -> Result<(), String> {
    let mut programs = Vec::new();
    for (package, manifest) in features::CORE {
        for path in build(package)? {
            // Where cargo would start it: in the folder of its package.
            let folder = Path::new(manifest).canonicalize().map_err(|error| error.to_string())?;
            let mut program = Command::new(path);
            program.current_dir(folder.with_file_name("")).arg(name).stdin(Stdio::null());
            if has_tests(&program)? {
                programs.push(program);
            }
        }
    }
    if programs.is_empty() {
        return Err(format!("no test has {name:?} in its name"));
    }
    for program in &programs {
        println!("   $ {}", show(program));
    }
    for round in 1..=count {
        for program in &mut programs {
            let output = capture(program)?;
            if !output.status.success() {
                print!("{}", String::from_utf8_lossy(&output.stdout));
                eprint!("{}", String::from_utf8_lossy(&output.stderr));
                return Err(format!("round {round}: {}: {}", output.status, show(program)));
            }
        }
        if round % 100 == 0 || round == count {
            println!("   {round} rounds of {count}");
        }
    }
    Ok(())
}

/// Builds the test programs of a package, and says where they are.
fn build(package: &str) -> Result<Vec<PathBuf>, String> {
    let mut build = cargo("test --no-run --lib --tests --message-format json-render-diagnostics");
    build.args(["-p", package]).stderr(Stdio::inherit());
    println!("   $ {}", show(&build));
    let output = capture(&mut build)?;
    if !output.status.success() {
        return Err(format!("{}: {}", output.status, show(&build)));
    }
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let executables = messages.split("\"executable\":\"").skip(1);
    Ok(executables.filter_map(|rest| rest.split('"').next()).map(PathBuf::from).collect())
}

fn has_tests(program: &Command) -> Result<bool, String> {
    let mut list = Command::new(program.get_program());
    list.args(program.get_args()).arg("--list").stdin(Stdio::null());
    if let Some(folder) = program.get_current_dir() {
        list.current_dir(folder);
    }
    Ok(read(&mut list)?.lines().any(|line| line.ends_with(": test")))
}
