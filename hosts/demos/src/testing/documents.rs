//! A server that stops halfway.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// What every document of the server consists of.
pub fn document() -> Vec<u8> {
    (0..1_000_000_u32).map(|number| (number % 251) as u8).collect()
}

/// Where the answers to `/halfway` and `/cut` stop.
pub const HALF: usize = 500_000;

/// Starts a server, and answers with its address. What is under `/all` it sends; under `/halfway` it stops
/// after a half, and waits for the client to go away; under `/cut` it goes away itself; under `/silent` it
/// says nothing; what is under `/missing` is missing. Whoever asks for a range gets all of that.
///
/// # Panics
///
/// When it cannot listen.
pub fn serve_documents() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // A client that goes away is no failure of ours.
            thread::spawn(move || drop(answer(stream)));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let head: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let is_for = |path: &str| request.starts_with(&format!("GET {path}"));
    if is_for("/silent") {
        return wait_for_the_end(&stream);
    }
    if is_for("/missing") {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    let document = document();
    let start = head.iter().find_map(|line| {
        let range = line.to_lowercase().strip_prefix("range: bytes=")?.strip_suffix('-')?.parse();
        range.ok().filter(|&start: &usize| start < document.len())
    });
    let (status, body) = match start {
        Some(start) => {
            let (last, total) = (document.len() - 1, document.len());
            let range = format!("Content-Range: bytes {start}-{last}/{total}");
            (format!("206 Partial Content\r\n{range}"), &document[start..])
        }
        None => ("200 OK".to_owned(), &document[..]),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"one\"\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    match start {
        None if is_for("/halfway") => {
            stream.write_all(&body[..HALF])?;
            wait_for_the_end(&stream)
        }
        None if is_for("/cut") => stream.write_all(&body[..HALF]),
        _ => stream.write_all(body),
    }
}

fn wait_for_the_end(mut stream: &TcpStream) -> io::Result<()> {
    stream.read(&mut [0]).map(drop)
}
