//! Qt: `QMetaObject::invokeMethod` of a functor, by a queued connection.

use std::io;

use super::scene::{Caller, Scene};
use crate::compare::Figure;
use crate::systems::qt::{Application, Object};

impl Caller for Object {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        self.invoke(call);
    }
}

pub(super) fn host(scene: Scene) -> io::Result<Vec<Figure>> {
    // Other threads know it.
    let application: &Application = Box::leak(Box::new(Application::new()));
    let object = Object::new(application);
    let quit = object.clone();
    let calling = scene.start(object, move || quit.invoke(Application::quit))?;
    application.exec();
    calling.figures()
}
