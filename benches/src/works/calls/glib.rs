//! GLib's own ways from another thread to the main loop's.

use std::io;

use async_channel::unbounded;
use glib::{MainContext, MainLoop};

use super::scene::{Boxed, Caller, Scene};
use crate::compare::Figure;

/// `MainContext::invoke`: a source for each call.
#[derive(Clone)]
struct Invoke(MainContext);

impl Caller for Invoke {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        self.0.invoke(call);
    }
}

pub(super) fn invoke(scene: Scene) -> io::Result<Vec<Figure>> {
    host(scene, Invoke(MainContext::default()))
}

/// `glib::idle_add_once`, which comes after all that is ready.
#[derive(Clone)]
struct IdleAdd;

impl Caller for IdleAdd {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        glib::idle_add_once(call);
    }
}

pub(super) fn idle_add(scene: Scene) -> io::Result<Vec<Figure>> {
    host(scene, IdleAdd)
}

/// What gtk-rs recommends since it has no channel of its own: an async channel, read by a task.
pub(super) fn channel(scene: Scene) -> io::Result<Vec<Figure>> {
    let (sender, calls) = unbounded::<Boxed>();
    MainContext::default().spawn_local(async move {
        while let Ok(call) = calls.recv().await {
            call();
        }
    });
    host(scene, sender)
}

fn host(scene: Scene, caller: impl Caller) -> io::Result<Vec<Figure>> {
    let context = MainContext::default();
    let _owned = context.acquire().map_err(io::Error::other)?;
    let main_loop = MainLoop::new(Some(&context), false);
    let quit = main_loop.clone();
    let calling = scene.start(caller, move || quit.quit())?;
    main_loop.run();
    calling.figures()
}
