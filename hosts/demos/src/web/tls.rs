//! Whom to trust.

use std::sync::Arc;

use futures_rustls::TlsConnector;
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use interloop::Handle;

/// What makes connections safe, with the certificates that the system trusts, or those in the file that
/// `SSL_CERT_FILE` names. They are read on the thread pool.
///
/// # Errors
///
/// Why there are none.
pub(super) async fn connector(handle: &Handle) -> Result<TlsConnector, String> {
    let roots = handle.unblock(roots).label("certificates").await?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry certificates that rustls does not take; the others do.
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let why = found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
    Err(format!(
        "the trusted certificates: {why}; install ca-certificates, or name a file of your own in \
         SSL_CERT_FILE"
    ))
}
