//! WebSockets, by `async-tungstenite`, on the host thread.

use async_tungstenite::tungstenite::{Error, Message};
use async_tungstenite::{accept_async, client_async};
use futures_util::StreamExt;
use interloop::net::{TcpListener, TcpStream};
use interloop_ecosystem::{Home, everywhere};

const MESSAGES: usize = 10_000;

/// Texts and bytes take turns, most of them short, some longer than one frame's short length.
fn message(number: usize) -> Message {
    match number % 100 {
        99 => Message::binary(vec![number as u8; 70_000]),
        odd if odd % 2 == 1 => Message::binary(number.to_le_bytes().to_vec()),
        _ => Message::text(format!("message {number}")),
    }
}

#[test]
fn ten_thousand_messages_come_back_in_their_order() {
    everywhere(|handle| async move {
        let home = Home::here();
        let listener = TcpListener::bind(&handle, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = handle.spawn_local(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(stream).await.unwrap();
            let mut count = 0;
            while let Some(message) = socket.next().await {
                home.check();
                match message.unwrap() {
                    Message::Close(_) => {}
                    message => {
                        socket.send(message).await.unwrap();
                        count += 1;
                    }
                }
            }
            count
        });
        let stream = TcpStream::connect(&handle, address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{address}/echo"), stream).await.unwrap();
        let (mut sender, mut receiver) = socket.split();
        let sending = handle.spawn_local(async move {
            for number in 0..MESSAGES {
                sender.send(message(number)).await.unwrap();
            }
            sender
        });
        for number in 0..MESSAGES {
            assert_eq!(receiver.next().await.unwrap().unwrap(), message(number));
        }
        home.check();
        sending.await.close(None).await.unwrap();
        assert!(matches!(receiver.next().await, Some(Ok(Message::Close(_)))));
        assert!(receiver.next().await.is_none());
        assert_eq!(server.await, MESSAGES);
    });
}

#[test]
fn a_server_that_speaks_no_http_is_an_error() {
    everywhere(|handle| async move {
        let listener = TcpListener::bind(&handle, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(&handle, address).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        drop(far);
        let error = client_async(format!("ws://{address}/"), stream).await.unwrap_err();
        assert!(matches!(error, Error::Io(_) | Error::Protocol(_)), "{error}");
    });
}
