//! Requests to identity providers, and what is kept of their answers.

use super::jose::{self, Claims, Flaw, VerifyingKey};
use crate::{App, Error, outgoing, trace};
use config::{Provider, SignatureAlgorithm, secure_url};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use url::Url;

/// Largest answer in bytes; documents and key sets are far smaller.
const MOST_BYTES: usize = 256 * 1024;

/// How long documents and keys are used.
const FRESH_FOR: Duration = Duration::from_secs(3_600);

/// How long they are used if the provider does not answer.
const STALE_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Shortest time between two requests for the same document or keys, whether the first failed or a
/// token names a key that is unknown.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The documents of identity providers, kept in memory.
#[derive(Default)]
pub(crate) struct Providers {
    client: OnceLock<reqwest::Client>,
    /// By the URL that they come from.
    documents: Mutex<HashMap<Url, Arc<Document>>>,
}

/// A document of a provider. The lock is held while it is requested, so that requests that need it
/// at once wait for one answer.
#[derive(Default)]
struct Document(tokio::sync::Mutex<Kept>);

#[derive(Default)]
struct Kept {
    value: Option<Arc<Value>>,
    fetched: Duration,
    tried: Option<Duration>,
}

/// Which copy of a document suffices.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Freshness {
    Kept,
    /// One that was just fetched: a token names a key that the kept copy lacks.
    New,
}

impl Providers {
    fn client(&self) -> Result<&reqwest::Client, Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = outgoing::client()?;
        Ok(self.client.get_or_init(|| client))
    }

    fn document(&self, url: &Url) -> Arc<Document> {
        let mut documents = self
            .documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        documents.entry(url.clone()).or_default().clone()
    }
}

impl App {
    fn providers(&self) -> &Providers {
        &self.0.providers
    }
}

/// Sends a request and reads the JSON answer, with its status. The error names no secret.
pub(super) async fn json(
    app: &App,
    request: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
) -> Result<(u16, Value), Error> {
    let mut request = request(app.providers().client()?).header("accept", "application/json");
    if let Some(trace) = trace::current() {
        request = request.header("traceparent", trace.to_string());
    }
    let answer = request.send().await;
    // The error could contain the URL of the request, and with it a secret.
    let mut answer = answer.map_err(|error| outside(error.without_url()))?;
    let mut body = Vec::new();
    while let Some(chunk) = answer
        .chunk()
        .await
        .map_err(|error| outside(error.without_url()))?
    {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return Err(outside("the answer is too large"));
        }
    }
    let status = answer.status();
    let value = serde_json::from_slice(&body)
        .map_err(|_| outside(format!("the answer {status} is not JSON")))?;
    Ok((status.as_u16(), value))
}

/// The document at a URL, requested if the kept one is too old.
async fn document(app: &App, url: &Url, wanted: Freshness) -> Result<Arc<Value>, Error> {
    let document = app.providers().document(url);
    let mut kept = document.0.lock().await;
    let now = app.passed();
    let age = now.saturating_sub(kept.fetched);
    let may_try = kept
        .tried
        .is_none_or(|tried| now.saturating_sub(tried) >= AGAIN_AFTER);
    let is_enough = match wanted {
        Freshness::Kept => age < FRESH_FOR,
        Freshness::New => false,
    };
    let is_enough = is_enough || !may_try && age < STALE_FOR;
    if let Some(value) = kept.value.clone().filter(|_| is_enough) {
        return Ok(value);
    }
    if !may_try {
        return Err(outside("the provider did not answer a moment ago"));
    }
    kept.tried = Some(now);
    let fetched = match json(app, |client| client.get(url.clone())).await {
        Ok((200, value)) => Ok(Arc::new(value)),
        Ok((status, _)) => Err(outside(format!("{url} answered {status}"))),
        Err(error) => Err(error),
    };
    match fetched {
        Ok(value) => {
            kept.value = Some(value.clone());
            kept.fetched = now;
            Ok(value)
        }
        Err(error) => match kept.value.clone().filter(|_| age < STALE_FOR) {
            Some(value) => {
                tracing::warn!(?error, %url, "an identity provider did not answer; the last answer is used");
                Ok(value)
            }
            None => Err(error),
        },
    }
}

/// The metadata of an OpenID provider (OpenID Connect Discovery 1.0 section 3).
pub(super) struct Metadata(Arc<Value>);

impl Metadata {
    /// The metadata of a provider. Fails if the document is that of another issuer.
    pub(super) async fn of(app: &App, provider: &Provider) -> Result<Self, Error> {
        let base = provider.issuer.trim_end_matches('/');
        let url =
            secure_url(&format!("{base}/.well-known/openid-configuration")).map_err(outside)?;
        let found = Self(document(app, &url, Freshness::Kept).await?);
        match found.text("issuer") == Some(provider.issuer.as_str()) {
            true => Ok(found),
            false => Err(outside(format!("{url} names another issuer"))),
        }
    }

    /// An endpoint, which must be https, or on this machine.
    pub(super) fn endpoint(&self, name: &str) -> Result<Url, Error> {
        let text = self
            .text(name)
            .ok_or_else(|| outside(format!("the provider states no {name}")))?;
        secure_url(text).map_err(|fault| outside(format!("{name}: {fault}")))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Whether the provider states a flag.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name) == Some(&Value::Bool(true))
    }

    /// Whether a list of the provider has an entry; `None` if there is no list.
    pub(super) fn lists(&self, name: &str, entry: &str) -> Option<bool> {
        let list = self.0.get(name)?.as_array()?;
        Some(list.iter().any(|one| one == entry))
    }
}

/// The claims of a JWT that the keys at a URL signed, and its type. If its key is unknown, the keys
/// are fetched again once, since the provider may have replaced them.
pub(super) async fn verify(
    app: &App,
    token: &str,
    keys_at: &Url,
    only: Option<SignatureAlgorithm>,
) -> Result<(Claims, Option<String>), Unverified> {
    for wanted in [Freshness::Kept, Freshness::New] {
        let set = document(app, keys_at, wanted).await?;
        match jose::verify(token, &VerifyingKey::of_set(&set), only) {
            Ok(verified) => return Ok(verified),
            Err(Flaw::Invalid) => return Err(Unverified::Invalid),
            Err(Flaw::UnknownKey) => {}
        }
    }
    Err(Unverified::Invalid)
}

/// Why a JWT is not verified.
pub(super) enum Unverified {
    /// The signature is wrong, or no key of the provider made it.
    Invalid,
    /// The keys cannot be fetched.
    Outside(Error),
}

impl From<Error> for Unverified {
    fn from(error: Error) -> Self {
        Self::Outside(error)
    }
}

/// An error of a provider.
pub(super) fn outside(error: impl std::fmt::Display) -> Error {
    Error::Outside(format!("identity provider: {error}"))
}
