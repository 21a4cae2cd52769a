//! The server's certificate: read and checked at the start, and replaced while the server runs,
//! without a restart. New connections use the latest certificate that can be used; one that cannot
//! changes nothing.

mod pair;
mod self_signed;
#[cfg(test)]
mod tests;

use crate::App;
use crate::deployment::file::Stamp;
use config::{CertificateFiles, Config, Server, Tls};
use domain::Instant;
use pair::Pair;
use ring::digest::{SHA256, digest};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// How often the server checks for a changed certificate, by the attributes of two files.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How often the server retries to renew a self-signed certificate that expires soon.
const RENEW_EVERY: chrono::Duration = chrono::Duration::hours(1);

/// Why a certificate cannot be used, and what to do: one line for the operator.
#[derive(Debug)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// The certificate that new connections use.
#[derive(Debug)]
pub struct ServerCertificate {
    server: Server,
    files: CertificateFiles,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    /// Stamps of the files when they were last read, even if they could not be used.
    stamps: Stamps,
    read_at: Instant,
}

impl ServerCertificate {
    /// Reads the certificate of the configuration, or makes a self-signed one if there is none that
    /// can be used; `None` if the server speaks plain HTTP. Also returns the files that it made.
    pub fn load(config: &Config, now: Instant) -> Result<Option<(Self, Vec<PathBuf>)>, Error> {
        let server = &config.server;
        let Some(files) = server.certificate_files() else {
            return Ok(None);
        };
        let missing = [&files.key, &files.cert].into_iter();
        let missing: Vec<_> = missing.filter(|path| !path.exists()).cloned().collect();
        let (pair, stamps) = read(server, &files, now);
        let certificate = Self {
            server: server.clone(),
            current: RwLock::new(Current {
                key: Arc::new(pair?.into_key()),
                stamps,
                read_at: now,
            }),
            files,
        };
        Ok(Some((certificate, missing)))
    }

    /// The file of the certificate.
    pub fn path(&self) -> &Path {
        &self.files.cert
    }

    /// The settings of TLS (TLS 1.2 and 1.3), whose connections always get the current certificate.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, Error> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error(format!("TLS cannot be used: {error}")))?;
        Ok(builder
            .with_no_client_auth()
            .with_cert_resolver(self.clone()))
    }

    /// Reads the files again, and makes a self-signed certificate again if it is needed. Fails, and
    /// changes nothing, if they cannot be used.
    pub fn reload(&self, now: Instant) -> Result<(), Error> {
        let (pair, stamps) = read(&self.server, &self.files, now);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.stamps = stamps;
        current.read_at = now;
        current.key = Arc::new(pair?.into_key());
        Ok(())
    }

    /// Reloads if a file has changed, or if a self-signed certificate expires soon. `None` if
    /// nothing was to be done.
    pub fn reload_if_changed(&self, now: Instant) -> Option<Result<(), Error>> {
        let is_changed = self.current(|current| current.stamps != stamps(&self.files));
        let is_ending = self.server.tls == Tls::SelfSigned
            && self.current(|current| {
                now - current.read_at >= RENEW_EVERY
                    && !self_signed::is_fresh(&current.key.cert, now)
            });
        (is_changed || is_ending).then(|| self.reload(now))
    }

    /// The SHA-256 fingerprint of the certificate, as browsers and openssl write it.
    pub fn fingerprint(&self) -> String {
        let hash = self.current(|current| {
            let certificate = current.key.cert.first();
            digest(&SHA256, certificate.map_or(&[][..], AsRef::as_ref))
        });
        let bytes: Vec<_> = hash
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        bytes.join(":")
    }

    fn current<T>(&self, read: impl FnOnce(&Current) -> T) -> T {
        read(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reloads, and logs the outcome in one line.
    pub fn reload_and_log(&self, now: Instant) {
        self.log(&self.reload(now));
    }

    fn log(&self, outcome: &Result<(), Error>) {
        match outcome {
            Ok(()) => tracing::info!(
                "new connections use the certificate {} (SHA-256 {})",
                self.files.cert.display(),
                self.fingerprint()
            ),
            Err(error) => tracing::error!(
                "the certificate was not reloaded, and the previous one stays in use: {error}"
            ),
        }
    }

    /// Looks for a changed certificate until the server ends.
    pub async fn watch(self: Arc<Self>, app: App) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Some(outcome) = self.reload_if_changed(app.now()) {
                self.log(&outcome);
            }
        }
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current(|current| current.key.clone()))
    }
}

/// Checks the certificate of the configuration without making one, and returns warnings.
pub fn check(config: &Config, now: Instant) -> Result<Vec<String>, Error> {
    match &config.server.tls {
        Tls::Files(files) => {
            let pair = Pair::read(files, now)?;
            Ok(pair.warnings(&config.server.public_url, now))
        }
        Tls::Off | Tls::SelfSigned => Ok(Vec::new()),
    }
}

type Stamps = [Option<Stamp>; 2];

/// Reads the files, with stamps that differ after any later change.
fn read(server: &Server, files: &CertificateFiles, now: Instant) -> (Result<Pair, Error>, Stamps) {
    let before = stamps(files);
    match server.tls {
        // Only the server itself writes them.
        Tls::SelfSigned => (self_signed::read_or_make(server, files, now), stamps(files)),
        Tls::Off | Tls::Files(_) => (Pair::read(files, now), before),
    }
}

fn stamps(files: &CertificateFiles) -> Stamps {
    [&files.cert, &files.key].map(|path| Stamp::of(path))
}
