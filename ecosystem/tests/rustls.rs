//! rustls, by `futures-rustls`, on the host thread.

use std::io::ErrorKind;

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, io};
use futures_rustls::rustls::pki_types::ServerName;
use futures_rustls::{client, server};
use interloop::Handle;
use interloop::net::{TcpListener, TcpStream};
use interloop_ecosystem::{Authority, Home, everywhere};

type Client = client::TlsStream<TcpStream>;
type Server = server::TlsStream<TcpStream>;

fn name() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

async fn sockets(handle: &Handle) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(handle, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let near = TcpStream::connect(handle, address).await.unwrap();
    (near, listener.accept().await.unwrap().0)
}

/// The two ends of a connection whose handshake is done.
async fn pair(handle: &Handle) -> (Client, Server) {
    let authority = Authority::new();
    let (near, far) = sockets(handle).await;
    let accepted = handle.spawn_local(authority.acceptor().accept(far));
    let near = authority.connector().connect(name(), near).await.unwrap();
    (near, accepted.await.unwrap())
}

/// Writes and reads `SIZE` bytes at the same time.
async fn exchange(
    handle: Handle,
    stream: impl AsyncRead + AsyncWrite + 'static,
    own: u8,
    other: u8,
) {
    const SIZE: usize = 4 << 20;
    let home = Home::here();
    let (mut reader, mut writer) = io::split(Box::pin(stream));
    let written = handle.spawn_local(async move {
        writer.write_all(&vec![own; SIZE]).await.unwrap();
        writer.close().await.unwrap();
        home.check();
    });
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.unwrap();
    home.check();
    assert!(bytes.len() == SIZE && bytes.iter().all(|&byte| byte == other));
    written.await;
}

#[test]
fn bytes_go_both_ways_at_the_same_time() {
    everywhere(|handle| async move {
        let (near, far) = pair(&handle).await;
        let near = handle.spawn_local(exchange(handle.clone(), near, 1, 2));
        exchange(handle, far, 2, 1).await;
        near.await;
    });
}

#[test]
fn an_authority_that_is_not_trusted_is_named_in_the_error() {
    everywhere(|handle| async move {
        let (near, far) = sockets(&handle).await;
        let accepted = handle.spawn_local(Authority::new().acceptor().accept(far));
        let error = Authority::new().connector().connect(name(), near).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("invalid peer certificate"), "{error}");
        let error = accepted.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("alert"), "{error}");
    });
}

#[test]
fn a_side_that_has_closed_goes_on_reading() {
    everywhere(|handle| async move {
        let (mut near, mut far) = pair(&handle).await;
        let answered = handle.spawn_local(async move {
            let mut question = String::new();
            far.read_to_string(&mut question).await.unwrap();
            assert_eq!(question, "question");
            far.write_all(b"answer").await.unwrap();
            far.close().await.unwrap();
        });
        near.write_all(b"question").await.unwrap();
        near.close().await.unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "answer");
        answered.await;
    });
}

#[test]
fn an_end_without_a_word_is_an_error() {
    everywhere(|handle| async move {
        let (mut near, mut far) = pair(&handle).await;
        far.write_all(b"half").await.unwrap();
        far.flush().await.unwrap();
        drop(far);
        let mut bytes = Vec::new();
        let error = near.read_to_end(&mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(bytes, b"half");
    });
}
