//! The tour as a user runs it: what it prints, and how it exits.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output};

use interloop::BackendKind;

/// The tour, which cargo builds next to the tests, before it runs them.
fn program() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let folder = test.ancestors().nth(2).expect("it is in the folder deps of a profile");
    let program = folder.join("examples").join("tour").with_extension(env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "{} is not there. `cargo test` builds it, `cargo test --test tour` does not: \
         run `cargo build --example tour` first",
        program.display()
    );
    program
}

fn tour(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().expect("the tour starts")
}

fn exit_code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the tour writes UTF-8")
}

fn succeed(arguments: &[&str]) -> String {
    let output = tour(arguments);
    let errors = text(&output.stderr);
    assert_eq!(exit_code(&output), Some(0), "{arguments:?}: {errors}");
    text(&output.stdout)
}

/// Expects a refusal of the command line, and returns what it says.
fn refuse(arguments: &[&str]) -> String {
    let output = tour(arguments);
    let errors = text(&output.stderr);
    assert_eq!(exit_code(&output), Some(2), "{arguments:?}: {errors}");
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    assert!(errors.starts_with("tour: ") && errors.contains("--help"), "{arguments:?}: {errors}");
    errors
}

/// The objects of the JSON that the tour prints: one in a line, with its fields in their order.
fn objects(json: &str) -> Vec<Vec<(String, String)>> {
    let array = json.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let array = array.expect("an array");
    array.trim().split(",\n").map(|object| fields(object.trim())).collect()
}

fn fields(object: &str) -> Vec<(String, String)> {
    let fields = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let fields = fields.expect("an object").split(", ").map(|field| {
        let (name, value) = field.split_once(": ").expect("a name and a value");
        let name = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        (name.expect("a name in quotes").to_owned(), value.to_owned())
    });
    fields.collect()
}

fn value<'a>(object: &'a [(String, String)], name: &str) -> &'a str {
    let found = object.iter().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("no {name} in {object:?}")).1
}

fn number(object: &[(String, String)], name: &str) -> f64 {
    value(object, name).parse().expect("a number")
}

#[test]
fn the_table_has_a_row_for_each_backend_that_opens_here() {
    let table = succeed(&["--messages", "2000"]);
    let rows = table.lines().skip(2);
    let names: Vec<&str> = rows.filter_map(|row| row.split_whitespace().next()).collect();
    let mut expected: Vec<&str> =
        BackendKind::available().into_iter().map(BackendKind::name).collect();
    expected.push("Every");
    assert_eq!(names, expected, "{table}");
    assert!(table.ends_with("abandoned nothing.\n"), "{table}");
}

#[test]
fn json_counts_every_message_timer_and_call() {
    for backend in BackendKind::available() {
        let json = succeed(&["--backend", backend.name(), "--messages=1234", "--json"]);
        let [object] = &objects(&json)[..] else { panic!("one backend, one object: {json}") };
        assert_eq!(value(object, "backend"), format!("\"{backend}\""));
        for (name, expected) in
            [("messages", 1234.0), ("missing", 0.0), ("timers", 5.0), ("troubles", 0.0)]
        {
            assert_eq!(number(object, name), expected, "{name} in {json}");
        }
        assert_eq!(number(object, "calls"), 1004.0, "{json}");
        for name in ["wakes", "messages_per_wake", "wake_to_turn_p99_us", "seconds"] {
            assert!(number(object, name) > 0.0, "{name} in {json}");
        }
        assert!(number(object, "wake_to_turn_p50_us") <= number(object, "wake_to_turn_p99_us"));
    }
}

#[test]
fn fewer_messages_than_clients_are_enough() {
    let json = succeed(&["--messages", "1", "--json"]);
    let objects = objects(&json);
    assert_eq!(objects.len(), BackendKind::available().len(), "{json}");
    assert!(objects.iter().all(|object| number(object, "missing") == 0.0), "{json}");
}

#[test]
fn help_tells_every_option() {
    for option in ["--help", "-h"] {
        let help = succeed(&[option]);
        for name in ["--backend", "--messages", "--json", "--help"] {
            assert!(help.contains(name), "{name} in {help}");
        }
    }
}

#[test]
fn an_unknown_argument_is_named() {
    assert!(refuse(&["--sideways"]).contains("--sideways"));
    assert!(refuse(&["sideways"]).contains("sideways"));
    assert!(refuse(&["--json=yes"]).contains("--json"));
}

#[test]
fn a_bad_number_is_named() {
    for number in ["0", "-1", "many", "1.5", "99999999999999999999"] {
        let errors = refuse(&["--messages", number]);
        assert!(errors.contains(number) && errors.contains("from 1 on"), "{errors}");
    }
    assert!(refuse(&["--messages"]).contains("--messages"));
}

#[test]
fn a_backend_that_is_not_here_is_refused_with_those_that_are() {
    let errors = refuse(&["--backend", "sundial"]);
    assert!(errors.contains("sundial") && errors.contains("select"), "{errors}");
    let here = BackendKind::available();
    for absent in BackendKind::ALL.into_iter().filter(|kind| !here.contains(kind)) {
        let errors = refuse(&["--backend", absent.name()]);
        assert!(errors.contains(absent.name()) && errors.contains(here[0].name()), "{errors}");
    }
}

/// The program fails when it cannot do its work, and says on which backend and why.
#[cfg(unix)]
#[test]
fn too_few_descriptors_fail_the_tour() {
    for limit in ["64", "150"] {
        let script = format!("ulimit -n {limit}; exec \"$0\" --messages 1000");
        let output = Command::new("sh").arg("-c").arg(script).arg(program()).output().unwrap();
        let errors = text(&output.stderr);
        assert_eq!(exit_code(&output), Some(1), "{errors}");
        let first = BackendKind::available()[0];
        assert!(errors.contains(&format!("tour: {first}: ")), "{errors}");
        assert!(errors.contains("os error 24"), "{errors}");
    }
}
