//! Looking names up.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use super::{Context, LocalBoxFuture, Target, ToTarget, lookups};
use crate::reactor::Handle;

/// What looks names up, for [`Handle::set_resolver`].
pub trait Resolve {
    /// The addresses of `host`, in the order of preference. The future runs on the host thread, and
    /// is dropped when nobody wants the answer any more.
    fn resolve(&self, host: &str) -> LocalBoxFuture<io::Result<Vec<IpAddr>>>;
}

/// The look-up of the operating system (`getaddrinfo`), on the thread pool: a few at a time, in the
/// order in which they were asked for.
///
/// One that nobody waits for any more does not begin; one that runs already goes on to its end,
/// unheard. The shutdown of the reactor does not wait for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> LocalBoxFuture<io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            let permit = lookups::permit().await;
            blocking::unblock(move || {
                let _permit = permit;
                let addresses = (host.as_str(), 0).to_socket_addrs().map_err(not_found)?;
                let mut addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
                let mut seen = Vec::new();
                addresses.retain(|address| {
                    let new = !seen.contains(address);
                    seen.push(*address);
                    new
                });
                Ok(addresses)
            })
            .await
        })
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
    /// Replaces what looks names up for this reactor, which is [`SystemResolver`] at first.
    pub fn set_resolver(&self, resolver: impl Resolve + 'static) {
        let old = self.core().resolver.replace(std::rc::Rc::new(resolver));
        drop(old);
    }
}

/// The addresses of a target: those of its name, in the resolver's order, or those that it has.
///
/// # Errors
///
/// `InvalidInput` for a target that is none; what the resolver said, with the name: `NotFound` when it
/// has no address, or cannot be looked up now.
///
/// # Cancel safety
///
/// Dropping the future gives the look-up up.
pub fn lookup<A: ToTarget>(
    handle: &Handle,
    target: A,
) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>> {
    let target = target.to_target();
    let resolver = std::rc::Rc::clone(&handle.core().resolver.borrow());
    Box::pin(async move {
        let (host, port) = match target? {
            Target::Addresses(addresses) => return Ok(addresses),
            Target::Name { host, port } => (host, port),
        };
        let what = format_args!("look up {host}").to_string();
        let addresses =
            resolver.resolve(&host).await.map_err(|error| Context::add(&what, error))?;
        if addresses.is_empty() {
            let error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
            return Err(Context::add(&what, error));
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    })
}
