//! A server to fetch from, and what came of a request.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::{LIMIT, Program, example};

/// `http_server` at a free port.
pub fn server(root: &Path, arguments: &[&str]) -> (Program, SocketAddr) {
    let mut command = Command::new(example("http_server"));
    command.args(["--listen", "127.0.0.1:0", "--root"]).arg(root).args(arguments);
    let mut server = Program::start(command.stdin(Stdio::null()));
    let address = server.address();
    (server, address)
}

pub struct Connection {
    stream: BufReader<TcpStream>,
}

pub struct Fetched {
    pub status: u16,
    /// By their names in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Fetched {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

impl Connection {
    pub fn new(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Connection { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, method: &str, path: &str, fields: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n");
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
    }

    /// The status and the headers of the next response.
    pub fn head(&mut self) -> Fetched {
        let line = self.line();
        let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("{line:?}"));
        let mut fetched =
            Fetched { status: status.parse().unwrap(), headers: BTreeMap::new(), body: Vec::new() };
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else { return fetched };
            fetched.headers.insert(name.to_lowercase(), value.to_owned());
        }
    }

    pub fn body(&mut self, length: usize) -> Vec<u8> {
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        body
    }

    pub fn fetch(&mut self, method: &str, path: &str, fields: &str) -> Fetched {
        self.send(method, path, fields);
        let mut fetched = self.head();
        if method != "HEAD" {
            fetched.body = self.body(fetched.header("content-length").parse().unwrap());
        }
        fetched
    }

    /// True when the server has closed, and nothing is left.
    pub fn has_ended(&mut self) -> bool {
        self.stream.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
