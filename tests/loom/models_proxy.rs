//! The waker proxy: hold, release and swap against wakes from elsewhere.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use crate::shared::{Flag, Shared};
use crate::tick::Tick;

fn live(shared: &Arc<Shared>, waker: impl Fn(Tick) + Send + Sync + 'static) {
    shared.swap_waker(Arc::new(waker)).unwrap();
}

/// A window that a waker posts to, and that must live until the waker has returned. A panic inside a
/// waker is caught by the proxy: so what went wrong is kept, for the end of the model.
struct Window {
    destroyed: AtomicBool,
    missed: AtomicBool,
}

impl Window {
    fn new() -> Window {
        Window { destroyed: AtomicBool::new(false), missed: AtomicBool::new(false) }
    }

    fn post(&self) {
        for _ in 0..2 {
            if self.destroyed.load(Ordering::Acquire) {
                self.missed.store(true, Ordering::Release);
            }
            thread::yield_now();
        }
    }

    fn destroy(&self) {
        self.destroyed.store(true, Ordering::Release);
    }

    fn check(&self) {
        assert!(!self.missed.load(Ordering::Acquire), "the window was posted to when it was gone");
    }
}

/// A wake races with hold and release: the host hears of it, before, in between or at the release.
#[test]
fn proxy_release_replays_what_came_while_held() {
    loom::model(|| {
        let shared = Shared::new();
        let host = Arc::new(Flag::new());
        let queue = Arc::clone(&host);
        live(&shared, move |tick| {
            tick.spend();
            queue.notify().unwrap();
        });
        let producer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.wake())
        };
        shared.proxy.hold();
        if shared.proxy.release().unwrap() {
            shared.rewake();
        }
        host.wait();
        producer.join().unwrap();
    });
}

/// After hold has returned, no call of the waker begins.
#[test]
fn proxy_begins_no_call_while_held() {
    loom::model(|| {
        let shared = Shared::new();
        let held = Arc::new(AtomicBool::new(false));
        let begun = Arc::new(AtomicUsize::new(0));
        let (seen, count) = (Arc::clone(&held), Arc::clone(&begun));
        live(&shared, move |tick| {
            tick.spend();
            count.fetch_add(usize::from(seen.load(Ordering::Acquire)), Ordering::Relaxed);
        });
        shared.proxy.hold();
        held.store(true, Ordering::Release);
        let producer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.wake())
        };
        producer.join().unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), 0);
    });
}

/// Of two wakes that race with hold, one may be inside the waker when hold returns. The other, which
/// left word with it, begins no call any more.
#[test]
fn proxy_calls_no_second_time_while_held() {
    loom::model(|| {
        let shared = Shared::new();
        let held = Arc::new(AtomicBool::new(false));
        let inside = Arc::new(AtomicUsize::new(0));
        let (seen, count) = (Arc::clone(&held), Arc::clone(&inside));
        live(&shared, move |tick| {
            tick.spend();
            count.fetch_add(usize::from(seen.load(Ordering::Acquire)), Ordering::Relaxed);
        });
        let producers: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                // As where the host's turn has come between the two: each asks for a tick.
                thread::spawn(move || shared.wake_posted())
            })
            .collect();
        shared.proxy.hold();
        held.store(true, Ordering::Release);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        assert!(inside.load(Ordering::Relaxed) <= 1);
    });
}

/// The host thread takes the waking over while calls are posted, and a thread may be inside the
/// host's waker: it hears of them all, though that waker leads nowhere any more.
#[test]
fn proxy_seize_loses_no_wake() {
    loom::model(|| {
        let shared = Shared::new();
        live(&shared, Tick::spend);
        let host = Arc::new(Flag::new());
        let producers = [post_one(&shared), post_one(&shared)];
        let parked = Arc::clone(&host);
        shared.proxy.seize(Arc::new(move |tick: Tick| {
            tick.spend();
            parked.notify().unwrap();
        }));
        let mut ran = run(&shared);
        while ran < producers.len() {
            if !shared.inbox.is_pending() {
                host.wait();
            }
            ran += run(&shared);
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

/// The host thread gives the waking back while a call is posted: the host's next waker hears of it.
#[test]
fn proxy_restore_hands_a_wake_on() {
    loom::model(|| {
        let shared = Shared::new();
        shared.proxy.seize(Arc::new(Tick::spend));
        let producer = post_one(&shared);
        shared.proxy.restore();
        let host = Arc::new(Flag::new());
        let queue = Arc::clone(&host);
        live(&shared, move |tick| {
            tick.spend();
            queue.notify().unwrap();
        });
        host.wait();
        while run(&shared) == 0 {
            host.wait();
        }
        producer.join().unwrap();
    });
}

fn post_one(shared: &Arc<Shared>) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        if shared.inbox.push_call(|| ()).is_ok_and(|wake| wake) {
            shared.wake_posted();
        }
    })
}

/// A turn, and how many calls ran in it.
fn run(shared: &Shared) -> usize {
    shared.inbox.begin();
    let mut ran = 0;
    while let Some(call) = shared.inbox.pop_call() {
        call.run();
        ran += 1;
    }
    ran
}

/// When swap has returned, the old waker is not running and is not called again; and a tick that
/// the old waker took with it is made good by a wake of the new one.
#[test]
fn proxy_swap_ends_the_old_waker_and_loses_no_wake() {
    loom::model(|| {
        let shared = Shared::new();
        let window = Arc::new(Window::new());
        let old = Arc::clone(&window);
        live(&shared, move |tick| {
            tick.spend();
            old.post();
        });
        let producer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.wake())
        };
        let host = Arc::new(Flag::new());
        let queue = Arc::clone(&host);
        live(&shared, move |tick| {
            tick.spend();
            queue.notify().unwrap();
        });
        window.destroy();
        // Whatever the old waker's window was sent is lost with it.
        host.wait();
        producer.join().unwrap();
        window.check();
    });
}

/// A wake that comes while another thread is inside the waker is handed to that thread. The host
/// runs its turn as soon as it hears of the first tick, while that waker has not returned.
#[test]
fn proxy_hands_a_wake_to_the_thread_inside() {
    loom::model(|| {
        let shared = Shared::new();
        let host = Arc::new(Flag::new());
        let queue = Arc::clone(&host);
        live(&shared, move |tick| {
            tick.spend();
            queue.notify().unwrap();
        });
        let ran = Arc::new(AtomicUsize::new(0));
        let producers: Vec<_> = (0..2)
            .map(|_| {
                let (shared, ran) = (Arc::clone(&shared), Arc::clone(&ran));
                thread::spawn(move || {
                    let call = move || {
                        ran.fetch_add(1, Ordering::Relaxed);
                    };
                    if shared.inbox.push_call(call).is_ok_and(|wake| wake) {
                        shared.wake_posted();
                    }
                })
            })
            .collect();
        while ran.load(Ordering::Relaxed) < 2 {
            host.wait();
            shared.inbox.begin();
            while let Some(call) = shared.inbox.pop_call() {
                call.run();
            }
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

/// Close against wake: when close has returned, the waker is not running and is not called again.
#[test]
fn proxy_close_ends_the_waker() {
    loom::model(|| {
        let shared = Shared::new();
        let window = Arc::new(Window::new());
        let old = Arc::clone(&window);
        live(&shared, move |tick| {
            tick.spend();
            old.post();
        });
        let producer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.wake())
        };
        let limit = std::time::Instant::now() + std::time::Duration::from_secs(3600);
        shared.proxy.close(limit).unwrap();
        window.destroy();
        producer.join().unwrap();
        window.check();
    });
}
