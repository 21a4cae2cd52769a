//! Which servers are trusted, and why one is not.

use config::{CertificateFiles, PostgresHost, PostgresTls};
use rustls::client::WantsClientCert;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, Error, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

/// The name that a certificate must have.
pub fn name(host: &PostgresHost) -> Result<ServerName<'static>, String> {
    ServerName::try_from(host.name.clone())
        .map_err(|_| "its name is not one that a certificate can have".to_owned())
}

/// The settings of TLS. Files are read for each connection, so that new ones count.
pub fn settings(tls: &PostgresTls) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match &tls.authorities {
        Some(path) => {
            let mut authorities = RootCertStore::empty();
            for authority in certificates(path, "sslrootcert")? {
                authorities
                    .add(authority)
                    .map_err(|error| unusable(path, "sslrootcert", &error.to_string()))?;
            }
            builder.with_root_certificates(authorities)
        }
        None => builder.with_platform_verifier().map_err(|error| {
            format!(
                "the certificates of the system cannot be used: {error}. Name a file with those of \
                 the authority of the database: sslrootcert=FILE"
            )
        })?,
    };
    match &tls.client {
        None => Ok(builder.with_no_client_auth()),
        Some(files) => with_client(builder, files),
    }
}

fn with_client(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    files: &CertificateFiles,
) -> Result<ClientConfig, String> {
    let chain = certificates(&files.cert, "sslcert")?;
    let unusable = |why: &str| unusable(&files.key, "sslkey", why);
    let file = std::fs::metadata(&files.key).map_err(|error| unusable(&error.to_string()))?;
    // A key of root may be readable by a group, which libpq accepts too.
    let others = if file.uid() == 0 { 0o027 } else { 0o077 };
    if file.mode() & others != 0 {
        return Err(unusable("other users can read it; run chmod 600"));
    }
    let text = std::fs::read(&files.key).map_err(|error| unusable(&error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| unusable("it has no private key in PEM format without a password"))?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| unusable(&error.to_string()))
}

fn certificates(path: &Path, parameter: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = std::fs::read(path);
    let text = text.map_err(|error| unusable(path, parameter, &error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(unusable(
            path,
            parameter,
            "it has no certificate in PEM format (-----BEGIN CERTIFICATE-----)",
        )),
    }
}

fn unusable(path: &Path, parameter: &str, why: &str) -> String {
    let path = path.display();
    format!("{path}: {why}. Correct {parameter} in the URL of the database")
}

/// Why TLS failed, and what to do.
pub fn explain(error: &Error, host: &PostgresHost) -> String {
    let name = &host.name;
    match error {
        Error::InvalidCertificate(cause) => match cause {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired. Renew it, or check the clock of this machine"
                    .to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet. Check the clock of this machine".to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!(
                    "its certificate is not for {name}. Write a name of the certificate as the host \
                     in the URL, or add {name} to the certificate (subjectAltName)"
                )
            }
            // The signature is wrong where another authority has the same name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is from an authority that is not trusted. Name a file with the \
                 certificate of its authority: sslrootcert=FILE"
                    .to_owned()
            }
            other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                "its certificate is that of an authority (CA:TRUE). Create one for the server, with \
                 openssl by `-addext basicConstraints=critical,CA:FALSE`"
                    .to_owned()
            }
            other => format!("its certificate cannot be used: {other}"),
        },
        Error::AlertReceived(alert) => format!(
            "it refuses the connection: {alert:?}. If it asks for a certificate of clients, name \
             its files: sslcert=FILE and sslkey=FILE"
        ),
        other => format!("TLS failed: {other}"),
    }
}
