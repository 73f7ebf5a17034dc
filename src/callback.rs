//! A closure that is called once, in three words.
//!
//! What captures no more than two words, as a counter and an `Rc`, lies in them: it costs no allocation, and whoever
//! has the callback in the cache has all of it there. Anything larger lies in a box, which is a closure of one word.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};

pub(crate) struct Callback {
    /// What `vtable` knows the type of.
    closure: Words,
    vtable: &'static Vtable,
    /// The closure may be bound to its thread.
    _closure: PhantomData<*mut ()>,
}

type Words = MaybeUninit<[usize; 2]>;

struct Vtable {
    /// Moves the closure out and calls it.
    call: unsafe fn(*mut Words),
    /// Drops the closure in its place.
    drop: unsafe fn(*mut Words),
}

struct VtableOf<F>(PhantomData<F>);

impl<F: FnOnce() + 'static> VtableOf<F> {
    const VTABLE: &'static Vtable = &Vtable { call: call::<F>, drop: drop_in_place::<F> };
    const FITS: bool =
        size_of::<F>() <= size_of::<Words>() && align_of::<F>() <= align_of::<Words>();
}

impl Callback {
    pub(crate) fn new<F: FnOnce() + 'static>(closure: F) -> Callback {
        if VtableOf::<F>::FITS {
            Callback::holding(closure)
        } else {
            Callback::holding(Box::new(closure))
        }
    }

    fn holding<F: FnOnce() + 'static>(closure: F) -> Callback {
        assert!(VtableOf::<F>::FITS);
        let mut words = Words::uninit();
        // SAFETY: it fits, by the assertion.
        unsafe { words.as_mut_ptr().cast::<F>().write(closure) };
        Callback { closure: words, vtable: VtableOf::<F>::VTABLE, _closure: PhantomData }
    }

    pub(crate) fn call(self) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `holding` has put a closure there of the type whose table this is. It is moved out, and what is left is
        // not dropped, not even when the closure panics.
        unsafe { (this.vtable.call)(&raw mut this.closure) }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // SAFETY: the closure is there, of the type whose table this is: `call`, which moves it out, leaves nothing to
        // be dropped.
        unsafe { (self.vtable.drop)(&raw mut self.closure) }
    }
}

/// # Safety
///
/// A closure of this type lies in the words, and nobody uses them afterwards.
unsafe fn call<F: FnOnce()>(words: *mut Words) {
    // SAFETY: the caller's promise.
    let closure = unsafe { words.cast::<F>().read() };
    closure();
}

/// # Safety
///
/// A closure of this type lies in the words, and nobody uses them afterwards.
unsafe fn drop_in_place<F>(words: *mut Words) {
    // SAFETY: the caller's promise.
    unsafe { words.cast::<F>().drop_in_place() };
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
        let closure = move || drop((held, word));
        fn fits<F: FnOnce() + 'static>(_: &F) -> bool {
            VtableOf::<F>::FITS
        }
        assert!(fits(&closure));
        assert_eq!(size_of::<Callback>(), 3 * size_of::<usize>());
        assert_eq!(size_of::<Option<Callback>>(), size_of::<Callback>());
    }
}
