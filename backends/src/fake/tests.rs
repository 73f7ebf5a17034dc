use std::io::{ErrorKind, stdin};
use std::os::fd::AsFd;
use std::thread;

use super::*;

const KEY: Key = Key::new(4, 2);
const LIMIT: Duration = Duration::from_secs(30);

fn registered(interest: Interest) -> Arc<Fake> {
    let fake = Fake::new();
    fake.add(stdin().as_fd(), KEY, interest, Mode::Oneshot).unwrap();
    fake
}

#[test]
fn what_the_test_says_is_reported_once_it_is_armed() {
    let (fake, mut events) = (registered(Interest::WRITABLE), Vec::new());
    fake.source_ready(&stdin(), Readiness::READABLE);
    fake.wait(&mut events, Some(Duration::ZERO)).unwrap();
    assert_eq!(events, []);
    fake.modify(stdin().as_fd(), KEY, Interest::READABLE, Mode::Oneshot).unwrap();
    fake.wait(&mut events, None).unwrap();
    assert_eq!(events, [Event::Ready { key: KEY, readiness: Readiness::READABLE }]);
    assert_eq!(fake.registered()[0].1.armed, Interest::NONE);
}

#[test]
fn a_blocked_wait_is_seen_and_ended() {
    let fake = registered(Interest::READABLE);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut events = Vec::new();
            fake.wait(&mut events, None).map(|()| events)
        });
        assert!(fake.wait_until_blocked(LIMIT));
        fake.ready(KEY, Readiness::HANG_UP);
        assert_eq!(waiting.join().unwrap().unwrap().len(), 1);
    });
    assert!(!fake.is_blocked());
    assert_eq!(fake.counts(), Counts { adds: 1, waits: 1, ..Counts::default() });
}

#[test]
fn waits_and_registrations_fail_as_the_test_says() {
    let fake = registered(Interest::READABLE);
    fake.fail_wait(ErrorKind::OutOfMemory.into());
    let error = fake.wait(&mut Vec::new(), None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    let _ = fake.delete(stdin().as_fd(), KEY);
    fake.refuse_add(ErrorKind::Unsupported.into());
    let error = fake.add(stdin().as_fd(), KEY, Interest::NONE, Mode::Oneshot).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    fake.add(stdin().as_fd(), KEY, Interest::NONE, Mode::Oneshot).unwrap();
}

#[test]
fn a_notification_ends_one_wait() {
    let fake = Fake::new();
    fake.notify().unwrap();
    fake.notify().unwrap();
    fake.wait(&mut Vec::new(), None).unwrap();
    fake.wait(&mut Vec::new(), Some(Duration::from_millis(1))).unwrap();
    assert_eq!(fake.counts().notifies, 2);
}
