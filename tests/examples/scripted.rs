//! A server that answers what a test tells it to, right or wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::program::LIMIT;

/// Starts a server that answers each request by what `answer` makes of its head, and closes. No
/// bytes mean no answer: the connection stays open and silent.
pub fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> SocketAddr {
    let answer = Arc::new(answer);
    accept_each(move |stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let bytes = answer(&head);
        (&stream).write_all(&bytes)?;
        if !bytes.is_empty() {
            stream.shutdown(Shutdown::Write)?;
        }
        // Until the client has closed too.
        reader.read_to_end(&mut head.into_bytes()).map(drop)
    })
}

/// Accepts connections, each of them for a thread of its own.
pub fn accept_each(
    attend: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let attend = Arc::new(attend);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let attend = Arc::clone(&attend);
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            thread::spawn(move || {
                // What a client cuts off is its own business.
                let _cut = attend(stream);
            });
        }
    });
    address
}

/// A response with a body, and with the header fields `fields`.
pub fn response(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{fields}\r\n");
    [head.as_bytes(), body].concat()
}

/// A header field of a request.
pub fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}
