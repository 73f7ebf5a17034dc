//! hyper in GLib's main loop: on interloop, and as it is done today.

use std::io;
use std::net::{self, SocketAddr};
use std::rc::Rc;

use ::glib::{ControlFlow, MainContext, MainLoop};
use ::tokio::net::TcpListener;
use ::tokio::runtime::{Builder, Runtime};
use ::tokio::sync::oneshot;
use async_io::Async;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use interloop_glib::{Attach, Drive};
use smol_hyper::rt::FuturesIo;

use super::frames::PERIOD;
use super::hyper_side::{listen, serve, serve_with, visit};
use super::{Client, Frames, Load, figures, ours};
use crate::compare::Figure;

pub(super) fn worker(load: Load) -> io::Result<Vec<Figure>> {
    interloop(load, Drive::Worker)
}

pub(super) fn embedded(load: Load) -> io::Result<Vec<Figure>> {
    interloop(load, Drive::Embedded)
}

/// The host: a main loop with a timer.
struct Host {
    main_loop: MainLoop,
    frames: Rc<Frames>,
}

impl Host {
    fn new() -> Host {
        Host { main_loop: MainLoop::new(None, false), frames: Rc::new(Frames::new()) }
    }

    /// Starts the client, which quits the loop.
    fn client(&self, address: SocketAddr, load: Load) -> io::Result<Client> {
        let quitting = self.main_loop.clone();
        Client::start(address, load, move || quitting.quit())
    }

    /// Runs the loop until somebody quits it.
    fn run(&self, client: Client) -> io::Result<Vec<Figure>> {
        let frames = Rc::clone(&self.frames);
        let timer = ::glib::timeout_add_local(PERIOD, move || {
            frames.frame();
            ControlFlow::Continue
        });
        self.main_loop.run();
        timer.remove();
        Ok(figures(&client.outcome()?, Some(&self.frames)))
    }
}

fn interloop(load: Load, drive: Drive) -> io::Result<Vec<Figure>> {
    let host = Host::new();
    let (reactor, client) = ours::start(load)?;
    // It quits the loop when the client has stopped the reactor.
    let _attached = Attach::new().drive(drive).main_loop(&host.main_loop).to(&reactor)?;
    host.run(client)
}

/// hyper on tokio's threads; the handler asks the thread of the widgets, and waits for its answer.
/// The runtime and the channel, which has room for one, are those of the book of gtk-rs.
pub(super) fn tokio_channels(load: Load) -> io::Result<Vec<Figure>> {
    let host = Host::new();
    let (listener, address) = listen()?;
    let (ask, asked) = async_channel::bounded::<oneshot::Sender<Bytes>>(1);
    MainContext::default().spawn_local(async move {
        while let Ok(answer) = asked.recv().await {
            // Who has asked may be gone.
            let _gone = answer.send(visit());
        }
    });
    let (quit, quitting) = oneshot::channel::<()>();
    let runtime = Runtime::new()?;
    let accepting = runtime.spawn(async {
        ::tokio::select! {
            failed = accept_and_ask(listener, ask) => failed,
            _done = quitting => Ok(()),
        }
    });
    let client = host.client(address, load)?;
    let figures = host.run(client)?;
    drop(quit);
    runtime.block_on(accepting).map_err(io::Error::other)??;
    Ok(figures)
}

async fn accept_and_ask(
    listener: net::TcpListener,
    ask: async_channel::Sender<oneshot::Sender<Bytes>>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let ask = ask.clone();
        ::tokio::spawn(serve_with(TokioIo::new(stream), move || {
            let ask = ask.clone();
            async move {
                let (answer, answered) = oneshot::channel();
                ask.send(answer).await.expect("the host waits for it");
                answered.await.expect("the host answers")
            }
        }));
    }
}

/// tokio's sockets, whose runtime waits on a thread of its own, in futures that GLib polls.
pub(super) fn tokio_local(load: Load) -> io::Result<Vec<Figure>> {
    let host = Host::new();
    let (listener, address) = listen()?;
    let runtime: Runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
    let _entered = runtime.enter();
    let listener = TcpListener::from_std(listener)?;
    MainContext::default().spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("it is a socket of TCP's");
            MainContext::default().spawn_local(serve(TokioIo::new(stream)));
        }
    });
    let client = host.client(address, load)?;
    host.run(client)
}

/// The sockets of async-io, which waits on a thread of its own, in futures that GLib polls.
pub(super) fn async_io(load: Load) -> io::Result<Vec<Figure>> {
    let host = Host::new();
    let (listener, address) = listen()?;
    let listener = Async::new_nonblocking(listener)?;
    MainContext::default().spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.get_ref().set_nodelay(true).expect("it is a socket of TCP's");
            MainContext::default().spawn_local(serve(FuturesIo::new(stream)));
        }
    });
    let client = host.client(address, load)?;
    host.run(client)
}
