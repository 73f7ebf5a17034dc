//! A closure that is called once.
//!
//! What captures a word or two, as a counter and an `Rc`, lies in the callback itself: it costs no allocation, and
//! whoever has the callback in the cache has all of it there. Anything larger lies in a box.

use smallbox::SmallBox;
use smallbox::space::S2;

pub(crate) struct Callback(SmallBox<dyn Closure, S2>);

trait Closure {
    fn call(&mut self);
}

/// None once it was called.
struct Held<F>(Option<F>);

impl<F: FnOnce() + 'static> Closure for Held<F> {
    fn call(&mut self) {
        if let Some(closure) = self.0.take() {
            closure();
        }
    }
}

impl Callback {
    pub(crate) fn new<F: FnOnce() + 'static>(closure: F) -> Callback {
        Callback(smallbox::smallbox!(Held(Some(closure))))
    }

    pub(crate) fn call(mut self) {
        self.0.call();
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::rc::Rc;

    use super::*;

    /// Has one of each layout hold this.
    fn callbacks(held: &Rc<Cell<u32>>, then: fn()) -> [Callback; 4] {
        #[repr(align(64))]
        struct Aligned(Rc<Cell<u32>>);

        let one = |held: &Rc<Cell<u32>>| held.set(held.get() + 1);
        let [small, pair, large] = [0; 3].map(|_| Rc::clone(held));
        let (wide, aligned) = ([7_usize; 9], Aligned(Rc::clone(held)));
        [
            Callback::new(move || {
                one(&small);
                then();
            }),
            Callback::new({
                let word = held.get() as usize;
                move || {
                    assert!(word < 9);
                    one(&pair);
                    then();
                }
            }),
            Callback::new(move || {
                assert_eq!(wide, [7; 9]);
                one(&large);
                then();
            }),
            Callback::new(move || {
                let aligned = aligned;
                assert_eq!((&raw const aligned).addr() % 64, 0);
                one(&aligned.0);
                then();
            }),
        ]
    }

    #[test]
    fn it_is_called_and_dropped_once_whatever_it_captures() {
        let held = Rc::new(Cell::new(0));
        callbacks(&held, || ()).into_iter().for_each(Callback::call);
        assert_eq!((held.get(), Rc::strong_count(&held)), (4, 1));
    }

    #[test]
    fn one_that_is_not_called_is_dropped() {
        let held = Rc::new(Cell::new(0));
        drop(callbacks(&held, || ()));
        assert_eq!((held.get(), Rc::strong_count(&held)), (0, 1));
    }

    #[test]
    fn one_that_panics_is_dropped_once() {
        let held = Rc::new(Cell::new(0));
        for callback in callbacks(&held, || std::panic::resume_unwind(Box::new("a panic"))) {
            assert!(catch_unwind(AssertUnwindSafe(|| callback.call())).is_err());
        }
        assert_eq!((held.get(), Rc::strong_count(&held)), (4, 1));
    }

    #[test]
    fn one_that_captures_nothing_is_called() {
        thread_local!(static CALLED: Cell<bool> = const { Cell::new(false) });
        Callback::new(|| CALLED.set(true)).call();
        assert!(CALLED.get());
    }

    #[test]
    fn two_words_need_no_box() {
        let (held, word) = (Rc::new(()), 1_usize);
        let callback = Callback::new(move || drop((held, word)));
        assert!(!callback.0.is_heap());
        assert_eq!(size_of::<Option<Callback>>(), 4 * size_of::<usize>());
    }
}
