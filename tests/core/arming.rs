//! What a source is armed for, and what it hears then.

use std::cell::RefCell;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use interloop::{Action, Handle, Interest, Source};

use crate::cases;
use crate::pairs::{Heard, drain, fence, fill, pair, reader, script, write};
use crate::world::World;

cases!(
    an_armed_source_fires_once_until_it_is_armed_again,
    level_data_still_there_fires_again_after_rearm,
    arming_for_writing_keeps_reading_armed,
    arming_inside_the_callback_adds_to_its_answer,
    an_interest_that_is_ready_does_not_stop_the_other,
    rearm_for_replaces_what_the_source_was_armed_for,
);

/// Behaviour 13.
fn an_armed_source_fires_once_until_it_is_armed_again(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let heard = Heard::new();
            let tell = heard.clone();
            let source = reactor.register(near, Interest::READABLE, move |_, readiness| {
                tell.tell(readiness);
                Action::Disarm
            });
            let source = source.unwrap();
            write(&far, b"a");
            assert!(heard.next().await.is_readable());
            write(&far, b"b");
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            source.arm(Interest::READABLE).unwrap();
            assert!(heard.next().await.is_readable());
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
        }
    });
}

/// Behaviour 13.
fn level_data_still_there_fires_again_after_rearm(world: &World) {
    script(world, |reactor| {
        let (near, far) = pair();
        let (source, heard) = reader(reactor, near);
        let reactor = reactor.handle();
        async move {
            write(&far, b"abc");
            assert_eq!(heard.take(3).await, [Some(b'a'), Some(b'b'), Some(b'c')]);
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            drop(far);
            assert_eq!(heard.next().await, None);
            drop(source);
        }
    });
}

/// Tells which interest was answered, reads what is there, and answers for the next.
fn teller(
    reactor: &Handle,
    near: UnixStream,
    interest: Interest,
    next: impl Fn(Interest) -> Action + 'static,
) -> (Source<UnixStream>, Heard<Interest>) {
    let heard = Heard::new();
    let tell = heard.clone();
    let source = reactor.register(near, interest, move |io, readiness| {
        let mut answered = Interest::NONE;
        if readiness.is_readable() && rustix::io::read(io, &mut [0; 16]).is_ok() {
            answered |= Interest::READABLE;
        }
        if readiness.is_writable() {
            answered |= Interest::WRITABLE;
        }
        // Readiness is a hint, and what it promised may not be there.
        if answered.is_none() {
            return Action::Rearm;
        }
        tell.tell(answered);
        next(answered)
    });
    (source.unwrap(), heard)
}

/// Behaviour 14.
fn arming_for_writing_keeps_reading_armed(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            fill(&near);
            let (source, heard) = teller(&reactor, near, Interest::READABLE, |_| Action::Rearm);
            source.arm(Interest::WRITABLE).unwrap();
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            write(&far, b"a");
            assert_eq!(heard.next().await, Interest::READABLE);
            source.disarm().unwrap();
            source.arm(Interest::WRITABLE).unwrap();
            source.arm(Interest::READABLE).unwrap();
            drain(&far);
            assert_eq!(heard.next().await, Interest::WRITABLE);
            source.disarm().unwrap();
            write(&far, b"b");
            fence(&reactor).await;
            // What was on its way when it was disarmed is not dispatched either.
            heard.rest();
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
        }
    });
}

/// Behaviour 14: the answer `Rearm` means what the source was armed for before it fired.
fn arming_inside_the_callback_adds_to_its_answer(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            fill(&near);
            let own: Rc<RefCell<Option<Source<UnixStream>>>> = Rc::default();
            let from_inside = Rc::clone(&own);
            let (source, heard) = teller(&reactor, near, Interest::READABLE, move |answered| {
                if answered == Interest::READABLE {
                    let own = from_inside.borrow();
                    own.as_ref().unwrap().arm(Interest::WRITABLE).unwrap();
                    return Action::Rearm;
                }
                Action::RearmFor(Interest::READABLE)
            });
            own.replace(Some(source));
            for _ in 0..2 {
                write(&far, b"a");
                assert_eq!(heard.next().await, Interest::READABLE);
            }
            drain(&far);
            assert_eq!(heard.next().await, Interest::WRITABLE);
            write(&far, b"b");
            assert_eq!(heard.next().await, Interest::READABLE);
            own.take();
        }
    });
}

/// Behaviour 14.
fn an_interest_that_is_ready_does_not_stop_the_other(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let both = Interest::READABLE | Interest::WRITABLE;
            let (source, heard) = teller(&reactor, near, both, |_| Action::Rearm);
            assert_eq!(heard.next().await, Interest::WRITABLE);
            write(&far, b"a");
            while !heard.next().await.contains(Interest::READABLE) {}
            drop(source);
        }
    });
}

/// Point 6 of what the reactor must do: each `Action` means what it says.
fn rearm_for_replaces_what_the_source_was_armed_for(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let (source, heard) = teller(&reactor, near, Interest::WRITABLE, |answered| {
                if answered == Interest::WRITABLE {
                    return Action::RearmFor(Interest::READABLE);
                }
                Action::Rearm
            });
            assert_eq!(heard.next().await, Interest::WRITABLE);
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            for _ in 0..3 {
                write(&far, b"a");
                assert_eq!(heard.next().await, Interest::READABLE);
            }
            drop(source);
        }
    });
}
