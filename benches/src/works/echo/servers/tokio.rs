//! tokio, on the current thread.

use std::io;

use tokio::runtime::Builder;

use super::streams::{echo_tokio, wait_tokio};
use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        for silent in scene.silent {
            tokio::spawn(wait_tokio(silent)?);
        }
        echo_tokio(scene.stream).await
    })
}
