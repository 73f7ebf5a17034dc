//! Where to connect to: addresses, or a name that has to be looked up.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Where to connect to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// These addresses, in the order of preference.
    Addresses(Vec<SocketAddr>),
    /// A host by its name.
    Name {
        /// The name, without a port.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Target {
    /// A host and a port; a host that is an address, in brackets or not, is not looked up.
    pub fn host(host: &str, port: u16) -> Target {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => Target::Addresses(vec![SocketAddr::new(address, port)]),
            Err(_) => Target::Name { host: host.to_owned(), port },
        }
    }

    /// The addresses of a target that needs no look-up; `localhost` is the loopback.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for any other name.
    pub(crate) fn addresses(self) -> io::Result<Vec<SocketAddr>> {
        match self {
            Target::Addresses(addresses) if !addresses.is_empty() => Ok(addresses),
            Target::Addresses(_) => Err(invalid("no address was given".to_owned())),
            Target::Name { host, port } if host.eq_ignore_ascii_case("localhost") => {
                let loopback: [IpAddr; 2] =
                    [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
                Ok(loopback.map(|address| SocketAddr::new(address, port)).into())
            }
            Target::Name { host, .. } => Err(invalid(format!(
                "{host:?} is a name, and an address is needed here: look it up first \
                 (interloop::net::lookup)"
            ))),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Name { host, port } => write!(f, "{host}:{port}"),
            Target::Addresses(addresses) => {
                for (index, address) in addresses.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{address}")?;
                }
                Ok(())
            }
        }
    }
}

/// What names a [`Target`]: an address, several, a host and a port, or `"host:port"`.
pub trait ToTarget {
    /// The target.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a text that is neither `host:port` nor an address with a port.
    fn to_target(&self) -> io::Result<Target>;
}

impl ToTarget for Target {
    fn to_target(&self) -> io::Result<Target> {
        Ok(self.clone())
    }
}

impl ToTarget for str {
    fn to_target(&self) -> io::Result<Target> {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Ok(Target::Addresses(vec![address]));
        }
        let wrong = |what: &str| {
            invalid(format!("{self:?} {what}: an address is written host:port, [::1]:80 for IPv6"))
        };
        let (host, port) = self.rsplit_once(':').ok_or_else(|| wrong("has no port"))?;
        let port = port.parse().map_err(|_| wrong("has no port that is a number up to 65535"))?;
        if host.is_empty() {
            return Err(wrong("has no host"));
        }
        if host.contains([':', '[', ']', '/', ' ']) {
            return Err(wrong("is no host and port"));
        }
        Ok(Target::host(host, port))
    }
}

impl ToTarget for String {
    fn to_target(&self) -> io::Result<Target> {
        self.as_str().to_target()
    }
}

impl ToTarget for (&str, u16) {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::host(self.0, self.1))
    }
}

impl ToTarget for (String, u16) {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::host(&self.0, self.1))
    }
}

impl ToTarget for (IpAddr, u16) {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(vec![SocketAddr::from(*self)]))
    }
}

impl ToTarget for (Ipv4Addr, u16) {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(vec![SocketAddr::from(*self)]))
    }
}

impl ToTarget for (Ipv6Addr, u16) {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(vec![SocketAddr::from(*self)]))
    }
}

impl ToTarget for SocketAddr {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(vec![*self]))
    }
}

impl ToTarget for SocketAddrV4 {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(vec![(*self).into()]))
    }
}

impl ToTarget for SocketAddrV6 {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(vec![(*self).into()]))
    }
}

impl ToTarget for [SocketAddr] {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(self.to_vec()))
    }
}

impl ToTarget for Vec<SocketAddr> {
    fn to_target(&self) -> io::Result<Target> {
        Ok(Target::Addresses(self.clone()))
    }
}

impl<T: ToTarget + ?Sized> ToTarget for &T {
    fn to_target(&self) -> io::Result<Target> {
        (**self).to_target()
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_targets() {
        let name = |host: &str, port| Target::Name { host: host.to_owned(), port };
        let address = |text: &str| Target::Addresses(vec![text.parse().unwrap()]);
        assert_eq!("example.com:80".to_target().unwrap(), name("example.com", 80));
        assert_eq!("127.0.0.1:80".to_target().unwrap(), address("127.0.0.1:80"));
        assert_eq!("[::1]:80".to_target().unwrap(), address("[::1]:80"));
        assert_eq!(("::1", 80).to_target().unwrap(), address("[::1]:80"));
        assert_eq!(("[::1]", 80).to_target().unwrap(), address("[::1]:80"));
        assert_eq!((Ipv4Addr::LOCALHOST, 1).to_target().unwrap(), address("127.0.0.1:1"));
    }

    #[test]
    fn what_is_wrong_with_a_text_is_said() {
        for (text, what) in [
            ("example.com", "has no port"),
            ("example.com:http", "no port that is a number"),
            ("example.com:70000", "no port that is a number"),
            (":80", "has no host"),
            ("::1:80", "is no host and port"),
            ("http://example.com:80", "is no host and port"),
        ] {
            let error = text.to_target().unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[test]
    fn only_the_loopback_has_an_address_without_a_look_up() {
        assert_eq!("LocalHost:1".to_target().unwrap().addresses().unwrap().len(), 2);
        let error = "example.com:1".to_target().unwrap().addresses().unwrap_err();
        assert!(error.to_string().contains("\"example.com\" is a name"), "{error}");
    }
}
