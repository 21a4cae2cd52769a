//! The scopes of a server.

use serde::Deserialize;

use super::{ANSWER_TIMEOUT, Client};
use crate::error::Error;
use crate::output::plain;

/// What the metadata of the server (RFC 8414 section 2) say about scopes.
#[derive(Deserialize)]
struct Metadata {
    scopes_supported: Vec<String>,
}

impl Client {
    /// The scopes of the server; `None` if it does not respond.
    async fn scopes(&self) -> Option<Vec<String>> {
        let path = "/.well-known/oauth-authorization-server";
        let request = self.http.get(self.host.endpoint(path));
        let answer = self.send(request.timeout(ANSWER_TIMEOUT)).await.ok()?;
        let known = self.read::<Metadata>(&answer).ok()?.scopes_supported;
        Some(known)
    }

    /// The error of a request without scopes that the server refuses with `invalid_scope`.
    pub async fn scope_needed(&self) -> Error {
        let known = self.scopes().await.unwrap_or_default();
        Error::ScopeNeeded(known.iter().map(|name| plain(name).into_owned()).collect())
    }

    /// The error for the wanted scopes that the server does not have; `None` if it has them all,
    /// or does not respond.
    pub async fn unknown_scopes<'a>(
        &self,
        wanted: impl IntoIterator<Item = &'a str>,
    ) -> Option<Error> {
        let known = self.scopes().await?;
        let mut unknown: Vec<_> = wanted.into_iter().collect();
        unknown.retain(|name| !known.iter().any(|known| known == name));
        (!unknown.is_empty()).then(|| {
            Error::Failed(format!(
                "There is no scope {}. The scopes are: {}.",
                unknown.join(", "),
                plain(&known.join(", "))
            ))
        })
    }
}
