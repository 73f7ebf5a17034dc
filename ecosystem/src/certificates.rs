//! Certificates that live as long as a test.

use std::sync::Arc;

use futures_rustls::rustls::crypto::{CryptoProvider, ring};
use futures_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use futures_rustls::{TlsAcceptor, TlsConnector};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// An authority, and a certificate of it for `localhost` and 127.0.0.1.
#[derive(Clone)]
pub struct Authority {
    root: CertificateDer<'static>,
    server: Arc<ServerConfig>,
}

impl Authority {
    /// Makes a new one.
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names = ["localhost", "127.0.0.1"].map(String::from);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], secret)
            .unwrap();
        Authority { root: issuer.der().clone(), server: Arc::new(server) }
    }

    /// Its own certificate, which a client trusts.
    pub fn root(&self) -> &CertificateDer<'static> {
        &self.root
    }

    /// The server's side.
    pub fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.server).into()
    }

    /// The side of a client that trusts this authority and no other.
    pub fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config).into()
    }
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
