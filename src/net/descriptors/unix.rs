//! The descriptors of the sockets, for `socket2::SockRef` and its like.

use std::os::fd::{AsFd, BorrowedFd};

use interloop_backends::AsSource;

use super::{Stream, TcpListener, UdpSocket, UnixDatagram, UnixListener};

impl<S: AsSource + AsFd + 'static> AsFd for Stream<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl AsFd for UnixListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl AsFd for UnixDatagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}
