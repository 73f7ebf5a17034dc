//! Claim 1: TCP by callbacks, beside the toolkit's own timer.

use std::cell::RefCell;
use std::rc::Rc;

use super::case::Word;
use super::frames::{Frames, PATIENCE};
use super::host::Host;
use super::traffic::Traffic;
use super::trial::{FRAME, Trial};

const MESSAGES: u64 = 20_000;
const CONNECTIONS: usize = 8;
/// How many frames are measured without a reactor, and how many at the least with it.
const FRAMES: usize = 60;

pub(super) fn cases<H: Host>() -> Vec<(&'static str, fn())> {
    vec![("echo", echo::<H>)]
}

fn echo<H: Host>() {
    let trial = Trial::<H>::open();
    let begun: Rc<RefCell<Option<Traffic>>> = Rc::default();
    let (mut without, mut with) = (Frames::default(), Frames::default());
    trial.wait_for("the toolkit's own timer");
    let traffic = Rc::clone(&begun);
    trial.quit_when(move |trial| {
        if without.count < FRAMES {
            without.come();
            if without.count == FRAMES {
                begin(trial, &traffic);
            }
            return false;
        }
        with.come();
        let traffic = traffic.borrow();
        let Some(traffic) = traffic.as_ref() else { return false };
        if traffic.received() >= MESSAGES && with.count >= FRAMES {
            traffic.stop();
        }
        if !traffic.is_drained() {
            return false;
        }
        compare(&without, &with, traffic.received());
        true
    });
    trial.run();
    begun.take();
    trial.end();
}

/// Attaches, and lets the messages go, from a callback that the toolkit is asked for.
fn begin<H: Host>(trial: &Rc<Trial<H>>, begun: &Rc<RefCell<Option<Traffic>>>) {
    trial.wait_for("the echo of every message");
    let (begun, later) = (Rc::clone(begun), Rc::clone(trial));
    trial.host.post(Box::new(move || {
        later.attach();
        begun.replace(Some(Traffic::start(&later.reactor, CONNECTIONS)));
    }));
}

fn compare(without: &Frames, with: &Frames, messages: u64) {
    let (idle, busy) = (without.worst, with.worst);
    let note = format!(
        "worst of {FRAMES} frames without a reactor: {idle:.1?}; of {} frames beside {messages} \
         messages: {busy:.1?}; a frame is {FRAME:.1?}",
        with.count
    );
    Word::Note(note).say();
    assert!(busy <= idle + PATIENCE, "the toolkit's timer had to wait for {busy:?}");
}
