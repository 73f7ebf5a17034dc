//! Timers by the million.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::pairs::script_on;
use crate::world::{LIMIT, World};

/// Point 4: a third cancelled, a third reset, in no order.
pub fn a_million_timers_all_run(world: &World) {
    const COUNT: u32 = 1_000_000;
    let reactor = world.reactor();
    let ran = Rc::new(Cell::new(0_u32));
    let base = Instant::now();
    let mut timers = Vec::new();
    for number in 0..COUNT {
        let micros = number.wrapping_mul(2_654_435_761) % 1_000_000;
        let at = base + Duration::from_micros(micros.into());
        let ran = Rc::clone(&ran);
        let timer = reactor.at(at + LIMIT, move || ran.set(ran.get() + 1));
        if number % 3 != 0 {
            assert!(timer.reset_at(at));
            timers.push(timer);
        }
    }
    script_on(&reactor, world, |reactor| {
        let reactor = reactor.handle();
        async move {
            while (ran.get() as usize) < timers.len() {
                reactor.sleep(Duration::from_millis(1)).await;
            }
            reactor.sleep(Duration::from_millis(1)).await;
            assert_eq!((ran.get() as usize, timers.len()), (666_666, 666_666));
            assert!(timers.iter().all(|timer| !timer.is_pending()));
        }
    });
}
