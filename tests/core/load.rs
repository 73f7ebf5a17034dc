//! Work of every kind, for a host that is not kind to its ticks.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Reactor, Tick};

use crate::pairs::pair;
use crate::waking::Ran;
use crate::world::{LIMIT, Queue};

/// Something of every kind, each of which must arrive once and in order: calls of two threads, an
/// echo, a chain of timers, a task that is woken by another thread.
pub struct Load {
    ran: Ran,
    calls: usize,
    rounds: usize,
    echoes: Rc<Cell<usize>>,
    timers: Rc<Cell<usize>>,
    polled: Rc<RefCell<Vec<usize>>>,
    _kept: Box<dyn std::any::Any>,
}

impl Load {
    pub fn start(reactor: &Reactor, calls: usize, rounds: usize) -> Load {
        let ran = Ran::default();
        for thread in 0..2 {
            let (ran, remote) = (ran.clone(), reactor.remote());
            thread::spawn(move || {
                for number in 0..calls {
                    ran.call(&remote, thread, number);
                    if number % 10 == 0 {
                        thread::yield_now();
                    }
                }
            });
        }
        let echoes = Rc::new(Cell::new(0));
        let kept = Load::echo(reactor, rounds, &echoes);
        let timers = Rc::new(Cell::new(0));
        Load::chain(reactor, rounds, &timers);
        let polled = Rc::new(RefCell::new(Vec::new()));
        Load::ping(reactor, rounds, &polled);
        Load { ran, calls, rounds, echoes, timers, polled, _kept: kept }
    }

    fn echo(reactor: &Reactor, rounds: usize, echoes: &Rc<Cell<usize>>) -> Box<dyn std::any::Any> {
        let (client, server) = pair();
        let server = reactor.register(server, Interest::READABLE, |mut io, _| {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            io.write_all(&byte).unwrap();
            Action::Rearm
        });
        let count = Rc::clone(echoes);
        let client = reactor.register(client, Interest::READABLE, move |mut io, _| {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            assert_eq!(usize::from(byte[0]), count.get() % 256);
            count.set(count.get() + 1);
            if count.get() < rounds {
                io.write_all(&[count.get() as u8]).unwrap();
            }
            Action::Rearm
        });
        let client = client.unwrap();
        client.get_ref().write_all(&[0]).unwrap();
        Box::new((server.unwrap(), client))
    }

    fn chain(reactor: &Handle, left: usize, timers: &Rc<Cell<usize>>) {
        let (inner, timers) = (reactor.handle(), Rc::clone(timers));
        let next = move || {
            timers.set(timers.get() + 1);
            if left > 1 {
                Load::chain(&inner, left - 1, &timers);
            }
        };
        reactor.after(Duration::from_micros(300), next).detach();
    }

    /// A thread counts up and wakes the task; the task says when it has seen the number.
    fn ping(reactor: &Reactor, rounds: usize, polled: &Rc<RefCell<Vec<usize>>>) {
        #[derive(Default)]
        struct Ping {
            number: AtomicUsize,
            waker: Mutex<Option<Waker>>,
        }
        let ping = Arc::new(Ping::default());
        let (seen, next) = mpsc::channel();
        let (woken, polled) = (Arc::clone(&ping), Rc::clone(polled));
        let task = poll_fn(move |context| {
            *woken.waker.lock().unwrap() = Some(context.waker().clone());
            let number = woken.number.load(Ordering::Acquire);
            if polled.borrow().len() < number {
                polled.borrow_mut().push(number);
            }
            _ = seen.send(number);
            if number == rounds { Poll::Ready(()) } else { Poll::Pending }
        });
        reactor.spawn_local(task).detach();
        thread::spawn(move || {
            while let Ok(number) = next.recv() {
                if number == rounds {
                    return;
                }
                ping.number.store(number + 1, Ordering::Release);
                let waker = ping.waker.lock().unwrap().clone();
                waker.unwrap().wake();
            }
        });
    }

    pub fn is_over(&self) -> bool {
        self.ran.len() == 2 * self.calls
            && self.echoes.get() == self.rounds
            && self.timers.get() == self.rounds
            && self.polled.borrow().len() == self.rounds
    }

    pub fn check(&self) {
        self.ran.check(2, self.calls);
        assert!(self.polled.borrow().iter().copied().eq(1..=self.rounds));
    }
}

/// Runs a load in a host whose waker does `lose` to the ticks with these numbers, and posts the
/// others.
pub fn lossy(
    reactor: &Reactor,
    lost: impl Fn(usize) -> bool + Send + Sync + 'static,
    lose: impl Fn(Tick) + Send + Sync + 'static,
) {
    let queue = Queue::default();
    let (posted, ticks) = (queue.clone(), AtomicUsize::new(0));
    let waker = move |tick| match ticks.fetch_add(1, Ordering::AcqRel) {
        number if lost(number) => lose(tick),
        _ => posted.post(tick),
    };
    reactor.interleave(waker).unwrap();
    let load = Load::start(reactor, 100, 20);
    serve(reactor, &load, &queue, Tick::run);
}

pub fn serve(reactor: &Reactor, load: &Load, queue: &Queue, mut run: impl FnMut(Tick)) {
    while !load.is_over() {
        match queue.take(Instant::now() + LIMIT) {
            Some(tick) => run(tick),
            None => panic!("hangs: {:?}\n{}", reactor.stats(), reactor.dump()),
        }
    }
    load.check();
}
