//! Qt: a QSocketNotifier for each descriptor, which is level-triggered.

use std::io;

use super::{Kind, Scene};
use crate::systems::qt::{Application, Notifier};
use crate::works::fan::bell::Bell;

pub(super) fn serve(_kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let application = Application::new();
    let watch = |bell| {
        let tally = &tally;
        let heard = move || {
            Bell::hear(bell).expect("it has rung");
            if tally.count() {
                Application::quit();
            }
        };
        Notifier::new(&application, bell, heard)
    };
    let _bells: Vec<_> = bells.iter().map(watch).collect();
    let _gate = Notifier::new(&application, &gate, || {
        gate.hear().expect("it has rung");
        tally.hold();
    });
    application.exec();
    Ok(())
}
