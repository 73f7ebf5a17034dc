//! `Remote::call`.

use std::io;

use interloop::Remote;

use super::scene::{Caller, Scene};
use crate::compare::Figure;
use crate::systems::ours::Ours;

impl Caller for Remote {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        // One that is refused is missed at the end.
        let _refused = Remote::call(self, call);
    }
}

pub(super) fn host(system: &str, scene: Scene) -> io::Result<Vec<Figure>> {
    let calling = Ours::named(system)?.run(|reactor| {
        let remote = reactor.remote();
        scene.start(reactor.remote(), move || remote.stop())
    })?;
    calling.figures()
}
