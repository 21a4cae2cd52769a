//! The certificate that the server makes for itself, for machines and networks without an
//! authority.

use super::Error;
use super::pair::{Pair, is_for, refusal};
use crate::deployment::file::{Staged, make_private_directory, read_secret};
use chrono::Datelike;
use config::{CertificateFiles, Listen, Server};
use domain::Instant;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use std::path::PathBuf;

/// How long a certificate is valid. Browsers refuse more than 825 days.
const LIFETIME: chrono::Duration = chrono::Duration::days(365);

/// Time before the expiry at which the server makes the next one.
const RENEW_BEFORE: chrono::Duration = chrono::Duration::days(30);

/// Margin for clients whose clocks are behind that of this machine.
const CLOCK_SKEW: chrono::Duration = chrono::Duration::days(1);

/// Reads the certificate, or makes it if it does not exist, cannot be used, expires soon, or is for
/// other hosts. The key stays.
pub fn read_or_make(
    server: &Server,
    files: &CertificateFiles,
    now: Instant,
) -> Result<Pair, Error> {
    let hosts = hosts(server);
    if let Ok(pair) = Pair::read(files, now)
        && is_fresh(pair.chain(), now)
        && hosts.iter().all(|host| is_for(pair.chain(), host))
    {
        return Ok(pair);
    }
    make(files, hosts, now)?;
    Pair::read(files, now)
}

/// Whether a certificate does not expire soon.
pub fn is_fresh(chain: &[CertificateDer<'_>], now: Instant) -> bool {
    refusal(chain, now + RENEW_BEFORE).is_none()
}

/// The hosts of the certificate: the public one, the address of the listener, and this machine.
fn hosts(server: &Server) -> Vec<String> {
    let public = server.public_url.host().trim_matches(['[', ']']);
    let mut hosts = vec![public.to_owned()];
    if let Listen::Tcp(address) = &server.listen
        && !address.ip().is_unspecified()
    {
        hosts.push(address.ip().to_string());
    }
    hosts.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Writes a certificate for these hosts, and a key if there is none that can be used.
fn make(files: &CertificateFiles, hosts: Vec<String>, now: Instant) -> Result<(), Error> {
    let unwritten = |path: &PathBuf, error| Error(format!("{}: {error}", path.display()));
    let failed = |error| Error(format!("a self-signed certificate cannot be made: {error}"));
    let present = read_secret(&files.key).map_err(|error| Error(error.to_string()))?;
    let key = match present.and_then(|text| KeyPair::from_pem(&text).ok()) {
        Some(key) => key,
        None => {
            let key = KeyPair::generate().map_err(failed)?;
            make_private_directory(&files.key)
                .and_then(|()| Staged::write(&files.key, &key.serialize_pem(), None))
                .and_then(Staged::put_in_place)
                .map_err(|error| unwritten(&files.key, error))?;
            key
        }
    };
    let mut params = CertificateParams::new(hosts).map_err(failed)?;
    let name = "self-signed by the server";
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // Browsers refuse two certificates of one issuer with the same number.
    params.serial_number = Some(SerialNumber::from_slice(
        &now.timestamp_millis().to_be_bytes(),
    ));
    let day = |at: Instant| {
        let number = |number| u8::try_from(number).unwrap_or(1);
        date_time_ymd(at.year(), number(at.month()), number(at.day()))
    };
    params.not_before = day(now - CLOCK_SKEW);
    params.not_after = day(now + LIFETIME);
    let certificate = params.self_signed(&key).map_err(failed)?;
    Staged::write(&files.cert, &certificate.pem(), None)
        .and_then(Staged::put_in_place)
        .map_err(|error| unwritten(&files.cert, error))
}
