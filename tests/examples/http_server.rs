//! The server of files.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::fetched::{Connection, server};
use crate::folder::{Folder, noise};
use crate::program::{Program, example, fail, refuse, run};

#[test]
fn files_come_with_their_types() {
    let folder = Folder::new();
    for (name, content_type) in [
        ("page.html", "text/html; charset=utf-8"),
        ("STYLE.CSS", "text/css; charset=utf-8"),
        ("notes.txt", "text/plain; charset=utf-8"),
        ("data.json", "application/json"),
        ("image.png", "image/png"),
        ("deep/er/unknown", "application/octet-stream"),
        ("with space & ümlaut.svg", "image/svg+xml"),
    ] {
        folder.write(name, name.as_bytes());
        let (_server, address) = server(folder.as_ref(), &[]);
        let path = name.replace(' ', "%20").replace('ü', "%C3%BC");
        let fetched = Connection::new(address).fetch("GET", &format!("/{path}"), "");
        assert_eq!((fetched.status, fetched.text().as_str()), (200, name));
        assert_eq!(fetched.header("content-type"), content_type);
    }
}

#[test]
fn one_connection_serves_many_requests() {
    let folder = Folder::new();
    let big = noise(1_000_000, 1);
    folder.write("big", &big);
    folder.write("empty", b"");
    let (_server, address) = server(folder.as_ref(), &[]);
    let mut connection = Connection::new(address);
    for _ in 0..10 {
        assert!(connection.fetch("GET", "/big", "").body == big);
        let head = connection.fetch("HEAD", "/big", "");
        assert_eq!((head.status, head.header("content-length")), (200, "1000000"));
        assert!(connection.fetch("GET", "/empty", "").body.is_empty());
        assert_eq!(connection.fetch("GET", "/missing", "").status, 404);
    }
}

#[test]
fn ranges_are_cut_out_and_refused() {
    let folder = Folder::new();
    let bytes = noise(1000, 2);
    folder.write("file", &bytes);
    let (_server, address) = server(folder.as_ref(), &[]);
    let mut connection = Connection::new(address);
    for (range, from, to) in [
        ("0-0", 0, 1),
        ("0-99", 0, 100),
        ("900-", 900, 1000),
        ("990-5000", 990, 1000),
        ("-10", 990, 1000),
        ("-5000", 0, 1000),
        ("999-18446744073709551615", 999, 1000),
    ] {
        let fetched = connection.fetch("GET", "/file", &format!("Range: bytes={range}\r\n"));
        assert_eq!(fetched.status, 206, "{range}");
        assert_eq!(fetched.body, bytes[from..to], "{range}");
        assert_eq!(fetched.header("content-range"), format!("bytes {from}-{}/1000", to - 1));
    }
    for range in ["1000-", "5000-6000", "-0"] {
        let fetched = connection.fetch("GET", "/file", &format!("Range: bytes={range}\r\n"));
        assert_eq!((fetched.status, fetched.header("content-range")), (416, "bytes */1000"));
    }
    for range in ["bytes=5-1", "bytes=a-b", "bytes=0-1,5-6", "bytes=+1-2", "bytes=-", "lines=1-2"] {
        let fetched = connection.fetch("GET", "/file", &format!("Range: {range}\r\n"));
        assert_eq!((fetched.status, fetched.body.len()), (200, 1000), "{range}");
    }
}

#[test]
fn a_range_of_another_version_gives_the_whole() {
    let folder = Folder::new();
    folder.write("file", b"old");
    let (_server, address) = server(folder.as_ref(), &[]);
    let mut connection = Connection::new(address);
    let tag = connection.fetch("HEAD", "/file", "").header("etag").to_owned();
    let fields = format!("Range: bytes=1-\r\nIf-Range: {tag}\r\n");
    assert_eq!(connection.fetch("GET", "/file", &fields).text(), "ld");
    folder.write("file", b"newer");
    assert_eq!(connection.fetch("GET", "/file", &fields).text(), "newer");
}

#[test]
fn nothing_outside_of_the_root_is_served() {
    let folder = Folder::new();
    folder.write("secret", b"secret");
    folder.write("root/inside", b"inside");
    symlink(folder.path("secret"), folder.path("root/out")).unwrap();
    symlink(folder.path(""), folder.path("root/up")).unwrap();
    symlink("inside", folder.path("root/in")).unwrap();
    symlink("missing", folder.path("root/broken")).unwrap();
    let pipe = rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.path("root/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    );
    pipe.unwrap();
    let (_server, address) = server(&folder.path("root"), &[]);
    let mut connection = Connection::new(address);
    for (path, status) in [
        ("/in", 200),
        ("/./inside", 200),
        ("//inside", 200),
        ("/out", 403),
        ("/up/secret", 403),
        ("/../secret", 403),
        ("/%2e%2e/secret", 403),
        ("/..%2fsecret", 403),
        ("/x/../../secret", 403),
        ("/pipe", 403),
        ("/broken", 404),
        ("/inside/more", 404),
        ("/a%00b", 404),
        ("/%zz", 400),
        ("/%+1", 400),
        ("/%ff", 400),
        ("/%", 400),
    ] {
        let fetched = connection.fetch("GET", path, "");
        assert_eq!(fetched.status, status, "{path}: {}", fetched.text());
        assert!(!fetched.text().contains("secret"), "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let fetched = connection.fetch(method, "/inside", "");
        assert_eq!((fetched.status, fetched.header("allow")), (405, "GET, HEAD"));
    }
}

#[test]
fn folders_are_listed() {
    let folder = Folder::new();
    folder.write("a folder/<b> & \"c\".txt", b"");
    folder.write("a folder/sub/x", b"");
    folder.write("with/index.html", b"the index");
    let (_server, address) = server(folder.as_ref(), &[]);
    let mut connection = Connection::new(address);
    let moved = connection.fetch("GET", "/a%20folder", "");
    assert_eq!((moved.status, moved.header("location")), (301, "/a%20folder/"));
    let moved = connection.fetch("GET", "//evil.example/..%2fwith", "");
    assert_eq!(moved.status, 403);
    let listing = connection.fetch("GET", "/a%20folder/", "").text();
    assert!(listing.contains("<h1>/a folder/</h1>"), "{listing}");
    let name = "<a href=\"./%3Cb%3E%20%26%20%22c%22.txt\">&lt;b&gt; &amp; &quot;c&quot;.txt</a>";
    assert!(listing.contains(name), "{listing}");
    assert!(listing.contains("<a href=\"./sub/\">sub/</a>"), "{listing}");
    assert_eq!(connection.fetch("GET", "/with/", "").text(), "the index");
}

#[test]
fn a_client_that_sends_no_head_is_let_go() {
    let folder = Folder::new();
    let (_server, address) = server(folder.as_ref(), &["--timeout", "0.2"]);
    assert!(Connection::new(address).has_ended());
}

#[test]
fn requests_that_run_are_answered_before_the_end() {
    let folder = Folder::new();
    let big = noise(30_000_000, 3);
    folder.write("big", &big);
    let (server, address) = server(folder.as_ref(), &[]);
    let mut idle = Connection::new(address);
    assert_eq!(idle.fetch("GET", "/missing", "").status, 404);
    let mut busy = Connection::new(address);
    busy.send("GET", "/big", "");
    assert_eq!(busy.head().status, 200);
    let beginning = busy.body(1_000_000);
    server.signal(Signal::TERM);
    assert!(idle.has_ended());
    let rest = busy.body(29_000_000);
    assert!([beginning, rest].concat() == big);
    assert!(busy.has_ended());
    server.end().success();
}

#[test]
fn out_of_descriptors_it_waits_and_goes_on() {
    let folder = Folder::new();
    folder.write("file", b"here");
    let script = "ulimit -n 24; exec \"$0\" --listen 127.0.0.1:0 --root \"$1\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(example("http_server")).arg(folder.as_ref());
    let mut server = Program::start(command.stdin(Stdio::null()));
    let address = server.address();
    // More than it can accept; those that it has accepted keep its descriptors.
    let crowd: Vec<Connection> = (0..40).map(|_| Connection::new(address)).collect();
    drop(crowd);
    assert_eq!(Connection::new(address).fetch("GET", "/file", "").text(), "here");
    server.signal(Signal::TERM);
    let ended = server.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.errors.contains("os error 24"), "{ended:?}");
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_ends_the_connection() {
    let folder = Folder::new();
    folder.write("big", &noise(50_000_000, 4));
    let (server, address) = server(folder.as_ref(), &[]);
    let mut connection = Connection::new(address);
    connection.send("GET", "/big", "");
    assert_eq!(connection.head().header("content-length"), "50000000");
    let file = fs::File::options().write(true).open(folder.path("big")).unwrap();
    file.set_len(10).unwrap();
    let mut rest = 0;
    while !connection.has_ended() {
        connection.body(1);
        rest += 1;
    }
    assert!(rest < 50_000_000);
    server.signal(Signal::TERM);
    assert!(server.end().errors.contains("has become shorter"));
}

#[test]
fn what_is_not_there_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = fail("http_server", &["--listen", &address]);
    assert!(error.contains(&address) && error.contains("another --listen"), "{error}");
    let error = fail("http_server", &["--root", "/no/such/folder"]);
    assert!(error.contains("--root /no/such/folder"), "{error}");
    let file = Path::new(file!());
    let error = fail("http_server", &["--root", file.to_str().unwrap()]);
    assert!(error.contains("--root") && error.contains("irectory"), "{error}");
}

#[test]
fn a_wrong_command_line_is_refused() {
    for (arguments, named) in [
        (&["extra"][..], "extra"),
        (&["--sideways"], "--sideways"),
        (&["--listen"], "--listen"),
        (&["--listen", "8000"], "no port"),
        (&["--timeout", "-1"], "--timeout -1"),
        (&["--timeout", "NaN"], "--timeout NaN"),
    ] {
        let error = refuse("http_server", arguments);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
    let help = run("http_server", &["--help"]).success();
    for option in ["--listen", "--root", "--timeout", "--help"] {
        assert!(help.contains(option), "{option}");
    }
}
