//! The client: what it fetches, and what it says when it cannot.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::fetched::server;
use crate::folder::{Folder, noise};
use crate::program::{Ended, Program, example, fail, refuse, run};
use crate::scripted::{accept_each, field, response, serve};
use crate::tls::Authority;

const MEGA: usize = 1_000_000;

/// Starts the client, with its bytes on a pipe.
fn client(arguments: &[&str]) -> Command {
    let mut command = Command::new(example("http_client"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn fetch_to_file(url: &str, file: &str) -> Ended {
    run("http_client", &[url, "--output", file])
}

#[test]
fn a_hundred_megabytes_arrive_as_they_are() {
    let folder = Folder::new();
    let bytes = noise(100 * MEGA, 5);
    folder.write("root/big", &bytes);
    let (server, address) = server(&folder.path("root"), &[]);
    let url = format!("http://{address}/big");
    assert_eq!(fetch_to_file(&url, &folder.text("big")).success(), "");
    assert!(folder.read("big") == bytes);
    assert_eq!(folder.names(), ["big", "root"]);

    // The same through a pipe, and what it took of memory when all but the end has come.
    let mut child = client(&[&url]).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut come = vec![0; 99 * MEGA];
    output.read_exact(&mut come).unwrap();
    if cfg!(target_os = "linux") {
        for pid in [child.id(), server.id()] {
            let peak = peak_memory(pid);
            assert!(peak < 50_000, "{peak} kB at most");
        }
    }
    output.read_to_end(&mut come).unwrap();
    assert!(come == bytes);
    assert!(child.wait().unwrap().success());
}

/// How much memory a process has had at most, in kB.
fn peak_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn fifty_at_a_time() {
    let folder = Folder::new();
    for number in 0..50 {
        folder.write(&format!("root/{number}"), &noise(MEGA, number));
    }
    let (_server, address) = server(&folder.path("root"), &[]);
    let start = |number: u64| {
        let output = folder.text(&number.to_string());
        Program::start(&mut client(&[&format!("http://{address}/{number}"), "--output", &output]))
    };
    let clients: Vec<Program> = (0..50).map(start).collect();
    for (number, client) in (0..).zip(clients) {
        client.end().success();
        assert!(folder.read(&number.to_string()) == noise(MEGA, number));
    }
}

/// Passes connections on to the server at `target`. When so many bytes have come from there, it is
/// killed.
fn proxy(
    target: Arc<Mutex<Option<(Program, SocketAddr)>>>,
    limit: u64,
) -> (SocketAddr, Arc<AtomicU64>) {
    let passed = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&passed);
    let address = accept_each(move |mut near| {
        let address = target.lock().unwrap().as_ref().map(|(_, address)| *address);
        let mut far = TcpStream::connect(address.ok_or(io::ErrorKind::NotFound)?)?;
        let (mut from, mut to) = (near.try_clone()?, far.try_clone()?);
        thread::spawn(move || io::copy(&mut from, &mut to));
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let length = far.read(&mut chunk)?;
            if length == 0 {
                return near.shutdown(std::net::Shutdown::Both);
            }
            near.write_all(&chunk[..length])?;
            let before = count.fetch_add(length as u64, Ordering::SeqCst);
            if before < limit && before + length as u64 >= limit {
                let (killed, _) = target.lock().unwrap().take().unwrap();
                killed.signal(Signal::KILL);
                killed.end();
            }
        }
    });
    (address, passed)
}

#[test]
fn a_download_goes_on_where_a_killed_server_left_it() {
    let folder = Folder::new();
    let bytes = noise(60 * MEGA, 6);
    folder.write("root/big", &bytes);
    let root = folder.path("root");
    let target = Arc::new(Mutex::new(Some(server(&root, &[]))));
    let (address, passed) = proxy(Arc::clone(&target), 30 * MEGA as u64);
    let (url, output) = (format!("http://{address}/big"), folder.text("out"));

    let error = fetch_to_file(&url, &output).failure("http_client");
    assert!(error.contains("of 60000000 bytes") && error.contains("run this again"), "{error}");
    assert_eq!(folder.names(), ["out.part", "out.part.origin", "root"]);
    let left = fs::metadata(folder.path("out.part")).unwrap().len();
    assert!((20 * MEGA as u64..60 * MEGA as u64).contains(&left), "{left}");

    // Nobody is there: what there is stays.
    fetch_to_file(&url, &output).failure("http_client");
    assert_eq!(fs::metadata(folder.path("out.part")).unwrap().len(), left);

    let before = passed.load(Ordering::SeqCst);
    *target.lock().unwrap() = Some(server(&root, &[]));
    fetch_to_file(&url, &output).success();
    assert!(folder.read("out") == bytes);
    assert_eq!(folder.names(), ["out", "root"]);
    let again = passed.load(Ordering::SeqCst) - before;
    assert!(again < 60 * MEGA as u64 - left + 10_000, "{again} bytes for the rest of {left}");
}

/// What a server says of a document that was cut off after `part` before.
fn cut_off(folder: &Folder, url: &str, part: &[u8], validator: &str) -> String {
    folder.write("out.part", part);
    folder.write("out.part.origin", format!("{url}\n{validator}").as_bytes());
    folder.text("out")
}

#[test]
fn a_server_that_ignores_the_range_sends_all_of_it() {
    let folder = Folder::new();
    let address = serve(|head| {
        assert_eq!(field(head, "range"), Some("bytes=3-"));
        assert_eq!(field(head, "if-range"), Some("\"old\""));
        response("200 OK", "ETag: \"new\"\r\n", b"something else")
    });
    let url = format!("http://{address}/");
    let output = cut_off(&folder, &url, b"old", "\"old\"");
    fetch_to_file(&url, &output).success();
    assert_eq!(folder.read("out"), b"something else");
    assert_eq!(folder.names(), ["out"]);
}

#[test]
fn a_part_that_is_complete_only_gets_its_name() {
    let folder = Folder::new();
    let address =
        serve(|_| response("416 Range Not Satisfiable", "Content-Range: bytes */3\r\n", b""));
    let url = format!("http://{address}/");
    let output = cut_off(&folder, &url, b"all", "\"tag\"");
    fetch_to_file(&url, &output).success();
    assert_eq!((folder.read("out"), folder.names()), (b"all".to_vec(), vec!["out".to_owned()]));
}

#[test]
fn a_part_that_is_longer_than_the_document_is_fetched_anew() {
    let folder = Folder::new();
    let address = serve(|head| match field(head, "range") {
        Some(_) => response("416 Range Not Satisfiable", "Content-Range: bytes */3\r\n", b""),
        None => response("200 OK", "", b"new"),
    });
    let url = format!("http://{address}/");
    let output = cut_off(&folder, &url, b"too long", "\"tag\"");
    fetch_to_file(&url, &output).success();
    assert_eq!(folder.read("out"), b"new");
}

#[test]
fn a_part_of_something_else_is_not_gone_on_with() {
    let folder = Folder::new();
    let address = serve(|head| {
        assert_eq!(field(head, "range"), None);
        response("200 OK", "ETag: W/\"weak\"\r\n", b"new")
    });
    let output = cut_off(&folder, &format!("http://{address}/other"), b"old", "\"tag\"");
    fetch_to_file(&format!("http://{address}/"), &output).success();
    assert_eq!((folder.read("out"), folder.names()), (b"new".to_vec(), vec!["out".to_owned()]));
}

#[test]
fn a_part_that_was_not_asked_for_is_refused() {
    let folder = Folder::new();
    let fields = "Content-Range: bytes 1-3/4\r\n";
    let address = serve(|_| response("206 Partial Content", fields, b"bcd"));
    let url = format!("http://{address}/");
    let output = cut_off(&folder, &url, b"ab", "\"tag\"");
    let error = fetch_to_file(&url, &output).failure("http_client");
    assert!(error.contains("not asked for"), "{error}");
    assert_eq!(folder.read("out.part"), b"ab");
    fail("http_client", &[&url]);
}

#[test]
fn redirects_are_followed_up_to_a_limit() {
    let address = serve(|head| {
        let path = head.split(' ').nth(1).unwrap();
        let to = |place: &str| response("302 Found", &format!("Location: {place}\r\n"), b"gone");
        match path {
            "/absolute" => to(&format!("http://{}/a/relative", field(head, "host").unwrap())),
            "/a/relative" => to("query"),
            "/a/query" => to("?q=1#fragment"),
            "/a/query?q=1" => to("/end"),
            "/end" => response("200 OK", "", b"the end"),
            "/bad" => to("ftp://example.com/"),
            _ => to(path),
        }
    });
    let end = run("http_client", &[&format!("http://{address}/absolute")]);
    assert_eq!(end.success(), "the end\n");
    let error = fail("http_client", &[&format!("http://{address}/circle")]);
    assert!(error.contains("more than 10 redirects"), "{error}");
    let error = fail("http_client", &[&format!("http://{address}/bad")]);
    assert!(error.contains("redirected") && error.contains("ftp://"), "{error}");
}

#[test]
fn what_the_server_refuses_is_an_error() {
    let folder = Folder::new();
    let address = serve(|_| response("404 Not Found", "", b"a page for people"));
    let url = format!("http://{address}/x");
    let error = fail("http_client", &[&url]);
    assert!(error.contains(&url) && error.contains("404 Not Found"), "{error}");
    fetch_to_file(&url, &folder.text("out")).failure("http_client");
    assert!(folder.names().is_empty());
}

#[test]
fn a_body_that_is_too_short_is_an_error() {
    let address = serve(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort".to_vec());
    let ended = run("http_client", &[&format!("http://{address}/")]);
    assert_eq!(ended.output, "short\n");
    assert!(ended.failure("http_client").contains("cut off after 5 of 10 bytes"));
    let address =
        serve(|_| b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n".to_vec());
    let error = fail("http_client", &[&format!("http://{address}/")]);
    assert!(error.contains("cut off after 3 bytes"), "{error}");
    let address = serve(|_| b"this is no HTTP".to_vec());
    fail("http_client", &[&format!("http://{address}/")]);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let folder = Folder::new();
    let silent = format!("http://{}/", serve(|_| Vec::new()));
    let error = fail("http_client", &[&silent, "--timeout", "0.2"]);
    assert!(error.contains("nothing has come for 200ms") && error.contains("--timeout"), "{error}");
    // In the middle of a body: what has come is kept.
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"x\"\r\n\r\nshort";
    let stalled = accept_each(move |mut stream| {
        stream.write_all(head)?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    });
    let (url, output) = (format!("http://{stalled}/"), folder.text("out"));
    fail("http_client", &[&url, "--timeout", "0.5", "--output", &output]);
    assert_eq!(folder.read("out.part"), b"short");
}

#[test]
fn tls_is_trusted_by_its_authority_only() {
    let folder = Folder::new();
    let authority = Authority::new();
    folder.write("ca.pem", authority.pem.as_bytes());
    folder.write("other.pem", Authority::new().pem.as_bytes());
    folder.write("none.pem", b"");
    let [ca, other, none] = ["ca.pem", "other.pem", "none.pem"].map(|name| folder.text(name));
    let body = [noise(300_000, 7), b"\n".to_vec()].concat();
    let port = authority.serve("localhost", &body, false).port();
    let url = format!("https://localhost:{port}/");
    let output = folder.text("out");
    run("http_client", &[&url, "--ca", &ca, "--output", &output]).success();
    assert!(folder.read("out") == body);

    let error = fail("http_client", &[&url, "--ca", &other]);
    assert!(error.contains("TLS") && error.contains("--ca"), "{error}");
    let error = fail("http_client", &[&format!("https://127.0.0.1:{port}/"), "--ca", &ca]);
    assert!(error.contains("TLS") && error.contains("not valid for name"), "{error}");
    let error = fail("http_client", &[&url, "--ca", &none]);
    assert!(error.contains("no certificate in it"), "{error}");
    let error = fail("http_client", &[&url, "--ca", &folder.text("missing.pem")]);
    assert!(error.contains("--ca") && error.contains("missing.pem"), "{error}");
    // A server without TLS makes nothing of it, and closes.
    let plain = serve(|_| Vec::new()).port();
    let error = fail("http_client", &[&format!("https://localhost:{plain}/"), "--ca", &ca]);
    assert!(error.contains("TLS"), "{error}");
}

#[test]
fn tls_that_is_cut_off_is_no_end() {
    let folder = Folder::new();
    let authority = Authority::new();
    folder.write("ca.pem", authority.pem.as_bytes());
    let port = authority.serve("localhost", b"half", true).port();
    let url = format!("https://localhost:{port}/");
    let error = fail("http_client", &[&url, "--ca", &folder.text("ca.pem")]);
    assert!(error.contains("cut off after 4 bytes"), "{error}");
    let end = serve(move |_| response("302 Found", &format!("Location: {url}\r\n"), b""));
    // An authority that the system does not know.
    let error = fail("http_client", &[&format!("http://{end}/")]);
    assert!(error.contains("TLS") || error.contains("certificates"), "{error}");
}

#[test]
fn a_full_disk_is_named() {
    let address = serve(|_| response("200 OK", "ETag: \"x\"\r\n", &noise(MEGA, 8)));
    let url = format!("http://{address}/");
    let full = fs::File::options().write(true).open("/dev/full");
    let Ok(full) = full else { return eprintln!("skipped: there is no /dev/full") };
    let output = client(&[&url]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let error = Ended::from(output).failure("http_client");
    assert!(error.contains("the output: No space left"), "{error}");
    let folder = Folder::new();
    symlink("/dev/full", folder.path("out.part")).unwrap();
    let error = fetch_to_file(&url, &folder.text("out")).failure("http_client");
    assert!(error.contains("out.part: No space left") && error.contains("make room"), "{error}");
}

#[test]
fn an_output_that_cannot_be_is_refused_before_anything_is_lost() {
    let folder = Folder::new();
    let address = serve(|_| response("200 OK", "", b"x"));
    let url = format!("http://{address}/");
    for (output, why) in [
        (folder.text(""), "is a folder"),
        (folder.text("missing/file"), "no such folder"),
        ("/dev/null".to_owned(), "is no file"),
        ("..".to_owned(), "is a folder"),
    ] {
        let error = fetch_to_file(&url, &output).failure("http_client");
        assert!(error.contains("--output") && error.contains(why), "{error}");
    }
    assert!(folder.names().is_empty());
}

#[test]
fn progress_is_drawn_on_a_terminal_only() {
    let folder = Folder::new();
    folder.write("root/file", &noise(2 * MEGA, 9));
    let (_server, address) = server(&folder.path("root"), &[]);
    let (url, output) = (format!("http://{address}/file"), folder.text("out"));
    assert_eq!(fetch_to_file(&url, &output).errors, "");

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = fs::File::options().write(true).open(name.to_str().unwrap()).unwrap();
    let status = client(&[&url, "--output", &output]).stderr(end).status().unwrap();
    assert!(status.success());
    let mut screen = Vec::new();
    // A terminal that nobody has open any more is read with an error, at its end.
    let _hung_up = fs::File::from(terminal).read_to_end(&mut screen);
    let screen = String::from_utf8(screen).unwrap();
    assert!(screen.contains("[##############################] 100% 2.0 MB, "), "{screen:?}");
    assert!(screen.ends_with("MB/s\u{1b}[K\r\n"), "{screen:?}");
}

#[test]
fn what_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let error = fail("http_client", &[&format!("http://{address}/")]);
    assert!(error.contains(&address.to_string()) && error.contains("check the port"), "{error}");
    let error = fail("http_client", &["http://nobody.invalid/"]);
    assert!(error.contains("nobody.invalid") && error.contains("check the name"), "{error}");
}

#[test]
fn a_wrong_command_line_is_refused() {
    for (arguments, named) in [
        (&[][..], "which URL"),
        (&["example.com"], "no scheme"),
        (&["/path"], "no scheme"),
        (&["ftp://example.com/"], "neither http nor https"),
        (&["http://"], "http://"),
        (&["http://:80/"], "no host"),
        (&["http://example.com:99999/"], "port"),
        (&["http://me@example.com/"], "user name"),
        (&["http://example.com/a b"], "is no URL"),
        (&["http://a/", "http://b/"], "http://b/"),
        (&["http://a/", "--sideways"], "--sideways"),
        (&["http://a/", "--timeout", "0"], "--timeout 0"),
        (&["http://a/", "--timeout", "soon"], "--timeout soon"),
        (&["http://a/", "--output"], "--output"),
    ] {
        let error = refuse("http_client", arguments);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
    let help = run("http_client", &["--help"]).success();
    for option in ["--output", "--ca", "--timeout", "--help"] {
        assert!(help.contains(option), "{option}");
    }
}
