//! The cache against a model of it: random waits and events wake those who wait, and nobody else.

use std::cell::RefCell;
use std::task::Waker;

use interloop_backends::{Interest, Readiness};

use super::tests::{READ, waker};
use super::{Cache, Name, Names, Replaced};

/// Who waits by name or without one, for which interest, and by which of the wakers.
type Model = Vec<(Name, Interest, usize)>;

/// Takes out of the model, as wakers, those whose wait an event ends.
fn hears(model: &mut Model, known: Interest) -> Vec<usize> {
    let (mut woken, left): (Model, Model) =
        model.drain(..).partition(|(_, interest, _)| interest.intersects(known));
    *model = left;
    woken.sort_by_key(|(.., waker)| *waker);
    woken.into_iter().map(|(.., waker)| waker).collect()
}

#[test]
fn each_event_wakes_those_who_wait_for_it_whoever_waited_before() {
    const INTERESTS: [(Interest, Readiness); 2] =
        [(READ, Readiness::READABLE), (Interest::WRITABLE, Readiness::WRITABLE)];
    // The first two are tasks of ours: their wakers may be kept.
    let wakers = [waker(), waker(), waker(), waker()];
    let of = |waker: &Waker| wakers.iter().position(|known| known.will_wake(waker)).unwrap();
    let mut random = 1_u32;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 16) as usize % below
    };
    for _ in 0..2_000 {
        let cache = Cache::new(true, Interest::NONE, READ);
        let given = Names::new();
        let names = [None, None, given.next(), given.next(), given.next()];
        let mut model = Model::new();
        for _ in 0..next(30) {
            let (interest, readiness) = INTERESTS[next(2)];
            let (name, who) = (names[next(5)], next(4));
            match next(4) {
                0 => {
                    drop(cache.unwait(name.or(names[2])));
                    model.retain(|(waits, ..)| *waits != name.or(names[2]));
                }
                1 => {
                    let woken = RefCell::new(Vec::new());
                    let wake = |waker: &Waker| {
                        let ours = of(waker) < 2;
                        woken.borrow_mut().extend(ours.then(|| of(waker)));
                        ours
                    };
                    let first = cache.ready(readiness, wake);
                    let others = std::iter::from_fn(|| cache.next_waker());
                    let all = first.into_iter().chain(others).map(|waker| of(&waker));
                    woken.borrow_mut().extend(all);
                    let mut woken = woken.into_inner();
                    woken.sort_unstable();
                    assert_eq!(woken, hears(&mut model, interest));
                    cache.forget(interest, cache.ticket(interest).unwrap());
                }
                _ => {
                    assert!(!matches!(
                        cache.wait(name, interest, &wakers[who]),
                        Replaced::Purged(_)
                    ));
                    model.retain(|(waits, ..)| name.is_none() || *waits != name);
                    if !model.contains(&(name, interest, who)) {
                        model.push((name, interest, who));
                    }
                }
            }
            assert_eq!(
                cache.waiting(),
                model.iter().fold(Interest::NONE, |all, (_, interest, _)| all | *interest)
            );
        }
        assert_eq!(cache.close().count(), model.len());
    }
}
