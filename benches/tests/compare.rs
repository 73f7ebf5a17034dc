//! The program `interloop-benches compare`, as it is called.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn compare(line: &str) -> Output {
    let program = env!("CARGO_BIN_EXE_interloop-benches");
    let mut command = Command::new(program);
    command.arg("compare").args(line.split_whitespace());
    command.output().expect("the program starts")
}

/// A place for what a test writes, with nothing in it.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    // It is not there the first time.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

const ONE_CASE: &str = "--quick --rounds 2 --work echo --case socketpair/back-to-back/one-cpu";

#[test]
fn a_run_prints_a_table_and_writes_what_it_is_asked_for() {
    let folder = folder("a_run");
    let [json, html, svg] = ["run.json", "run.html", "svg"].map(|name| folder.join(name));
    let files =
        format!("--json {} --html {} --svg {}", json.display(), html.display(), svg.display());
    let systems = "--system raw-epoll --system interloop/epoll/run/own";
    let output = compare(&format!("{ONE_CASE} {systems} {files}"));
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\necho socketpair/back-to-back/one-cpu: median "), "{said}");
    assert!(said.contains("\n  interloop/epoll/run/own "), "{said}");

    let rows: Vec<Value> = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    let found = rows.iter().map(|row| (row["system"].as_str(), row["metric"].as_str()));
    let systems = ["raw-epoll", "interloop/epoll/run/own"];
    let of_system = |system| ["p50", "p99", "p99.9"].map(|metric| (Some(system), Some(metric)));
    assert!(found.eq(systems.into_iter().flat_map(of_system)), "{rows:?}");
    for row in &rows {
        let [low, median, high] = ["low", "median", "high"].map(|key| row[key].as_f64().unwrap());
        assert!(0.0 < low && low <= median && median <= high, "{row}");
        assert_eq!((&row["runs"], &row["unit"]), (&2.into(), &"ns".into()), "{row}");
    }

    assert_eq!(fs::read_to_string(html).unwrap().matches("<svg ").count(), 3);
    assert_eq!(fs::read_dir(svg).unwrap().count(), 3);
}

#[test]
fn a_check_is_silent_about_what_was_not_asked_for() {
    let output = compare(&format!("{ONE_CASE} --system raw-epoll --check"));
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("\n0 ratios hold:\n") && !said.contains("fall short"), "{said}");
}

#[test]
fn a_name_that_nothing_has_is_told_with_those_that_there_are() {
    for (line, complaint) in [
        ("--work ehco", "there is no work \"ehco\"; there are: "),
        ("--work echo --system raw-kqueue", "there is no system \"raw-kqueue\"; there are: "),
        ("--loud", "invalid option '--loud'"),
    ] {
        let output = compare(line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        let complained = String::from_utf8(output.stderr).unwrap();
        assert!(complained.starts_with(&format!("compare: {complaint}")), "{complained}");
    }
}

#[test]
fn a_list_measures_nothing() {
    let output = compare("--list --work echo");
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("echo: ") && said.contains("\n    raw-epoll\n"), "{said}");
    assert!(!said.contains("median"), "{said}");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let output = compare(&format!("{ONE_CASE} --system raw-epoll --json /nowhere/run.json"));
    assert_eq!(output.status.code(), Some(2));
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(complained.contains("cannot write /nowhere/run.json: "), "{complained}");
}
