//! The example `web_client`, as a user runs it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use interloop_demos::testing::{
    Program, close_window, example, has_display, press, type_text, wait_for_window,
};

const LIMIT: Duration = Duration::from_secs(60);
/// How much of something endless has to come before a test goes on.
const SOME: usize = 8 << 20;

/// A server, and the news of what it was asked for that never ends.
struct Server {
    address: String,
    news: Receiver<News>,
}

#[derive(PartialEq, Debug)]
enum News {
    /// The client has taken some of it.
    Some,
    /// The client has closed the connection.
    Closed,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, news) = mpsc::channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, sender) = (stream.unwrap(), sender.clone());
                thread::spawn(move || answer(stream, &sender));
            }
        });
        Server { address, news }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn expect(&self, news: &News) {
        assert_eq!(self.news.recv_timeout(LIMIT).as_ref(), Ok(news));
    }
}

fn answer(mut stream: TcpStream, news: &mpsc::Sender<News>) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let _head = lines.take_while(|line| !line.is_empty()).count();
    let answer = match request.split(' ').nth(1) {
        Some("/page") => "200 OK\r\nContent-Length: 17\r\n\r\n<h1>A page</h1>\n\0",
        Some("/moved") => "301 Moved Permanently\r\nLocation: /page\r\nContent-Length: 0\r\n\r\n",
        Some("/cut") => "200 OK\r\nContent-Length: 100\r\n\r\nno more",
        Some("/endless") => "200 OK\r\nContent-Type: text/plain\r\n\r\n",
        _ => "404 Not Found\r\nContent-Length: 3\r\n\r\nno\n",
    };
    // A client that goes away is no failure of ours.
    let _gone = stream.write_all(format!("HTTP/1.1 {answer}").as_bytes());
    if request.contains("/endless") {
        let (block, mut sent) = (vec![b'x'; 1 << 16], 0);
        while stream.write_all(&block).is_ok() {
            sent += block.len();
            if sent == SOME {
                news.send(News::Some).unwrap();
            }
        }
        news.send(News::Closed).unwrap();
    }
}

/// The one who sits at the display, if there is one: he has one keyboard, and one window at a time.
fn user() -> Option<MutexGuard<'static, ()>> {
    static USER: Mutex<()> = Mutex::new(());
    has_display().then(|| USER.lock().unwrap_or_else(PoisonError::into_inner))
}

fn web_client(arguments: &[&str]) -> Program {
    let mut command = Command::new(example("web_client"));
    // GTK would ask for its services over D-Bus, and complain that they are not there.
    command.env("GTK_A11Y", "none").env("GSETTINGS_BACKEND", "memory").env("GSK_RENDERER", "cairo");
    Program::start(command.args(arguments))
}

fn title(what: &str, address: &str) -> String {
    format!("{what} - {address} - Web Client")
}

fn ends_well(program: Program) {
    let ended = program.end();
    assert_eq!((ended.code, ended.output.as_str()), (Some(0), ""), "{ended:?}");
    // On a machine that is busy with much else, a callback may be reported as slow.
    let is_slowness = |line: &str| line.contains("held the host thread");
    assert_eq!(ended.errors.lines().find(|line| !is_slowness(line)), None, "{ended:?}");
}

#[test]
fn pages_are_loaded_from_the_command_line_and_from_the_address_bar() {
    let Some(_user) = user() else { return };
    let server = Server::start();
    let program = web_client(&[&server.address("/moved")]);
    let page = title("200 OK", &server.address("/page"));
    press(&page, "ctrl+l");
    type_text(&page, &server.address("/nowhere"));
    press(&page, "Return");
    let nowhere = title("404 Not Found", &server.address("/nowhere"));
    press(&nowhere, "ctrl+l");
    type_text(&nowhere, &server.address("/cut"));
    press(&nowhere, "Return");
    let cut = title("Failed", &server.address("/cut"));
    press(&cut, "ctrl+l");
    type_text(&cut, "ftp://example.com/");
    press(&cut, "Return");
    let wrong = title("Failed", "ftp://example.com/");
    press(&wrong, "ctrl+l");
    type_text(&wrong, &server.address("/page"));
    press(&wrong, "Return");
    press(&page, "ctrl+w");
    ends_well(program);
}

#[test]
fn escape_cancels_and_enter_loads_again() {
    let Some(_user) = user() else { return };
    let server = Server::start();
    let address = server.address("/endless");
    let program = web_client(&[&address]);
    for _ in 0..2 {
        server.expect(&News::Some);
        press(&title("Loading", &address), "Escape");
        server.expect(&News::Closed);
        wait_for_window(&title("Cancelled", &address));
        press(&title("Cancelled", &address), "Return");
    }
    server.expect(&News::Some);
    close_window(&title("Loading", &address));
    ends_well(program);
}

#[test]
fn the_window_is_closed_while_something_endless_comes() {
    let Some(_user) = user() else { return };
    let server = Server::start();
    let address = server.address("/endless");
    let program = web_client(&[&address]);
    server.expect(&News::Some);
    close_window(&title("Loading", &address));
    server.expect(&News::Closed);
    ends_well(program);
}

#[test]
fn a_window_that_has_loaded_nothing_is_closed() {
    let Some(_user) = user() else { return };
    let program = web_client(&[]);
    close_window("Web Client");
    ends_well(program);
}

#[test]
fn a_wrong_command_line_is_refused_and_so_is_a_machine_without_a_display() {
    for arguments in [&["a", "b"][..], &["--nonsense"]] {
        let ended = web_client(arguments).end();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.errors.starts_with("web_client: "), "{ended:?}");
    }
    let mut command = Command::new(example("web_client"));
    let ended = Program::start(command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY")).end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains("Is there a display?"), "{ended:?}");
}
