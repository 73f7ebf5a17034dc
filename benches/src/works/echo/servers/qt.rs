//! Qt: a QSocketNotifier for each descriptor.

use std::io;

use crate::systems::qt::{Application, Notifier};
use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let application = Application::new();
    let never = || unreachable!("nobody writes to it");
    let silent = scene.silent.iter().map(|silent| Notifier::new(&application, silent, never));
    let _silent: Vec<_> = silent.collect();
    let _echo = Notifier::new(&application, &scene.stream, || {
        // The client knows best whether all has come back.
        if !matches!(scene.stream.pass_on(), Ok(true)) {
            Application::quit();
        }
    });
    application.exec();
    Ok(())
}
