use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;
use tracing::warn;

/// The certificates that an upstream is checked against cannot be used.
#[derive(Debug, Error)]
pub enum UpstreamTlsError {
    /// The file cannot be read, or holds no certificate in PEM.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: pem::Error,
    },
    /// A certificate is no authority's.
    #[error("cannot use a certificate of {path}: {source}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rustls::Error,
    },
}

/// TLS to an upstream, whose certificate the system's authorities vouch for, or those of a file.
pub(super) fn client_config(authorities: Option<&Path>) -> Result<ClientConfig, UpstreamTlsError> {
    let mut roots = RootCertStore::empty();
    // The file of `SSL_CERT_FILE` or those of the system; a bare container has none.
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = authorities {
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|source| UpstreamTlsError::Unreadable { path: path.to_owned(), source })?;
        for certificate in certificates {
            let added = roots.add(certificate);
            added.map_err(|source| UpstreamTlsError::Unusable { path: path.to_owned(), source })?;
        }
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
