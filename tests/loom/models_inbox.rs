//! The inbox: push, pending, drain, close; and the mailbox.

#![allow(unsafe_code)]

use std::sync::Arc;

use interloop_backends::Key;
use interloop_backends::mailbox::Mailbox;
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::inbox::{Inbox, Underway};
use crate::shared::Flag;

/// Two threads push; the host sleeps until it is woken, clears, drains. If an item could be left
/// behind with nobody to wake for it, the host would sleep for ever.
#[test]
fn inbox_wakes_for_every_item() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let host = Arc::new(Flag::new());
        let ran = Arc::new(AtomicUsize::new(0));
        let producers: Vec<_> = (0..2)
            .map(|_| {
                let (inbox, host, ran) = (Arc::clone(&inbox), Arc::clone(&host), Arc::clone(&ran));
                thread::spawn(move || {
                    let call = move || {
                        ran.fetch_add(1, Ordering::Relaxed);
                    };
                    if inbox.push_call(call).is_ok_and(|wake| wake) {
                        host.notify().unwrap();
                    }
                })
            })
            .collect();
        while ran.load(Ordering::Relaxed) < 2 {
            host.wait();
            if inbox.begin() {
                while let Some(call) = inbox.pop_call() {
                    call.run();
                }
            }
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

/// One thread pushes twice, with a turn in between or not: its calls run in their order, and each
/// turn follows a wake.
#[test]
fn inbox_keeps_the_order_of_a_thread() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let host = Arc::new(Flag::new());
        let ran = Arc::new(AtomicUsize::new(0));
        let producer = {
            let (inbox, host, ran) = (Arc::clone(&inbox), Arc::clone(&host), Arc::clone(&ran));
            thread::spawn(move || {
                for number in 0..2 {
                    let ran = Arc::clone(&ran);
                    let call = move || {
                        assert_eq!(ran.load(Ordering::Relaxed), number);
                        ran.store(number + 1, Ordering::Relaxed);
                    };
                    if inbox.push_call(call).is_ok_and(|wake| wake) {
                        host.notify().unwrap();
                    }
                }
            })
        };
        while ran.load(Ordering::Relaxed) < 2 {
            host.wait();
            if inbox.begin() {
                while let Some(call) = inbox.pop_call() {
                    call.run();
                }
            }
        }
        producer.join().unwrap();
    });
}

/// A call races with the close: it runs, or its closure comes back; never both, never neither.
#[test]
fn inbox_close_runs_a_call_or_returns_it() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let ran = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let (inbox, ran) = (Arc::clone(&inbox), Arc::clone(&ran));
                thread::spawn(move || {
                    let call = move || {
                        ran.fetch_add(1, Ordering::Relaxed);
                    };
                    usize::from(inbox.push_call(call).is_err())
                })
            })
            .collect();
        inbox.close().into_iter().for_each(|call| call.run());
        let returned: usize = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
        assert_eq!(ran.load(Ordering::Relaxed) + returned, 2);
    });
}

/// The worker puts twice, the host fetches beside it: everything arrives, once, in order, and each
/// item's own content with it.
#[test]
fn mailbox_delivers_everything_in_order() {
    loom::model(|| {
        let mailbox = Arc::new(Mailbox::new());
        let worker = {
            let mailbox = Arc::clone(&mailbox);
            thread::spawn(move || {
                for batch in [1..3, 3..5] {
                    mailbox.put(&mut batch.map(Item::new).collect());
                }
            })
        };
        let mut got = Vec::new();
        let mut fetch = || mailbox.fetch(|item: Item| got.push(item.read()));
        fetch();
        fetch();
        worker.join().unwrap();
        fetch();
        assert_eq!(got, [1, 2, 3, 4]);
    });
}

/// An item whose content loom watches: reading it without having acquired it is an error.
struct Item(UnsafeCell<u32>);

impl Item {
    fn new(content: u32) -> Item {
        let item = Item(UnsafeCell::new(0));
        // SAFETY: nobody else has the item yet.
        item.0.with_mut(|place| unsafe { *place = content });
        item
    }

    fn read(self) -> u32 {
        // SAFETY: the mailbox has handed the item over; loom checks that it has.
        self.0.with(|place| unsafe { *place })
    }
}

// SAFETY: an item is moved from thread to thread, never shared.
unsafe impl Send for Item {}

/// Two threads wake one task, each after it has written something; the host sleeps until it is woken, and
/// polls the task for what comes through the inbox. If a wake could find the task underway, and the poll not
/// see what came before that wake, or if the host could take the task off its way after the poll, somebody's word would be
/// left unread, and the host would sleep for ever.
#[test]
fn inbox_polls_after_every_wake() {
    loom::model(|| {
        let inbox = Arc::new(Inbox::new());
        let host = Arc::new(Flag::new());
        let underway = Arc::new(Underway::new());
        let words: Vec<_> = (0..2).map(|_| Arc::new(AtomicUsize::new(0))).collect();
        let wakers: Vec<_> = words
            .iter()
            .map(|word| {
                let (inbox, host, underway) =
                    (Arc::clone(&inbox), Arc::clone(&host), Arc::clone(&underway));
                let word = Arc::clone(word);
                thread::spawn(move || {
                    word.store(1, Ordering::Relaxed);
                    if inbox.push_task(Key::new(0, 0), &underway) && inbox.post() {
                        host.notify().unwrap();
                    }
                })
            })
            .collect();
        let mut heard = 0;
        while heard < 2 {
            host.wait();
            if inbox.begin() {
                while inbox.pop_task().is_some() {
                    underway.end();
                    // The poll.
                    heard = words.iter().map(|word| word.load(Ordering::Relaxed)).sum();
                }
            }
        }
        wakers.into_iter().for_each(|waker| waker.join().unwrap());
    });
}
