//! A server of the chat and its clients, on one reactor.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop_demos::chat::{Client, Event, Server};

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// Somebody in a chat, who remembers what comes.
struct Guest {
    client: Client,
    events: Rc<RefCell<Vec<Event>>>,
    come: async_channel::Receiver<()>,
}

impl Guest {
    fn join(reactor: &Reactor, server: &str, name: &str) -> Guest {
        let events = Rc::new(RefCell::new(Vec::new()));
        let (coming, come) = async_channel::unbounded();
        let heard = Rc::clone(&events);
        let on_event = move |event| {
            heard.borrow_mut().push(event);
            coming.try_send(()).expect("the guest is there");
        };
        Guest { client: Client::join(reactor, server, name, on_event), events, come }
    }

    /// Waits for the next event.
    async fn next(&self) -> Event {
        self.come.recv().await.expect("there is more to come");
        self.events.borrow_mut().remove(0)
    }
}

fn said(from: &str, text: &str) -> Event {
    Event::Said { from: from.to_owned(), text: text.to_owned() }
}

fn block_on(test: impl AsyncFnOnce(&Reactor, String, Server)) {
    let reactor = Reactor::new().unwrap();
    let server = Server::start(&reactor, "127.0.0.1:0", |_| ()).unwrap();
    let address = server.address().to_string();
    let test = reactor.timeout(LIMIT, test(&reactor, address, server));
    reactor.block_on(test).unwrap().expect("it takes too long");
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

#[test]
fn two_talk_and_part() {
    block_on(async |reactor, address, _server| {
        let alice = Guest::join(reactor, &address, "alice");
        assert_eq!(alice.next().await, Event::Welcome { others: Vec::new() });
        let bob = Guest::join(reactor, &address, "bob");
        assert_eq!(bob.next().await, Event::Welcome { others: vec!["alice".to_owned()] });
        assert_eq!(alice.next().await, Event::Joined("bob".to_owned()));
        alice.client.say("hello, bob");
        assert_eq!(bob.next().await, said("alice", "hello, bob"));
        bob.client.say("hello\n\nalice");
        assert_eq!(alice.next().await, said("bob", "hello"));
        assert_eq!(alice.next().await, said("bob", "alice"));
        // What was said last arrives.
        bob.client.say("I must go");
        bob.client.leave();
        assert_eq!(alice.next().await, said("bob", "I must go"));
        assert_eq!(alice.next().await, Event::Left("bob".to_owned(), String::new()));
        assert_eq!(bob.next().await, Event::End(Ok(())));
    });
}

#[test]
fn what_is_too_long_for_a_line_is_said_in_several() {
    block_on(async |reactor, address, _server| {
        let alice = Guest::join(reactor, &address, "alice");
        alice.next().await;
        let bob = Guest::join(reactor, &address, "bob");
        bob.next().await;
        // A line has 1024 bytes, and this letter two.
        let long = "ä".repeat(1500);
        bob.client.say(&format!("x{long}"));
        assert_eq!(alice.next().await, Event::Joined("bob".to_owned()));
        let mut heard = String::new();
        while heard.len() < 1 + long.len() {
            match alice.next().await {
                Event::Said { text, .. } => heard.push_str(&text),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(heard, format!("x{long}"));
    });
}

#[test]
fn a_name_that_is_taken_is_refused_with_a_reason() {
    block_on(async |reactor, address, _server| {
        let alice = Guest::join(reactor, &address, "alice");
        alice.next().await;
        let other = Guest::join(reactor, &address, "alice");
        match other.next().await {
            Event::End(Err(reason)) => assert!(reason.contains("alice is taken"), "{reason}"),
            event => panic!("{event:?}"),
        }
    });
}

#[test]
fn the_end_of_the_server_is_a_goodbye() {
    block_on(async |reactor, address, server| {
        let alice = Guest::join(reactor, &address, "alice");
        alice.next().await;
        server.end().await;
        let goodbye = "goodbye, alice: the server ends".to_owned();
        assert_eq!(alice.next().await, Event::Notice(goodbye));
        assert_eq!(alice.next().await, Event::End(Ok(())));
        let late = Guest::join(reactor, &address, "late");
        match late.next().await {
            Event::End(Err(reason)) => assert!(reason.contains("is the server there?"), "{reason}"),
            event => panic!("{event:?}"),
        }
    });
}
