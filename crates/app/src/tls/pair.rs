//! A certificate and its key, read from their files.

use super::Error;
use crate::deployment::file::read_secret;
use config::{CertificateFiles, PublicUrl};
use domain::Instant;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, Error as TlsError, RootCertStore};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A certificate that expires sooner than this is announced.
const SOON: chrono::Duration = chrono::Duration::days(14);

/// A certificate with its intermediate ones, and the key that belongs to it.
pub struct Pair {
    path: PathBuf,
    key: CertifiedKey,
}

impl Pair {
    /// Reads the files. Fails if one of them cannot be read or used, if they do not belong together,
    /// or if clients refuse the certificate at this time.
    pub fn read(files: &CertificateFiles, now: Instant) -> Result<Self, Error> {
        let (cert, key) = (files.cert.display(), files.key.display());
        let chain = read_chain(&files.cert)?;
        let key_text = read_secret(&files.key)
            .map_err(|error| Error(error.to_string()))?
            .ok_or_else(|| {
                Error(format!(
                    "{key} does not exist. Correct `key` of server.tls."
                ))
            })?;
        let private = PrivateKeyDer::from_pem_slice(key_text.as_bytes()).map_err(|_| {
            Error(format!(
                "{key} has no private key in PEM format without a password (-----BEGIN PRIVATE \
                 KEY-----). Correct `key` of server.tls."
            ))
        })?;
        let certified = CertifiedKey::from_der(chain, private, &default_provider());
        let certified = certified.map_err(|error| match error {
            TlsError::InconsistentKeys(_) => Error(format!(
                "{key} is not the key of the certificate {cert}. Name the two files that were made \
                 together in server.tls."
            )),
            other => Error(format!(
                "{cert} and {key} cannot be used: {other}. Name other files in server.tls."
            )),
        })?;
        let pair = Self {
            path: files.cert.clone(),
            key: certified,
        };
        pair.check(now)?;
        Ok(pair)
    }

    /// The certificate, then the intermediate ones.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }

    /// The pair as TLS uses it.
    pub fn into_key(self) -> CertifiedKey {
        self.key
    }

    /// Fails if every client refuses the certificate.
    fn check(&self, now: Instant) -> Result<(), Error> {
        let fault = match refusal(&self.key.cert, now) {
            None => return Ok(()),
            Some(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
                "has expired. Renew it; the server uses the new files without a restart."
                    .to_owned()
            }
            Some(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
                "is not valid yet. Check the clock of this machine with `date`, or use another \
                 certificate."
                    .to_owned()
            }
            Some(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                "is the certificate of an authority (CA:TRUE), which clients refuse. Create a server \
                 certificate, with openssl by `-addext basicConstraints=critical,CA:FALSE`."
                    .to_owned()
            }
            Some(other) => format!("cannot be used: {other}. Use another certificate."),
        };
        Err(Error(format!("{} {fault}", self.path.display())))
    }

    /// What the operator should correct, although the certificate can be used.
    pub fn warnings(&self, url: &PublicUrl, now: Instant) -> Vec<String> {
        let path = self.path.display();
        let mut warnings = Vec::new();
        if !is_for(&self.key.cert, url.host()) {
            warnings.push(format!(
                "{path} is not for the host {} of server.public_url, so browsers and clients \
                 refuse it unless a proxy in front has another certificate.",
                url.host()
            ));
        }
        if refusal(&self.key.cert, now + SOON).is_some() {
            let days = SOON.num_days();
            warnings.push(format!(
                "{path} expires in less than {days} days. Renew it."
            ));
        }
        warnings
    }
}

/// Reads the certificates of a file in PEM format.
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let shown = path.display();
    let text = std::fs::read(path)
        .map_err(|error| Error(format!("{shown}: {error}. Correct `cert` of server.tls.")))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(Error(format!(
            "{shown} has no certificate in PEM format (-----BEGIN CERTIFICATE-----). Correct \
             `cert` of server.tls."
        ))),
    }
}

/// Why clients refuse a certificate at a time, with any issuer; `None` if they do not.
pub fn refusal(chain: &[CertificateDer<'_>], at: Instant) -> Option<CertificateError> {
    let (cert, intermediates) = chain.split_first()?;
    let seconds = u64::try_from(at.timestamp()).unwrap_or_default();
    let outcome = ParsedCertificate::try_from(cert).and_then(|cert| {
        verify_server_cert_signed_by_trust_anchor(
            &cert,
            // Without authorities. What does not depend on them is checked first.
            &RootCertStore::empty(),
            intermediates,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            default_provider().signature_verification_algorithms.all,
        )
    });
    match outcome {
        Ok(()) | Err(TlsError::InvalidCertificate(CertificateError::UnknownIssuer)) => None,
        Err(TlsError::InvalidCertificate(error)) => Some(error),
        Err(_) => Some(CertificateError::BadEncoding),
    }
}

/// Whether a certificate is for a host, a name or an address.
pub fn is_for(chain: &[CertificateDer<'_>], host: &str) -> bool {
    let name = ServerName::try_from(host.trim_matches(['[', ']']));
    let cert = chain.first().map(ParsedCertificate::try_from);
    match (cert, name) {
        (Some(Ok(cert)), Ok(name)) => verify_server_name(&cert, &name).is_ok(),
        _ => false,
    }
}
