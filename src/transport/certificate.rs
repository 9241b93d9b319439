use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use super::CertificateFacts;

/// A certificate or its private key cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no certificate or key in PEM.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: pem::Error,
    },
    /// Certificate and key do not match, or are of an unsupported kind.
    #[error("cannot use the certificate {path}: {source}")]
    Unusable {
        /// The file of the certificate.
        path: PathBuf,
        /// The cause.
        source: rustls::Error,
    },
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::other(error)
    }
}

/// The files of a certificate, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Whether a reload changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is something new.
    Changed,
    /// All is as it was.
    Unchanged,
}

/// The certificate that new connections are shown. Reloading it does not affect open connections.
///
/// The cryptography is ring's, not aws-lc-rs': it builds in a few seconds with a C compiler alone.
#[derive(Debug)]
pub struct Certificate {
    files: Mutex<CertificateFiles>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads a chain of certificates, the server's own first, and its private key, both in PEM.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn open(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let files = CertificateFiles { certificate, key };
        let current = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files: Mutex::new(files), current })
    }

    /// Reads the files again; new connections are shown the new certificate.
    ///
    /// # Errors
    /// When they cannot be used; then the certificate stays as it was.
    pub fn reload(&self) -> Result<Change, TlsError> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.reload_from(files)
    }

    /// Reads these files in place of the earlier ones.
    ///
    /// # Errors
    /// When they cannot be used; then the certificate stays as it was.
    pub fn reload_from(&self, files: CertificateFiles) -> Result<Change, TlsError> {
        let new = Arc::new(read(&files)?);
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let earlier = std::mem::replace(&mut *current, new);
        Ok(if earlier.cert == current.cert { Change::Unchanged } else { Change::Changed })
    }

    /// What the current certificate says of itself; `None` if it cannot be read.
    pub fn facts(&self) -> Option<CertificateFacts> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.cert.first().and_then(|certificate| CertificateFacts::of(certificate))
    }

    /// A configuration for TLS 1.2 and 1.3 that resolves this certificate at each handshake.
    pub fn server_config(self: Arc<Self>) -> ServerConfig {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has ciphers for both versions")
            .with_no_client_auth()
            .with_cert_resolver(self)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(CertificateFiles { certificate, key }: &CertificateFiles) -> Result<CertifiedKey, TlsError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Unreadable { path, source }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(certificate))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(unreadable(key))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|source| TlsError::Unusable { path: certificate.clone(), source })
}
