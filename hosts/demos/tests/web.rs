//! The web client against servers that answer well, badly, and not at all.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use interloop::Reactor;
use interloop_demos::web::{Client, Error, ErrorKind, Event, Fetch, Step};

const LIMIT: Duration = Duration::from_secs(60);

/// A server that gives each connection, and the path that was asked for, to `answer`.
fn serve(answer: impl Fn(&str, TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            for line in lines.take_while(|line| !line.is_empty()) {
                assert!(line.contains(": "), "{line:?}");
            }
            answer(&path, stream);
        }
    });
    address
}

fn write(mut stream: TcpStream, text: &str) {
    // A client that has gone away reads nothing.
    let _gone = stream.write_all(text.as_bytes());
}

/// What a fetch has told until its end.
struct Told {
    steps: Vec<Step>,
    status: Option<u16>,
    length: Option<u64>,
    url: String,
    body: Vec<u8>,
    end: Result<u64, Error>,
}

fn fetch_with(client: &Client, reactor: &Reactor, address: &str) -> Told {
    let told = Told {
        steps: Vec::new(),
        status: None,
        length: None,
        url: String::new(),
        body: Vec::new(),
        end: Ok(0),
    };
    let told = Rc::new(RefCell::new(told));
    let (writing, handle) = (Rc::clone(&told), reactor.handle());
    let fetch = client.fetch(address, move |event| {
        let mut told = writing.borrow_mut();
        match event {
            Event::Step(step) => told.steps.push(step),
            Event::Head(head) => {
                told.status = Some(head.status.as_u16());
                told.length = head.length;
                told.url = head.url.to_string();
            }
            Event::Chunk(bytes) => told.body.extend_from_slice(&bytes),
            Event::End(end) => {
                told.end = end;
                handle.stop();
            }
        }
    });
    reactor.run().unwrap();
    drop(fetch);
    Rc::into_inner(told).unwrap().into_inner()
}

fn fetch(address: &str) -> Told {
    let reactor = Reactor::new().unwrap();
    fetch_with(&Client::with_patience(&reactor, LIMIT), &reactor, address)
}

#[track_caller]
fn fails(address: &str, kind: ErrorKind, reason: &str) {
    let error = fetch(address).end.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn a_page_comes_with_steps_a_head_and_a_body() {
    let server = serve(|path, stream| {
        assert_eq!(path, "/a?b=c");
        write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Test: 1\r\n\r\nhello");
    });
    let told = fetch(&format!("{}/a?b=c#d", server.strip_prefix("http://").unwrap()));
    assert_eq!((told.status, told.length, told.end), (Some(200), Some(5), Ok(5)));
    assert_eq!(told.body, b"hello");
    let steps: Vec<_> = told.steps.iter().map(ToString::to_string).collect();
    let authority = server.strip_prefix("http://").unwrap();
    assert_eq!(steps, [format!("Connecting to {authority}"), format!("Waiting for {authority}")]);
}

#[test]
fn a_page_that_says_not_found_is_a_page() {
    let server = serve(|_, stream| write(stream, "HTTP/1.1 404 Not Found\r\n\r\nno such page"));
    let told = fetch(&server);
    assert_eq!((told.status, told.length, told.end), (Some(404), None, Ok(12)));
}

#[test]
fn a_chunked_body_is_put_together() {
    let server = serve(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        write(stream, &format!("{head}3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
    });
    assert_eq!(fetch(&server).body, b"abcdefg");
}

#[test]
fn redirects_are_followed_and_a_circle_is_not() {
    let server = serve(|path, stream| match path {
        "/old/a" => write(stream, "HTTP/1.1 302 Found\r\nLocation: ../new\r\n\r\n"),
        "/new" => write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        _ => write(stream, "HTTP/1.1 301 Moved\r\nLocation: /circle\r\n\r\n"),
    });
    let told = fetch(&format!("{server}/old/a"));
    assert_eq!(told.body, b"ok");
    assert_eq!(told.url, format!("{server}/new"));
    assert!(told.steps.iter().any(|step| matches!(step, Step::Redirected(_))));
    fails(&format!("{server}/circle"), ErrorKind::Redirect, "more than 10 redirects");
}

#[test]
fn failures_say_at_which_point_and_why() {
    fails("ftp://example.com/", ErrorKind::Address, "neither http nor https");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails(&format!("http://{closed}/"), ErrorKind::Connect, "nothing listens there");
    fails("http://no-such-host.invalid/", ErrorKind::Connect, "check the name of the host");
    let server = serve(|_, stream| write(stream, "SSH-2.0-OpenSSH_9.2\r\n"));
    fails(&server, ErrorKind::Protocol, "invalid HTTP");
    let server = serve(|_, stream| stream.shutdown(Shutdown::Both).unwrap());
    fails(&server, ErrorKind::Protocol, "connection closed");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("https://{}/", listener.local_addr().unwrap());
    let served = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        write(stream.try_clone().unwrap(), "HTTP/1.1 400 Bad Request\r\n\r\n");
        stream
    });
    fails(&server, ErrorKind::Tls, "try http://");
    drop(served.join().unwrap());
}

#[test]
fn a_body_that_is_cut_off_is_told_with_what_has_come() {
    let server =
        serve(|_, stream| write(stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"));
    let told = fetch(&server);
    let error = told.end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CutOff);
    assert!(error.to_string().contains("cut off after 3 of 10 bytes"), "{error}");
    assert_eq!(told.body, b"abc");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let (keep, _kept) = mpsc::channel();
    let server = serve(move |_, stream| keep.send(stream).unwrap());
    let reactor = Reactor::new().unwrap();
    let client = Client::with_patience(&reactor, Duration::from_millis(50));
    let error = fetch_with(&client, &reactor, &server).end.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Silence);
    assert!(error.to_string().contains("nothing has come for 50ms"), "{error}");
}

#[test]
fn a_fetch_that_is_dropped_closes_its_connection_and_tells_no_more() {
    let (ended, end) = mpsc::channel();
    let server = serve(move |_, mut stream| {
        write(stream.try_clone().unwrap(), "HTTP/1.1 200 OK\r\n\r\nabc");
        ended.send(stream.read(&mut [0; 10]).unwrap_or(0)).unwrap();
    });
    let reactor = Reactor::new().unwrap();
    let client = Client::new(&reactor);
    let fetch: Rc<Cell<Option<Fetch>>> = Rc::default();
    let (own, handle, mut is_dropped) = (Rc::clone(&fetch), reactor.handle(), false);
    fetch.set(Some(client.fetch(&server, move |event| {
        assert!(!is_dropped, "{event:?}");
        if matches!(event, Event::Chunk(_)) {
            drop(own.take());
            is_dropped = true;
            // What is behind the task in the queue runs when that has run on to where it waits.
            let stopped = handle.clone();
            handle.spawn_local(async move { stopped.stop() }).detach();
        }
    })));
    reactor.run().unwrap();
    assert_eq!(end.recv_timeout(LIMIT), Ok(0));
}

#[test]
fn a_fetch_that_is_dropped_in_its_first_step_tells_no_failure() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let reactor = Reactor::new().unwrap();
    let fetch: Rc<Cell<Option<Fetch>>> = Rc::default();
    let (own, handle) = (Rc::clone(&fetch), reactor.handle());
    let fetching = Client::new(&reactor).fetch(&format!("http://{closed}/"), move |event| {
        assert!(matches!(event, Event::Step(Step::Connecting(_))), "{event:?}");
        drop(own.take());
        handle.stop();
    });
    fetch.set(Some(fetching));
    reactor.run().unwrap();
}

#[test]
fn a_server_is_slowed_down_while_nobody_asks_for_the_next_chunk() {
    const TOTAL: usize = 64 << 20;
    let (blocked, is_blocked) = mpsc::channel();
    let server = serve(move |_, mut stream| {
        write(
            stream.try_clone().unwrap(),
            &format!("HTTP/1.1 200 OK\r\ncontent-length: {TOTAL}\r\n\r\n"),
        );
        stream.set_nonblocking(true).unwrap();
        let block = [0; 1 << 16];
        let mut sent = 0;
        while sent < TOTAL {
            match stream.write(&block[..block.len().min(TOTAL - sent)]) {
                Ok(written) => sent += written,
                Err(error) => {
                    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                    blocked.send(sent).unwrap();
                    stream.set_nonblocking(false).unwrap();
                }
            }
        }
    });
    let reactor = Reactor::new().unwrap();
    let client = Client::with_patience(&reactor, LIMIT);
    let received = reactor.block_on(async {
        let mut response = client.get(&server, drop).await.unwrap();
        let blocked = reactor.unblock(move || is_blocked.recv_timeout(LIMIT).unwrap()).await;
        assert!(blocked < TOTAL, "all of it was sent to a client that has not asked");
        while let Some(bytes) = response.chunk().await.unwrap() {
            assert!(!bytes.is_empty());
        }
        response.received()
    });
    assert_eq!(received.unwrap(), TOTAL as u64);
}

#[test]
fn many_are_fetched_at_a_time_by_one_client() {
    let server = serve(|path, stream| {
        let body = path.repeat(1000);
        write(stream, &format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()));
    });
    let reactor = Reactor::new().unwrap();
    let client = Client::with_patience(&reactor, LIMIT);
    let ended = Rc::new(Cell::new(0));
    let fetches: Vec<_> = (0..20)
        .map(|number| {
            let (ended, handle) = (Rc::clone(&ended), reactor.handle());
            client.fetch(&format!("{server}/{number}"), move |event| {
                if let Event::End(end) = event {
                    let expected = format!("/{number}").len() as u64 * 1000;
                    assert_eq!(end, Ok(expected));
                    ended.set(ended.get() + 1);
                    if ended.get() == 20 {
                        handle.stop();
                    }
                }
            })
        })
        .collect();
    reactor.run().unwrap();
    assert_eq!((ended.get(), fetches.len()), (20, 20));
}
