//! hyper on tokio: without a host, on the current thread.

use std::io;

use ::tokio::net::TcpListener;
use ::tokio::runtime::Builder;
use ::tokio::sync::oneshot;
use hyper_util::rt::TokioIo;

use super::hyper_side::{listen, serve};
use super::{Client, Load, figures};
use crate::compare::Figure;

/// The reference: one thread, which is tokio's.
pub(super) fn alone(load: Load) -> io::Result<Vec<Figure>> {
    let (listener, address) = listen()?;
    let (quit, quitting) = oneshot::channel::<()>();
    let client = Client::start(address, load, move || drop(quit))?;
    Builder::new_current_thread().enable_io().build()?.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let serving = async move {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                ::tokio::spawn(serve(TokioIo::new(stream)));
            }
        };
        ::tokio::select! {
            failed = serving => failed,
            _done = quitting => io::Result::Ok(()),
        }
    })?;
    Ok(figures(&client.outcome()?, None))
}
