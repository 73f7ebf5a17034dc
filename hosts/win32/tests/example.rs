//! The example application, as its users run it.
#![cfg(windows)]
#![allow(unsafe_code)]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use windows_sys::Win32::Foundation::HWND;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    FindWindowExW, GetWindowThreadProcessId, PostMessageW, WM_CLOSE, WM_COMMAND, WM_LBUTTONDOWN,
};
use windows_sys::core::{PCWSTR, w};

const LIMIT: Duration = Duration::from_secs(60);

/// The program, killed where a test fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.0.kill();
    }
}

/// Asks until there is an answer.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < limit, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

impl Program {
    /// Starts it, and connects to it.
    fn start() -> (Program, TcpStream) {
        let own = env::current_exe().expect("this program has a path");
        let folder = own.ancestors().nth(2).expect("cargo's folder");
        let path = folder.join("examples").join("win32_echo.exe");
        assert!(
            path.exists(),
            "`cargo test` builds {path:?}, `cargo test --test example` does not"
        );
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback can listen");
        let address = free.local_addr().expect("it listens");
        drop(free);
        let mut command = Command::new(path);
        let program =
            command.arg(address.to_string()).spawn().expect("cargo has built the example");
        let stream = wait_for("the server", || TcpStream::connect(address).ok());
        stream.set_read_timeout(Some(LIMIT)).expect("a limit for reading");
        (Program(program), stream)
    }

    /// A window of the program.
    fn window(&self, class: PCWSTR) -> Option<HWND> {
        let mut window = ptr::null_mut();
        loop {
            let mut process = 0;
            // SAFETY: the name ends with a zero; `process` lives.
            unsafe {
                window = FindWindowExW(ptr::null_mut(), window, class, ptr::null());
                GetWindowThreadProcessId(window, &mut process);
            }
            if window.is_null() {
                return None;
            }
            if process == self.0.id() {
                return Some(window);
            }
        }
    }

    fn post(&self, class: PCWSTR, message: u32, wparam: usize) {
        let window = wait_for("a window", || self.window(class));
        // SAFETY: the message carries no pointer.
        unsafe { PostMessageW(window, message, wparam, 0) };
    }
}

const MAIN: PCWSTR = w!("interloop echo");
/// The class of dialogs, and so of message boxes.
const DIALOG: PCWSTR = w!("#32770");
const OK: usize = 1;

#[test]
fn it_echoes_beside_a_message_box_and_says_goodbye() {
    let (mut program, stream) = Program::start();
    let mut answers = BufReader::new(stream.try_clone().expect("it is a socket")).lines();
    let mut ask = |line: &str| {
        writeln!(&stream, "{line}").expect("the server reads");
        answers.next().expect("an answer").expect("in UTF-8")
    };
    assert_eq!(ask("hello"), "hello");
    program.post(MAIN, WM_LBUTTONDOWN, 0);
    wait_for("the message box", || program.window(DIALOG));
    for number in 0..100 {
        let line = format!("line {number}");
        assert_eq!(ask(&line), line);
    }
    program.post(DIALOG, WM_COMMAND, OK);
    wait_for("the end of the message box", || program.window(DIALOG).is_none().then_some(()));
    assert_eq!(ask("still there"), "still there");
    program.post(MAIN, WM_CLOSE, 0);
    assert_eq!(answers.next().expect("a last line").expect("in UTF-8"), "goodbye");
    assert!(answers.next().is_none(), "something came after goodbye");
    assert!(program.0.wait().expect("it ends").success());
}
