//! Why a request got no response.

use std::error::Error as StdError;
use std::fmt::Display;
use std::io;

use rustls::{CertificateError, Error as TlsError};

use super::proxy::Proxy;
use crate::error::Error;
use crate::host::Host;
use crate::output::plain;

/// The error for a request to this server that got no response.
pub fn failure(error: &reqwest::Error, host: &Host, proxy: Option<&Proxy>) -> Error {
    let causes = causes(error);
    let connection = |(what, advice): (String, String)| Error::Connection {
        host: host.clone(),
        what,
        advice,
    };
    if let Some(cause) = causes.iter().find_map(|cause| cause.downcast_ref()) {
        return connection(tls(cause, host));
    }
    let texts: Vec<_> = causes.iter().map(ToString::to_string).collect();
    let any = |piece: &str| texts.iter().any(|text| text.contains(piece));
    match proxy {
        Some(proxy) if any("proxy authorization required") => {
            return connection(unauthorized(proxy));
        }
        _ => {}
    }
    // The start of a TLS message is no HTTP status line.
    if any("invalid HTTP") && !host.is_encrypted() {
        return connection((
            "it does not speak HTTP on this port".to_owned(),
            "If the server uses TLS, write https:// instead of http://.".to_owned(),
        ));
    }
    let cause = if error.is_timeout() {
        "it did not respond in time".to_owned()
    } else if any("dns error") && proxy.is_none() {
        "its name is not known, or this machine has no network".to_owned()
    } else if any("connection closed before message completed") {
        "it closed the connection without a response".to_owned()
    } else {
        innermost(&texts)
    };
    Error::Unreachable {
        host: host.clone(),
        cause,
        proxy: proxy.cloned(),
    }
}

/// The error and the advice for a proxy that requires a sign-in.
pub fn unauthorized(proxy: &Proxy) -> (String, String) {
    let variable = proxy.variable;
    (
        format!("the proxy {proxy} requires a name and a password"),
        format!("Add them to the variable: {variable}=http://NAME:PASSWORD@HOST:PORT."),
    )
}

/// The text of the innermost cause, without the OS error number.
pub fn innermost(texts: &[String]) -> String {
    os_text(&texts.last().map_or("", String::as_str))
}

/// The text of an error of the operating system, without its number.
pub fn os_text(error: &impl Display) -> String {
    let text = error.to_string();
    plain(text.split(" (os error").next().unwrap_or_default()).into_owned()
}

/// The texts of an error and its causes, from the outermost.
pub fn texts(error: &reqwest::Error) -> Vec<String> {
    causes(error).iter().map(ToString::to_string).collect()
}

/// An error and its causes, from the outermost.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        causes.push(cause);
        // An I/O error that wraps another one does not have it as its source.
        let wrapped = cause.downcast_ref().and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    causes
}

/// The error and the advice for a failure of TLS.
fn tls(error: &TlsError, host: &Host) -> (String, String) {
    let texts = |what: &str, advice: &str| (what.to_owned(), advice.to_owned());
    match error {
        TlsError::InvalidCertificate(cause) => certificate(cause),
        TlsError::InvalidMessage(_) => texts(
            "it does not speak TLS on this port",
            "If the server uses plain HTTP, write http:// instead of https://.",
        ),
        TlsError::PeerIncompatible(_) => texts(
            "it supports neither TLS 1.2 nor TLS 1.3 with a known cipher",
            "The server's administrator must allow TLS 1.2 or later.",
        ),
        other => (
            format!("TLS failed: {}", plain(&other.to_string())),
            format!("Check that {host} is the address of the server."),
        ),
    }
}

/// The error and the advice for a certificate that is refused.
fn certificate(error: &CertificateError) -> (String, String) {
    const CLOCK: &str = "Check the clock of this machine, for example with `date`. If it is right, \
                         the server needs another certificate.";
    const TRUST: &str = "If you trust it, pass the certificate of its authority with --ca-cert \
                         FILE, or name the file in the environment variable SSL_CERT_FILE.";
    let (what, advice) = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "its certificate has expired, or the clock of this machine is wrong".to_owned(),
            CLOCK,
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "its certificate is not valid yet, or the clock of this machine is wrong".to_owned(),
            CLOCK,
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            match error {
                CertificateError::NotValidForNameContext { presented, .. }
                    if !presented.is_empty() =>
                {
                    format!("its certificate is for {}", names(presented))
                }
                _ => "its certificate is for another name".to_owned(),
            },
            "Use the name of the certificate in the address.",
        ),
        CertificateError::UnknownIssuer => (
            "its certificate is self-signed, or from an authority that this machine does not know"
                .to_owned(),
            TRUST,
        ),
        CertificateError::Revoked => (
            "its certificate is revoked".to_owned(),
            "The server needs another certificate.",
        ),
        // The error of the verifier has no variant for this.
        CertificateError::Other(cause) if format!("{cause:?}").contains("CaUsedAsEndEntity") => (
            "its certificate is self-signed and marked as an authority (CA:TRUE), which servers \
             must not use"
                .to_owned(),
            "Make the server's certificate again, for openssl with `-addext \
             basicConstraints=critical,CA:FALSE`, and pass it with --ca-cert FILE.",
        ),
        other => (
            format!("its certificate is invalid: {}", plain(&other.to_string())),
            TRUST,
        ),
    };
    (what, advice.to_owned())
}

/// The names of a certificate, without their kind: `DnsName("example.com")`.
fn names(presented: &[String]) -> String {
    let name = |text: &String| {
        let inner = text
            .split_once('(')
            .map_or(text.as_str(), |(_, inner)| inner);
        plain(inner.trim_matches(['"', ')', '('])).into_owned()
    };
    presented.iter().map(name).collect::<Vec<_>>().join(", ")
}
