//! Whom to trust.

use std::path::Path;
use std::sync::Arc;

use futures_rustls::TlsConnector;
use futures_rustls::pki_types::CertificateDer;
use futures_rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use interloop::Handle;

use crate::Result;

/// What makes connections safe: with the certificates in `ca`, or those that the system trusts. They
/// are read on the thread pool.
pub async fn connector(handle: &Handle, ca: Option<&Path>) -> Result<TlsConnector> {
    let ca = ca.map(Path::to_owned);
    let roots = handle.unblock(move || match ca {
        Some(ca) => own_roots(&ca),
        None => system_roots(),
    });
    let roots = roots.label("certificates").await?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn own_roots(ca: &Path) -> Result<RootCertStore> {
    let explain = |error: &dyn std::fmt::Display| format!("--ca {}: {error}", ca.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|error| explain(&error))? {
        let certificate = certificate.map_err(|error| explain(&error))?;
        roots.add(certificate).map_err(|error| explain(&error))?;
    }
    if roots.is_empty() { Err(explain(&"there is no certificate in it")) } else { Ok(roots) }
}

fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry certificates that rustls does not take; the others do.
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let why = found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
    Err(format!("the system's trusted certificates: {why}; give a file of your own with --ca"))
}
