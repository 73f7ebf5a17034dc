//! Cases that need the process for themselves, one after the other: they close descriptors behind
//! backs, use all that there are, send signals, or look at descriptor numbers.
//!
//! As in the core cases, each is a claim, tried on every backend that opens here, or on the one that
//! `INTERLOOP_BACKEND` names, and its comment gives the number of the behaviour that it keeps.
#![cfg(unix)]

mod descriptors;
mod duplicates;
#[cfg(feature = "net")]
mod network;
#[allow(dead_code)]
#[path = "../core/pairs.rs"]
mod pairs;
#[cfg(feature = "process")]
mod processes;
mod signals;
#[cfg(feature = "signal")]
mod subscriptions;
mod timers;
#[allow(dead_code)]
#[path = "../core/world.rs"]
mod world;

use interloop::BackendKind;
use libtest_mimic::{Arguments, Trial};
use world::{World, everywhere};

type Case = (&'static str, fn(&World));

/// Names each function.
macro_rules! cases {
    ($($suite:ident :: $name:ident),* $(,)?) => {
        &[$((concat!(stringify!($suite), "::", stringify!($name)), $suite::$name)),*]
    };
}

const CASES: &[Case] = cases!(
    descriptors::one_that_was_closed_behind_our_back_is_invalid_once,
    descriptors::a_number_that_is_used_again_gets_no_event_of_the_past,
    descriptors::many_more_than_1024_are_watched_at_once,
    descriptors::accept_at_the_limit_recovers_when_descriptors_are_free,
    duplicates::a_source_whose_duplicate_stays_ready_is_lost_and_wakes_nobody,
    duplicates::a_source_that_goes_after_its_descriptor_wakes_nobody,
    duplicates::a_number_that_is_used_again_is_found_out_and_given_up,
    duplicates::all_others_go_on,
    duplicates::a_worker_does_not_inherit_what_cannot_be_deleted,
    duplicates::one_that_is_found_closed_at_the_change_of_a_drive_hears_so,
    duplicates::a_host_that_keeps_hold_of_the_descriptor_hears_on,
    duplicates::at_the_limit_of_descriptors_nothing_else_is_lost,
    signals::a_storm_of_signals_loses_nothing_and_hurries_nothing,
);

#[cfg(feature = "net")]
const NETWORK: &[Case] = cases!(
    duplicates::an_object_of_edges_that_goes_after_its_descriptor_wakes_nobody,
    network::a_task_that_accepts_at_the_limit_recovers,
    network::a_callback_is_refused_after_ever_longer_pauses,
    network::a_callback_hears_of_a_lost_listener_and_no_more,
    network::an_object_that_was_closed_behind_our_back_is_an_error,
    network::cancelled_connects_leave_no_descriptor,
    network::a_lost_race_of_addresses_leaves_no_descriptor,
    network::a_thousand_look_ups_take_few_threads,
    network::idle_threads_of_the_pool_end,
    signals::a_write_that_nobody_reads_raises_no_signal,
);
#[cfg(not(feature = "net"))]
const NETWORK: &[Case] = &[];

#[cfg(feature = "process")]
const PROCESSES: &[Case] = cases!(
    processes::a_hundred_megabytes_come_through_a_pipe,
    processes::children_leave_no_descriptor,
    processes::with_sigchld_ignored_the_status_is_lost_and_said_so,
);
#[cfg(not(feature = "process"))]
const PROCESSES: &[Case] = &[];

#[cfg(feature = "signal")]
const SUBSCRIPTIONS: &[Case] = cases!(
    subscriptions::a_signal_is_heard,
    subscriptions::of_ten_thousand_signals_one_is_heard_after_the_last,
    subscriptions::the_hosts_action_is_put_back,
    subscriptions::the_hosts_handler_is_called_all_the_same,
    subscriptions::an_action_that_came_meanwhile_is_left_alone,
    subscriptions::two_reactors_hear_the_same_signal,
    subscriptions::a_dropped_stream_hears_nothing_and_leaves_no_descriptor,
    subscriptions::a_signal_that_comes_while_the_stream_is_dropped_raises_no_other,
    subscriptions::a_signal_that_cannot_be_heard_is_refused_and_nothing_taken,
    subscriptions::the_shutdown_ends_the_stream,
    subscriptions::a_callback_hears_until_it_has_heard_enough,
);
#[cfg(not(feature = "signal"))]
const SUBSCRIPTIONS: &[Case] = &[];

/// Cases in which no backend has a part.
const ONCE: &[Case] = cases!(timers::a_million_timers_all_run);

fn main() {
    let mut trials = Vec::new();
    for world in everywhere() {
        let World { backend, drive } = world;
        let once = if trials.is_empty() { ONCE } else { &[] };
        let optional = NETWORK.iter().chain(PROCESSES).chain(SUBSCRIPTIONS);
        // libkqueue follows a number that was closed with its duplicate open, and crashes (docs/backends.md).
        let crashes = backend == BackendKind::Kqueue && cfg!(target_os = "linux");
        for (name, case) in CASES.iter().chain(optional).chain(once) {
            if crashes && name.starts_with("duplicates::") {
                println!("{backend}, {}: {name}: skipped: libkqueue crashes", drive.name());
                continue;
            }
            let name = format!("{backend}::{}::{name}", drive.name());
            trials.push(Trial::test(name, move || {
                case(&world);
                Ok(())
            }));
        }
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials).exit();
}
