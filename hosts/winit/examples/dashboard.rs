//! A dashboard with egui: live traffic, and what the reactor that carries it counts of itself.
//! `cargo run -p interloop-winit --example dashboard`
//!
//! The server, its clients and the window live on one thread, on winit's event loop. eframe makes an application
//! for that loop (`create_native`), and `Host` is put round it.

#[path = "dashboard/options.rs"]
mod options;
#[path = "dashboard/plots.rs"]
mod plots;
#[path = "dashboard/state.rs"]
mod state;
#[path = "dashboard/view.rs"]
mod view;

use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

use eframe::UserEvent;
use eframe::egui::{ViewportBuilder, ViewportId};
use interloop::Reactor;
use interloop_demos::traffic::Load;
use interloop_winit::{Host, attach};
use winit::event_loop::EventLoop;

use state::State;
use view::Dashboard;

fn main() -> ExitCode {
    let load = match options::from_command_line() {
        Ok(load) => load,
        Err(exit) => return exit,
    };
    match run(load) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dashboard: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(load: Load) -> Result<(), Box<dyn Error>> {
    let event_loop = EventLoop::<UserEvent>::with_user_event().build();
    let event_loop = event_loop.map_err(|error| format!("is there a display? {error}"))?;
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor, event_loop.create_proxy(), nothing_to_eframe)?;
    let state = State::start(&reactor, load)?;
    let shown = state.clone();
    let options = eframe::NativeOptions {
        viewport: ViewportBuilder::default().with_inner_size([1_120.0, 700.0]),
        ..Default::default()
    };
    let create = move |context: &eframe::CreationContext<'_>| {
        Ok(Box::new(Dashboard::new(&context.egui_ctx, shown)) as Box<dyn eframe::App>)
    };
    let app = eframe::create_native("dashboard", options, Box::new(create), &event_loop);
    event_loop.run_app(&mut Host(app))?;
    state.tell_the_end();
    // eframe logs why it could not open its window, and ends the loop.
    if state.was_shown() { Ok(()) } else { Err("eframe has opened no window".into()) }
}

/// An event of eframe's that asks for nothing: a repaint, but only after a frame that will never come.
fn nothing_to_eframe() -> UserEvent {
    UserEvent::RequestRepaint {
        viewport_id: ViewportId::ROOT,
        when: Instant::now(),
        // eframe adds one to it.
        cumulative_pass_nr: u64::MAX - 1,
    }
}
