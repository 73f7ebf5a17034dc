//! A program with SDL, of either version, as the test kit drives it.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::error::Error;
use std::io;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use interloop::Reactor;
use interloop::testing::Host;
use interloop_demos::testing::close_window;
use interloop_sdl::{Attached, Event, Events, attach};

/// The title of the window.
pub const TITLE: &str = "interloop-sdl: the test kit";

/// What SDL answers, with an error of either version.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// An SDL that has been initialised.
pub trait Sdl: Sized + 'static {
    type Event: Event;
    type Events: Events;

    /// With a window or without.
    fn open(window: bool) -> Outcome<Self>;
    fn events(&self) -> &Self::Events;
    /// The next event, for which it waits.
    fn wait(&self, timeout: Duration) -> Option<Self::Event>;
    /// The next event, if it is there.
    fn poll(&self) -> Option<Self::Event>;
    /// Pushes an event of the program's own.
    fn push_own(&self) -> Outcome<()>;
    fn push_quit(&self) -> Outcome<()>;
    /// Hears of each event when it is pushed, until what this returns is dropped.
    fn watch(&self, hear: impl FnMut(Self::Event) + Send + 'static) -> Box<dyn Any>;
    fn is_own(&self, event: &Self::Event) -> bool;
    fn user_type(event: &Self::Event) -> Option<u32>;
    fn is_quit(event: &Self::Event) -> bool;
}

/// A video driver of SDL, and a way to write a loop.
pub trait Kind: 'static {
    type Sdl: Sdl;
    const NAME: &'static str;
    const ENVIRONMENT: &'static [(&'static str, &'static str)];
    /// Whether there is a window, which under X11 is what other threads wake SDL by.
    const WINDOW: bool = true;
    /// True for a loop that looks for events once in a frame, false for one that waits for them.
    const FRAMES: bool = false;
}

/// How long a frame is of a loop with frames, and how often a nested loop looks round.
const FRAME: Duration = Duration::from_millis(4);

pub struct Program<K: Kind> {
    sdl: RefCell<Option<Rc<K::Sdl>>>,
    attached: RefCell<Weak<Attached>>,
    posted: RefCell<VecDeque<Box<dyn FnOnce()>>>,
    timers: RefCell<Vec<Timer>>,
    quit: Cell<bool>,
}

struct Timer {
    due: Instant,
    period: Duration,
    callback: Box<dyn FnMut()>,
}

impl<K: Kind> Host for Program<K> {
    const NAME: &'static str = K::NAME;
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = K::ENVIRONMENT;

    fn open() -> io::Result<Rc<Program<K>>> {
        if K::ENVIRONMENT.contains(&X11) && std::env::var_os("DISPLAY").is_none() {
            let message = "SDL under X11: no DISPLAY; run this with xvfb-run -a";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let sdl = K::Sdl::open(K::WINDOW).map_err(io::Error::other)?;
        Ok(Rc::new(Program {
            sdl: RefCell::new(Some(Rc::new(sdl))),
            attached: RefCell::default(),
            posted: RefCell::default(),
            timers: RefCell::default(),
            quit: Cell::new(false),
        }))
    }

    fn attach(self: &Rc<Program<K>>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let attached = Rc::new(attach(reactor, self.sdl().events())?);
        self.attached.replace(Rc::downgrade(&attached));
        Ok(Box::new(attached))
    }

    fn run(&self) {
        let sdl = self.sdl();
        while !self.quit.get() {
            if K::FRAMES {
                while let Some(event) = sdl.poll() {
                    self.dispatch(&sdl, &event);
                }
                std::thread::sleep(FRAME);
            } else if let Some(event) = sdl.wait(self.until_next_timer()) {
                self.dispatch(&sdl, &event);
            }
            self.run_timers();
        }
    }

    fn quit(&self) {
        self.sdl().push_quit().expect("there is room in the queue");
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let sdl = self.sdl();
        while !done() {
            if let Some(event) = sdl.wait(FRAME.min(self.until_next_timer())) {
                self.dispatch(&sdl, &event);
            }
            self.run_timers();
        }
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        let timer = Timer { due: Instant::now() + period, period, callback };
        self.timers.borrow_mut().push(timer);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.posted.borrow_mut().push_back(callback);
        self.sdl().push_own().expect("there is room in the queue");
    }

    fn close(&self) {
        if K::WINDOW && K::ENVIRONMENT.contains(&X11) { close_window(TITLE) } else { self.quit() }
    }

    fn destroy(&self) {
        drop(self.sdl.take());
    }
}

/// What makes SDL take its driver for X11.
pub const X11: (&str, &str) = ("SDL_VIDEODRIVER", "x11");

impl<K: Kind> Program<K> {
    fn sdl(&self) -> Rc<K::Sdl> {
        Rc::clone(self.sdl.borrow().as_ref().expect("SDL is there"))
    }

    fn dispatch(&self, sdl: &K::Sdl, event: &<K::Sdl as Sdl>::Event) {
        let attached = self.attached.borrow().upgrade();
        if attached.is_some_and(|attached| attached.handle(event)) {
            return;
        }
        if sdl.is_own(event) {
            let callback = self.posted.borrow_mut().pop_front();
            callback.expect("an event for each")();
        } else if K::Sdl::is_quit(event) {
            self.quit.set(true);
        }
    }

    fn until_next_timer(&self) -> Duration {
        let next = self.timers.borrow().iter().map(|timer| timer.due).min();
        next.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()))
    }

    fn run_timers(&self) {
        let now = Instant::now();
        let mut timers = self.timers.take();
        for timer in timers.iter_mut().filter(|timer| timer.due <= now) {
            (timer.callback)();
            timer.due = now + timer.period;
        }
        // Those that the callbacks have added stand behind.
        timers.append(&mut self.timers.borrow_mut());
        self.timers.replace(timers);
    }
}
