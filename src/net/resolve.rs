//! Looking names up.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;

use super::{Context, LocalBoxFuture, Target, ToTarget, lookups};
use crate::core::Core;
use crate::handle::Handle;
use crate::shutdown::Stage;

/// What looks names up, for [`Handle::set_resolver`].
pub trait Resolve {
    /// The addresses of `host`, with `port`, in the order of preference. The future runs on the host
    /// thread, and is dropped when nobody wants the answer any more.
    fn resolve(&self, host: &str, port: u16) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>>;
}

/// The look-up of the operating system (`getaddrinfo`), on the thread pool: 16 at a time in the whole
/// process, in the order in which they were asked for.
///
/// One that nobody waits for any more does not begin; one that runs already goes on to its end,
/// unheard. The shutdown of the reactor does not wait for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>> {
        let host = host.to_owned();
        Box::pin(lookups::in_line(move || {
            let addresses = (host.as_str(), port).to_socket_addrs().map_err(not_found)?;
            let mut all: Vec<SocketAddr> = Vec::new();
            for address in addresses {
                if !all.contains(&address) {
                    all.push(address);
                }
            }
            Ok(all)
        }))
    }
}

/// The errors of `getaddrinfo` have no kind of their own: the name was not found, for good or for
/// now, which the message says. One that has a number is the system's.
fn not_found(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        None => io::Error::new(io::ErrorKind::NotFound, error),
        Some(_) => error,
    }
}

impl Handle {
    /// Replaces what looks names up for this reactor, which is [`SystemResolver`] at first. It may hold a handle of
    /// this reactor: it is dropped when that has stopped.
    pub fn set_resolver(&self, resolver: impl Resolve + 'static) {
        let core = self.core();
        if core.shutdown.stage() != Stage::Over {
            let old = core.resolver.replace(Rc::new(resolver));
            drop(old);
        }
    }
}

impl Core {
    /// The reactor ends, and nobody looks a name up any more.
    pub(crate) fn drop_resolver(&self) {
        let last = self.resolver.replace(Rc::new(SystemResolver));
        self.end_each([last], drop);
    }
}

/// The addresses of a target: those of its name, in the resolver's order, or those that it has.
///
/// # Errors
///
/// `InvalidInput` for a target that is none; what the resolver said, with the name: `NotFound` when it
/// has no address, or cannot be looked up now. For a name, `NotConnected` once the reactor has closed its
/// sources, and `Unsupported` in a forked child.
///
/// # Cancel safety
///
/// Dropping the future gives the look-up up.
pub fn lookup<A: ToTarget>(
    handle: &Handle,
    target: A,
) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>> {
    let target = target.to_target();
    let core = Rc::clone(handle.core());
    Box::pin(async move {
        let looked_up = match target {
            Ok(Target::Addresses(addresses)) => return Ok(addresses),
            Ok(Target::Name { host, port }) => by_name(&core, &host, port).await,
            Err(error) => Err(error),
        };
        if looked_up.is_err() {
            core.credit().await;
        }
        looked_up
    })
}

async fn by_name(core: &Core, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    core.check_open()?;
    let resolver = Rc::clone(&core.resolver.borrow());
    let explain = |error| Context::add(format_args!("look up {host}"), error);
    let addresses = resolver.resolve(host, port).await.map_err(explain)?;
    if addresses.is_empty() {
        return Err(explain(io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
    }
    Ok(addresses)
}
