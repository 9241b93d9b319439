use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use super::TlsError;

/// Adds the certificates of authorities in a file, in PEM.
///
/// # Errors
/// When the file cannot be read, or there is no certificate in it that can be an authority's.
pub fn add_authorities(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(unreadable(pem::Error::NoItemsFound));
    }
    for certificate in certificates {
        let added = roots.add(certificate);
        added.map_err(|source| TlsError::Unusable { path: path.to_owned(), source })?;
    }
    Ok(())
}
