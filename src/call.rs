//! A closure on its way to the host thread.

use std::any::Any;

use smallbox::SmallBox;
use smallbox::space::S4;

/// A closure on its way to the host thread. One that captures no more than three words lies in the queue itself:
/// memory that one thread takes and another gives back is what a call costs most.
pub(crate) struct Call(SmallBox<dyn Parcel, S4>);

trait Parcel: Send {
    fn run(&mut self);
    fn sender(&self) -> usize;
    /// To be asked for the closure's own type, by the caller that knows it.
    fn as_any(&mut self) -> &mut dyn Any;
}

struct Sent<F> {
    /// None once it has run.
    closure: Option<F>,
    sender: usize,
}

impl<F: FnOnce() + Send + 'static> Parcel for Sent<F> {
    fn run(&mut self) {
        if let Some(closure) = self.closure.take() {
            closure();
        }
    }

    fn sender(&self) -> usize {
        self.sender
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl Call {
    /// One from `sender`, as `Inbox::push_call` tells callers apart.
    pub(crate) fn new<F: FnOnce() + Send + 'static>(closure: F, sender: usize) -> Call {
        Call(smallbox::smallbox!(Sent { closure: Some(closure), sender }))
    }

    /// Runs the closure.
    pub(crate) fn run(mut self) {
        self.0.run();
    }

    pub(crate) fn sender(&self) -> usize {
        self.0.sender()
    }

    /// The closure, if this is its type.
    pub(crate) fn into_closure<F: FnOnce() + Send + 'static>(mut self) -> Option<F> {
        self.0.as_any().downcast_mut::<Sent<F>>()?.closure.take()
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn small_and_large_closures_run_once_or_are_dropped_once() {
        // Orders nothing: one thread.
        let ran = Arc::new(AtomicUsize::new(0));
        let small = |ran: &Arc<AtomicUsize>| {
            let ran = Arc::clone(ran);
            Call::new(move || _ = ran.fetch_add(1, Ordering::Relaxed), 1)
        };
        let large = |ran: &Arc<AtomicUsize>| {
            let (ran, ballast) = (Arc::clone(ran), [7_usize; 100]);
            Call::new(move || _ = ran.fetch_add(ballast[99], Ordering::Relaxed), 2)
        };
        small(&ran).run();
        large(&ran).run();
        assert_eq!((small(&ran).sender(), large(&ran).sender()), (1, 2));
        assert_eq!((ran.load(Ordering::Relaxed), Arc::strong_count(&ran)), (8, 1));
    }

    #[test]
    fn a_closure_is_given_back_to_who_knows_its_type() {
        fn closure(ran: &Arc<()>) -> impl FnOnce() + Send + 'static + use<> {
            let ran = Arc::clone(ran);
            move || drop(ran)
        }
        fn back<F: FnOnce() + Send + 'static>(_type: &F, call: Call) -> Option<F> {
            call.into_closure()
        }
        let ran = Arc::new(());
        let other = || ();
        let own = closure(&ran);
        assert!(back(&other, Call::new(closure(&ran), 0)).is_none());
        assert_eq!(Arc::strong_count(&ran), 2);
        let given = back(&own, Call::new(closure(&ran), 0)).expect("its own type");
        assert_eq!(Arc::strong_count(&ran), 3);
        drop((own, given));
        assert_eq!(Arc::strong_count(&ran), 1);
    }
}
