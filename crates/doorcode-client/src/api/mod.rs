//! The HTTP client of a Doorcode server.

pub mod answer;
mod connection;
pub mod identity;
mod management;
pub mod proxy;
mod scopes;

use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::LOCATION;
use reqwest::{Certificate, RequestBuilder, StatusCode, redirect};
use serde::de::DeserializeOwned;

use self::answer::Answer;
use self::identity::Identity;
pub use self::management::{Creation, Listing};
use self::proxy::Proxy;
use crate::branding::Branding;
use crate::error::Error;
use crate::host::Host;
use crate::login::pace::Polled;
use crate::output::plain;
use domain::secret::Secret;
use wire::api::Descendants;
use wire::oauth::{DEVICE_CODE_GRANT, DeviceAuthorizationResponse, ErrorResponse, TokenResponse};

/// Timeout of the connection setup.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Timeout of a response, without the `Prefer: wait` time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Maximum length of a response body; no Doorcode response is longer.
const LONGEST_BODY: usize = 1 << 20;

/// A client of one server.
pub struct Client {
    http: reqwest::Client,
    host: Host,
    branding: Branding,
    proxy: Option<Proxy>,
}

/// Parameters of a device authorization request, besides the client.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceParameters<'a> {
    /// Scopes; `None` for the client's default scopes.
    pub scope: Option<&'a str>,
    /// Device name.
    pub device_name: Option<&'a str>,
    /// Organization to limit the token to, by its slug or ID.
    pub organization: Option<&'a str>,
    /// ID of the project to limit the token to.
    pub project: Option<&'a str>,
}

/// The result of a token request.
pub enum Poll {
    /// The token.
    Token(TokenResponse),
    /// The token is not available yet.
    Wait(Polled),
}

impl Client {
    /// A client of this server, under these names.
    pub fn new(host: &Host, branding: &Branding) -> Result<Self, Error> {
        Self::with_authorities(host, branding, None)
    }

    /// A client that also trusts the certificates of a file in PEM format. Refuses a proxy that
    /// is not supported.
    pub fn with_authorities(
        host: &Host,
        branding: &Branding,
        authorities: Option<&Path>,
    ) -> Result<Self, Error> {
        // An already installed provider is used instead.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(format!("{}/{}", branding.program, branding.version))
            // A redirect would send the token to another address.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        if !host.is_encrypted() {
            // Plain HTTP needs no certificates, so a machine without any must not fail.
            builder = builder.tls_certs_only([]);
        } else if let Some(file) = authorities {
            builder = builder.tls_certs_merge(read_certificates(file)?);
        }
        if host.is_loopback() {
            // A proxy would resolve the loopback address to itself.
            builder = builder.no_proxy();
        }
        let proxy = Proxy::of(host);
        if let Some(proxy) = proxy.as_ref().filter(|proxy| proxy.is_socks()) {
            return Err(Error::Connection {
                host: host.clone(),
                what: format!("the proxy {proxy} is a SOCKS proxy, which is not supported"),
                advice: format!(
                    "Name an HTTP proxy in {}, or add the server to NO_PROXY.",
                    proxy.variable
                ),
            });
        }
        let http = builder.build().map_err(|cause| {
            let file = std::env::var_os("SSL_CERT_FILE").unwrap_or_default();
            let remedy = if file.is_empty() {
                "Install the system's root certificates (often the package ca-certificates)."
            } else {
                "Check the file that the environment variable SSL_CERT_FILE names."
            };
            Error::Failed(format!(
                "Cannot use TLS: {}. {remedy}",
                connection::innermost(&connection::texts(&cause))
            ))
        })?;
        Ok(Self {
            http,
            host: host.clone(),
            branding: branding.clone(),
            proxy,
        })
    }

    /// The names under which this client is shipped.
    pub fn branding(&self) -> &Branding {
        &self.branding
    }

    /// The same client with another client ID.
    pub fn with_client_id(&self, client_id: &str) -> Self {
        Self {
            http: self.http.clone(),
            host: self.host.clone(),
            branding: Branding {
                client_id: client_id.to_owned(),
                ..self.branding.clone()
            },
            proxy: self.proxy.clone(),
        }
    }

    /// Requests a device code (RFC 8628 section 3.1).
    pub async fn authorize_device(
        &self,
        parameters: DeviceParameters<'_>,
    ) -> Result<DeviceAuthorizationResponse, Error> {
        let optional = [
            ("scope", parameters.scope),
            ("device_name", parameters.device_name),
            ("organization", parameters.organization),
            ("project", parameters.project),
        ];
        let mut form = vec![("client_id", &*self.branding.client_id)];
        form.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let answer = self
            .post("/auth/device", &form, ANSWER_TIMEOUT, None)
            .await?;
        match answer.status {
            StatusCode::OK => self.read(&answer),
            _ => Err(self.oauth_error(&answer)),
        }
    }

    /// Requests the token (RFC 8628 section 3.4) with `Prefer: wait`, for up to `wait`
    /// seconds.
    pub async fn poll(&self, device_code: &str, wait: u64) -> Result<Poll, Error> {
        let form = [
            ("grant_type", DEVICE_CODE_GRANT),
            ("device_code", device_code),
            ("client_id", &*self.branding.client_id),
        ];
        let timeout = ANSWER_TIMEOUT + Duration::from_secs(wait);
        let asked_at = Instant::now();
        let answer = self
            .post("/auth/device/token", &form, timeout, Some(wait))
            .await?;
        if answer.status == StatusCode::OK {
            return self.read(&answer).map(Poll::Token);
        }
        match self.oauth_error(&answer) {
            Error::OAuth { name, .. } if name == "authorization_pending" => {
                Ok(Poll::Wait(Polled::Pending {
                    held: answer.was_held(),
                    took: asked_at.elapsed(),
                }))
            }
            Error::OAuth { name, .. } if name == "slow_down" => Ok(Poll::Wait(Polled::SlowDown)),
            Error::OAuth { name, description } if name == "access_denied" => {
                Err(Error::Denied(description))
            }
            Error::OAuth { name, .. } if name == "expired_token" => Err(Error::Expired),
            error => Err(error),
        }
    }

    /// Revokes a token (RFC 7009). A token that is unknown or already revoked is not an error.
    pub async fn revoke(&self, token: &Secret) -> Result<(), Error> {
        let form = [
            ("token", token.expose()),
            ("client_id", &*self.branding.client_id),
        ];
        let answer = self
            .post("/auth/revoke", &form, ANSWER_TIMEOUT, None)
            .await?;
        match answer.status {
            StatusCode::OK => Ok(()),
            _ => Err(self.oauth_error(&answer)),
        }
    }

    /// Gets the token's owner and permissions.
    pub async fn me(&self, token: &Secret) -> Result<Identity, Error> {
        let document = self.ask(token, "/v1/me", &[]).await?;
        Identity::read(document, &self.branding.words)
            .map_err(|cause| self.unexpected(cause.to_string()))
    }

    /// The address of the page on which the owner of a token signs in again for it; `max_age` is in
    /// seconds.
    pub fn confirmation_page(&self, token_id: &str, max_age: u64) -> String {
        let path = format!("/tokens/{token_id}/confirm?max_age={max_age}");
        self.host.endpoint(&path)
    }

    /// Gets what revoking the token would also revoke.
    pub async fn descendants(&self, token: &Secret) -> Result<Descendants, Error> {
        self.ask(token, "/v1/me/descendants", &[]).await
    }

    /// Sends a GET request to the management API.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        token: &Secret,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Error> {
        let request = self.http.get(self.host.endpoint(path)).query(query);
        let answer = self.send_as(token, request).await?;
        self.managed(&answer)
    }

    async fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        timeout: Duration,
        wait: Option<u64>,
    ) -> Result<Answer, Error> {
        let mut request = self
            .http
            .post(self.host.endpoint(path))
            .timeout(timeout)
            .form(form);
        if let Some(seconds) = wait {
            request = request.header("Prefer", format!("wait={seconds}"));
        }
        self.send(request).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Error> {
        let unreachable =
            |cause: reqwest::Error| connection::failure(&cause, &self.host, self.proxy.as_ref());
        let mut response = request.send().await.map_err(unreachable)?;
        let mut answer = Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: Vec::new(),
        };
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if answer.body.len() + chunk.len() > LONGEST_BODY {
                return Err(self.unexpected("the response is too long"));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Error> {
        serde_json::from_slice(&answer.body).map_err(|cause| {
            self.unexpected(match answer.web_page() {
                Some(page) => page,
                None if cause.is_data() => cause.to_string(),
                None => "it is not JSON".to_owned(),
            })
        })
    }

    fn oauth_error(&self, answer: &Answer) -> Error {
        match serde_json::from_slice::<ErrorResponse>(&answer.body) {
            Ok(error) if answer.status.is_client_error() && !answer.is_passing() => Error::OAuth {
                name: plain(&error.error).into_owned(),
                description: error
                    .error_description
                    .map(|text| plain(&text).into_owned()),
            },
            _ => self.error(answer),
        }
    }

    fn error(&self, answer: &Answer) -> Error {
        if answer.is_passing() {
            return Error::Busy {
                host: self.host.clone(),
                status: answer.status.as_u16(),
                detail: answer.problem(),
                retry_after: answer.retry_after(),
            };
        }
        if answer.status.is_redirection() {
            let place = answer
                .headers
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            let place = plain(place.unwrap_or("another address"));
            return self.unexpected(format!("it redirects to {place}"));
        }
        if let Some(proxy) = &self.proxy
            && answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        {
            let (what, advice) = connection::unauthorized(proxy);
            return Error::Connection {
                host: self.host.clone(),
                what,
                advice,
            };
        }
        match answer.problem().or_else(|| answer.web_page()) {
            Some(text) => self.unexpected(text),
            None => self.unexpected(format!("HTTP {}", answer.status.as_u16())),
        }
    }

    /// The error for a response that no Doorcode server sends.
    pub fn unexpected(&self, what: impl Into<String>) -> Error {
        Error::Unexpected {
            host: self.host.clone(),
            what: what.into(),
        }
    }
}

/// Reads the certificates of a file in PEM format.
fn read_certificates(file: &Path) -> Result<Vec<Certificate>, Error> {
    let refused = |why: String| {
        Error::Usage(format!(
            "Cannot use {} as --ca-cert: {why}.",
            file.display()
        ))
    };
    let pem = std::fs::read(file).map_err(|cause| refused(connection::os_text(&cause)))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(refused(
            "it has no certificate in PEM format (-----BEGIN CERTIFICATE-----)".to_owned(),
        )),
    }
}
