//! The conformance of the reactor: every case on every backend that opens here, and on every drive.
//!
//! A case is a claim; its comment gives the number of the behaviour that it keeps. With
//! `INTERLOOP_BACKEND` set, only that backend is tried.

mod arming;
#[cfg(feature = "net")]
mod cloning;
#[cfg(feature = "net")]
mod connecting;
#[cfg(feature = "net")]
mod datagrams;
mod delivery;
mod destructors;
#[cfg(feature = "net")]
mod dropped;
mod dropping;
mod embedding;
#[cfg(feature = "net")]
mod ends;
mod failing;
mod fairness;
mod finishing;
mod flooding;
mod forwarding;
mod futures;
mod hang_ups;
mod idling;
mod last_calls;
mod levels;
#[cfg(feature = "net")]
mod listeners;
mod load;
mod looks;
mod nested;
#[cfg(feature = "net")]
mod objects;
mod pairs;
mod panics;
mod periods;
mod phases;
#[cfg(feature = "net")]
mod pool;
#[cfg(feature = "process")]
mod processes;
mod racing;
#[cfg(feature = "net")]
mod regressions;
mod remote;
mod removal;
mod seeing;
mod several;
mod shutdown;
#[cfg(feature = "net")]
mod sockets;
mod sources;
#[cfg(feature = "net")]
mod streams;
mod swapping;
mod tasks;
mod threads;
mod ticks;
mod timers;
mod user_code;
mod waiters;
mod wakers;
mod wakes;
mod waking;
mod watched;
mod windows;
mod world;

use libtest_mimic::{Arguments, Trial};
use world::{DRIVES, Drive, World, everywhere};

/// A claim, and the code that tries it.
pub struct Case {
    name: &'static str,
    run: fn(&World),
    drives: &'static [Drive],
}

/// Makes a case of each function, named as it is. Those behind `interleaved:` are about a waker, and
/// are not tried where there is none: `cases!(on_every_drive; interleaved: with_a_waker)`. Those behind
/// `hosted:` are about a loop that is not the reactor's, those behind `embedded:` about one that watches
/// a descriptor: they are tried where there is one.
#[macro_export]
macro_rules! cases {
    (
        $($name:ident),* $(,)?
        $(; interleaved: $($only:ident),* $(,)?)?
        $(; hosted: $($hosted:ident),* $(,)?)?
        $(; embedded: $($embedded:ident),* $(,)?)?
    ) => {
        pub const CASES: &[$crate::Case] = &[
            $($crate::Case {
                name: stringify!($name),
                run: $name,
                drives: &$crate::world::DRIVES,
            },)*
            $($($crate::Case {
                name: stringify!($only),
                run: $only,
                drives: &[$crate::world::Drive::Interleaved],
            },)*)?
            $($($crate::Case {
                name: stringify!($hosted),
                run: $hosted,
                drives: &[$crate::world::Drive::Interleaved, $crate::world::Drive::Embed],
            },)*)?
            $($($crate::Case {
                name: stringify!($embedded),
                run: $embedded,
                drives: &[$crate::world::Drive::Embed],
            },)*)?
        ];
    };
}

const SUITES: &[(&str, &[Case])] = &[
    ("waking", waking::CASES),
    ("swapping", swapping::CASES),
    ("idling", idling::CASES),
    ("flooding", flooding::CASES),
    ("ticks", ticks::CASES),
    ("wakers", wakers::CASES),
    ("delivery", delivery::CASES),
    ("arming", arming::CASES),
    ("hang_ups", hang_ups::CASES),
    ("panics", panics::CASES),
    ("fairness", fairness::CASES),
    ("embedding", embedding::CASES),
    ("sources", sources::CASES),
    ("removal", removal::CASES),
    ("waiters", waiters::CASES),
    ("levels", levels::CASES),
    ("looks", looks::CASES),
    ("nested", nested::CASES),
    ("timers", timers::CASES),
    ("periods", periods::CASES),
    ("tasks", tasks::CASES),
    ("wakes", wakes::CASES),
    ("remote", remote::CASES),
    ("racing", racing::CASES),
    ("threads", threads::CASES),
    ("shutdown", shutdown::CASES),
    ("finishing", finishing::CASES),
    ("dropping", dropping::CASES),
    ("destructors", destructors::CASES),
    ("last_calls", last_calls::CASES),
    ("phases", phases::CASES),
    ("several", several::CASES),
    ("windows", windows::CASES),
    ("failing", failing::CASES),
    ("seeing", seeing::CASES),
    ("user_code", user_code::CASES),
    #[cfg(feature = "net")]
    ("cloning", cloning::CASES),
    #[cfg(feature = "process")]
    ("processes", processes::CASES),
];

/// Those whose cases are tasks: they are tried as the future of `block_on` too.
const AWAITED: &[(&str, &[Case])] = &[
    #[cfg(feature = "net")]
    ("streams", streams::CASES),
    #[cfg(feature = "net")]
    ("dropped", dropped::CASES),
    #[cfg(feature = "net")]
    ("listeners", listeners::CASES),
    #[cfg(feature = "net")]
    ("regressions", regressions::CASES),
    #[cfg(feature = "net")]
    ("ends", ends::CASES),
    #[cfg(feature = "net")]
    ("datagrams", datagrams::CASES),
    #[cfg(feature = "net")]
    ("connecting", connecting::CASES),
    #[cfg(feature = "net")]
    ("objects", objects::CASES),
    #[cfg(feature = "net")]
    ("pool", pool::CASES),
];

fn main() {
    let mut trials = Vec::new();
    for world in everywhere() {
        for (suite, cases) in SUITES.iter().chain(AWAITED) {
            let cases = cases.iter().filter(|case| case.drives.contains(&world.drive));
            trials.extend(cases.map(|case| trial(suite, case, world)));
        }
        if world.drive == Drive::Run {
            let world = World { drive: Drive::BlockOn, ..world };
            for (suite, cases) in AWAITED {
                let cases = cases.iter().filter(|case| case.drives == DRIVES);
                trials.extend(cases.map(|case| trial(suite, case, world)));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(suite: &str, case: &Case, world: World) -> Trial {
    let name = format!("{}::{}::{suite}::{}", world.backend, world.drive.name(), case.name);
    let run = case.run;
    Trial::test(name, move || {
        run(&world);
        Ok(())
    })
}
