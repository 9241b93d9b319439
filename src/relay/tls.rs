use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tracing::warn;

use crate::transport::{TlsError, add_authorities};

/// TLS to an upstream, whose certificate the system's authorities vouch for, or those of a file.
pub(super) fn client_config(authorities: Option<&Path>) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    // The file of `SSL_CERT_FILE` or those of the system; a bare container has none.
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = authorities {
        add_authorities(&mut roots, path)?;
    }
    if roots.is_empty() {
        warn!("the system has no certificates of authorities: --upstream-ca names others");
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has ciphers for both versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    // A WebSocket begins with HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
