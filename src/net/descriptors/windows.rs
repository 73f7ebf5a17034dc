//! The sockets of Windows, for `socket2::SockRef` and its like.

use std::os::windows::io::{AsSocket, BorrowedSocket};

use interloop_backends::AsSource;

use super::{Stream, TcpListener, UdpSocket};

impl<S: AsSource + AsSocket + 'static> AsSocket for Stream<S> {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.get_ref().as_socket()
    }
}

impl AsSocket for TcpListener {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.get_ref().as_socket()
    }
}

impl AsSocket for UdpSocket {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.get_ref().as_socket()
    }
}
