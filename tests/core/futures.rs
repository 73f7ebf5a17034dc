//! What the cases await with: an event of the host thread, and an executor for foreign threads.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// An event on one thread: once set, it stays set.
#[derive(Clone, Default)]
pub struct Flag {
    inner: Rc<(Cell<bool>, RefCell<Vec<Waker>>)>,
}

impl Flag {
    pub fn set(&self) {
        self.inner.0.set(true);
        self.inner.1.take().into_iter().for_each(Waker::wake);
    }

    pub fn is_set(&self) -> bool {
        self.inner.0.get()
    }

    pub async fn wait(&self) {
        poll_fn(|cx| {
            if self.is_set() {
                return Poll::Ready(());
            }
            self.inner.1.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Gives the thread to everybody else once.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The simplest executor: parks this thread until the future is woken.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Puts down its waker and waits for `ready`.
pub struct Patient {
    wakers: Arc<Mutex<Vec<Waker>>>,
    ready: Arc<AtomicBool>,
    polls: Rc<Cell<u32>>,
}

impl Future for Patient {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.set(self.polls.get() + 1);
        self.wakers.lock().unwrap().push(cx.waker().clone());
        if self.ready.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// The wakers, whether it is ready, and how often it was polled.
pub type Parts = (Arc<Mutex<Vec<Waker>>>, Arc<AtomicBool>, Rc<Cell<u32>>);

impl Patient {
    pub fn new() -> Patient {
        Patient { wakers: Arc::default(), ready: Arc::default(), polls: Rc::default() }
    }

    pub fn parts(&self) -> Parts {
        (Arc::clone(&self.wakers), Arc::clone(&self.ready), Rc::clone(&self.polls))
    }
}
