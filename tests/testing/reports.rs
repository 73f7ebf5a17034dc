//! What the kit says of its cases, as cargo and nextest read it.

use std::env;
use std::io;
use std::process::{Command, Output};

use crate::faults::{ABSENT, FAULT};

/// Runs this program with a fault, for some of its cases.
pub fn run(fault: &str, arguments: &[&str]) -> io::Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(arguments).env(FAULT, fault);
    command.env_remove("INTERLOOP_TESTING_CASE").env_remove("INTERLOOP_REQUIRE_HOSTS");
    Ok(command)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn an_absent_toolkit_is_skipped_unless_it_is_required() -> io::Result<()> {
    let mut command = run(ABSENT, &["broken::start"])?;
    let output = command.output()?;
    let out = text(&output);
    assert!(output.status.success(), "{out}");
    let line = "test broken::start::never_run ... ignored, the host does not open: no display";
    assert!(out.contains(line), "{out}");
    assert!(out.contains("test result: ok. 0 passed; 0 failed; 5 ignored;"), "{out}");
    let output = command.env("INTERLOOP_REQUIRE_HOSTS", "1").output()?;
    let out = text(&output);
    assert!(!output.status.success(), "{out}");
    assert!(out.contains("test result: FAILED. 0 passed; 5 failed; 0 ignored;"), "{out}");
    Ok(())
}

pub fn cases_are_listed_and_chosen_by_name() -> io::Result<()> {
    let list = |arguments: &[&str]| {
        let out = text(&run(ABSENT, arguments)?.output()?);
        io::Result::Ok(out.lines().map(str::to_owned).collect::<Vec<_>>())
    };
    // As nextest asks.
    let all = list(&["--list", "--format", "terse"])?;
    assert!(all.contains(&"broken::echo: test".to_owned()), "{all:?}");
    assert_eq!(list(&["--list", "--format", "terse", "--ignored"])?, [""; 0]);
    let chosen = list(&["--list", "--exact", "broken::calls"])?;
    assert_eq!(chosen, ["broken::calls: test"]);
    let parts = list(&["--list", "nested", "--skip", "event", "--skip=call"])?;
    assert_eq!(parts, ["broken::nested::in_a_timer: test", "broken::nested::in_a_task: test"]);
    Ok(())
}
