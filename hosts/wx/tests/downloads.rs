//! The example `downloads`, as its users run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use interloop_demos::testing::{
    Program, close_window, document, example, has_display, press, serve_documents, type_text,
};

const TITLE: &str = "downloads";
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A display, for one test at a time: there is one keyboard. None where there is no display.
fn display() -> Option<MutexGuard<'static, ()>> {
    static KEYBOARD: Mutex<()> = Mutex::new(());
    // A test that has failed does not touch it any more.
    has_display().then(|| KEYBOARD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A folder for downloads, which is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = format!("interloop-downloads-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    /// Waits until something of a file is on the disk.
    fn wait_for_some_of(&self, name: &str) {
        let part = self.0.join(format!("{name}.part"));
        let limit = Instant::now() + LIMIT;
        while fs::metadata(&part).map_or(0, |part| part.len()) == 0 {
            assert!(Instant::now() < limit, "nothing of {name} comes");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Checks that these files are there, complete, and nothing else.
    fn has(&self, names: &[&str]) {
        let document = document();
        for name in names {
            assert!(fs::read(self.0.join(name)).unwrap() == document, "{name} is something else");
        }
        assert_eq!(fs::read_dir(&self.0).unwrap().count(), names.len(), "something else is there");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The next run has another name.
        let _kept = fs::remove_dir_all(&self.0);
    }
}

fn downloads(folder: &Path, addresses: &[String]) -> Program {
    let mut command = Command::new(example("downloads"));
    // GTK would ask for its services over D-Bus, and complain that they are not there.
    command.env("NO_AT_BRIDGE", "1").env("GSETTINGS_BACKEND", "memory");
    Program::start(command.arg("--folder").arg(folder).args(addresses))
}

/// Closes the window, and answers with what was printed since.
fn close(program: Program) -> String {
    close_window(TITLE);
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.output
}

#[test]
fn several_files_come_at_a_time_and_a_failure_is_shown_beside_them() {
    let Some(_display) = display() else { return };
    let (server, folder) = (serve_documents(), Folder::new("several"));
    let paths = ["all/a", "all/b", "missing/c", "all/d"];
    let mut program = downloads(&folder.0, &paths.map(|path| format!("{server}/{path}")));
    let mut lines: Vec<String> = (0..4).map(|_| program.line(": ")).collect();
    lines.sort();
    assert!(lines[2].starts_with("c: ") && lines[2].ends_with("404 Not Found"), "{lines:?}");
    lines.remove(2);
    assert_eq!(lines, ["a", "b", "d"].map(|name| format!("{name}: complete, 1.0 MB")));
    // The focus is in the line for the address.
    type_text(TITLE, &format!("{server}/all/e"));
    press(TITLE, "Return");
    program.line("e: complete");
    close(program);
    folder.has(&["a", "b", "d", "e"]);
}

#[test]
fn downloads_are_stopped_and_go_on() {
    let Some(_display) = display() else { return };
    let (server, folder) = (serve_documents(), Folder::new("stopped"));
    let addresses = ["a", "b"].map(|name| format!("{server}/halfway/{name}"));
    let mut program = downloads(&folder.0, &addresses);
    folder.wait_for_some_of("a");
    folder.wait_for_some_of("b");
    press(TITLE, "ctrl+s");
    program.line("stopped after");
    program.line("stopped after");
    press(TITLE, "ctrl+r");
    program.line("complete, 1.0 MB");
    program.line("complete, 1.0 MB");
    close(program);
    folder.has(&["a", "b"]);
}

#[test]
fn a_window_is_closed_on_downloads_that_go_on_in_the_next_run() {
    let Some(_display) = display() else { return };
    let (server, folder) = (serve_documents(), Folder::new("closed"));
    let addresses = ["halfway/a", "silent/b"].map(|path| format!("{server}/{path}"));
    let program = downloads(&folder.0, &addresses);
    folder.wait_for_some_of("a");
    let output = close(program);
    assert!(output.contains("a: stopped after "), "{output}");
    assert!(output.contains("b: stopped after 0 bytes"), "{output}");
    let mut program = downloads(&folder.0, &addresses[..1]);
    program.line("a: complete, 1.0 MB");
    close(program);
    folder.has(&["a"]);
}

#[test]
fn a_wrong_command_line_is_refused() {
    for arguments in [&["--folder"][..], &["--folder", "/nowhere"], &["--louder"]] {
        let ended = Program::start(Command::new(example("downloads")).args(arguments)).end();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let is_explained = ended.errors.contains("--help");
        assert!(ended.errors.starts_with("downloads: ") && is_explained, "{ended:?}");
    }
}
