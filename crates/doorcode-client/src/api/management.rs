//! Requests of the management API that create, delete and list.

use reqwest::{RequestBuilder, StatusCode};
use rustls::crypto::ring::default_provider;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Answer;
use super::{ANSWER_TIMEOUT, Client};
use crate::error::Error;
use crate::output::plain;
use domain::secret::Secret;
use wire::api::{List, Problem, Revoked};

/// Maximum page size of the API.
const LARGEST_PAGE: u32 = 100;

/// A list of the management API.
pub struct Listing<'a> {
    /// Path of the list.
    pub path: &'a str,
    /// Filters.
    pub filters: &'a [(&'a str, &'a str)],
    /// Maximum number of items.
    pub limit: u32,
}

/// A POST request of the management API. Its idempotency key makes a repetition safe: it returns
/// the result of the first one.
pub struct Creation<'a, B> {
    path: &'a str,
    body: &'a B,
    key: String,
}

impl<'a> Listing<'a> {
    /// The whole list.
    pub fn all(path: &'a str) -> Self {
        Self {
            path,
            filters: &[],
            limit: u32::MAX,
        }
    }
}

impl<'a, B: Serialize> Creation<'a, B> {
    /// A request with a new idempotency key.
    pub fn new(path: &'a str, body: &'a B) -> Result<Self, Error> {
        let mut random = [0; 16];
        let filled = default_provider().secure_random.fill(&mut random);
        filled.map_err(|_| Error::Failed("The system has no random numbers.".to_owned()))?;
        Ok(Self {
            path,
            body,
            key: format!("{:032x}", u128::from_be_bytes(random)),
        })
    }
}

impl Client {
    /// Sends a request that creates.
    pub async fn create<T: DeserializeOwned>(
        &self,
        token: &Secret,
        creation: &Creation<'_, impl Serialize>,
    ) -> Result<T, Error> {
        let request = self.http.post(self.host.endpoint(creation.path));
        let request = request.header("Idempotency-Key", &creation.key);
        let answer = self.send_as(token, request.json(creation.body)).await?;
        self.managed(&answer)
    }

    /// Sends a DELETE request. Returns what was revoked with the object.
    pub async fn delete(&self, token: &Secret, path: &str) -> Result<Revoked, Error> {
        let request = self.http.delete(self.host.endpoint(path));
        let answer = self.send_as(token, request).await?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(Revoked {
                revoked: 0,
                withdrawn_invitations: 0,
            });
        }
        self.managed(&answer)
    }

    /// Gets a list, page by page. `next_cursor` is set if the list has more items than the limit.
    pub async fn list(&self, token: &Secret, listing: &Listing<'_>) -> Result<List<Value>, Error> {
        let mut found = List {
            items: Vec::new(),
            next_cursor: None,
        };
        let mut left = listing.limit;
        while left > 0 {
            let limit = left.min(LARGEST_PAGE).to_string();
            let mut query = vec![("limit", limit.as_str())];
            query.extend(listing.filters);
            let cursor = found.next_cursor.as_deref();
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let page: List<Value> = self.ask(token, listing.path, &query).await?;
            let count = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
            found.items.extend(page.items);
            found.next_cursor = page.next_cursor;
            left = match found.next_cursor {
                Some(_) if count > 0 => left.saturating_sub(count),
                _ => 0,
            };
        }
        Ok(found)
    }

    /// The items of a list, as this version knows them.
    pub fn known<T: DeserializeOwned>(&self, list: &List<Value>) -> Result<Vec<T>, Error> {
        list.items
            .iter()
            .map(|item| T::deserialize(item))
            .collect::<Result<_, _>>()
            .map_err(|cause| self.unexpected(cause.to_string()))
    }

    /// Sends a request with a token.
    pub(super) async fn send_as(
        &self,
        token: &Secret,
        request: RequestBuilder,
    ) -> Result<Answer, Error> {
        if token.expose().is_empty() || !token.expose().bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::TokenMalformed);
        }
        let request = request.timeout(ANSWER_TIMEOUT);
        self.send(request.bearer_auth(token.expose())).await
    }

    /// Interprets a response of the management API.
    pub(super) fn managed<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Error> {
        match answer.status {
            StatusCode::OK | StatusCode::CREATED => self.read(answer),
            StatusCode::UNAUTHORIZED => Err(match answer.needed_sign_in() {
                Some(max_age) => Error::ConfirmationNeeded { max_age },
                None => Error::TokenRefused(self.host.clone()),
            }),
            StatusCode::FORBIDDEN => Err(Error::NotAllowed {
                text: answer
                    .problem()
                    .unwrap_or_else(|| format!("{} does not allow this.", self.host)),
                scope: answer.missing_scope(),
            }),
            status if status.is_client_error() && !answer.is_passing() => {
                Err(match (answer.problem(), faults(answer)) {
                    (Some(problem), None) => Error::Failed(problem),
                    (Some(_), Some(faults)) => Error::Failed(faults),
                    (None, _) => self.error(answer),
                })
            }
            _ => Err(self.error(answer)),
        }
    }
}

/// The faults of the body that a problem lists, a line for each.
fn faults(answer: &Answer) -> Option<String> {
    let problem: Problem = serde_json::from_slice(&answer.body).ok()?;
    let line = |pointer: &str, detail: &str| match pointer.trim_start_matches("#/") {
        "" | "#" => plain(detail).into_owned(),
        field => format!("{}: {}", plain(field), plain(detail)),
    };
    let faults = problem.errors.iter();
    let lines: Vec<_> = faults
        .map(|fault| line(&fault.pointer, &fault.detail))
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
