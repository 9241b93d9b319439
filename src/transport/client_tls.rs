use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tracing::warn;

use super::{TlsError, add_authorities};

/// TLS to a server, such as an upstream, whose certificate the system's authorities vouch for, or those of a file.
///
/// # Errors
/// When the file cannot be used.
pub fn client_config(authorities: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    // The file of `SSL_CERT_FILE` or those of the system; a bare container has none.
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = authorities {
        add_authorities(&mut roots, path)?;
    }
    if roots.is_empty() {
        warn!(
            "the system has no certificates of authorities: SSL_CERT_FILE names others, for an upstream --upstream-ca"
        );
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    // The client speaks it alone, and a WebSocket begins with it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
