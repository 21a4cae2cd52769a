//! An identity between its arrival from the provider and the proof of the account to link it to.

use super::claims::Arrived;
use super::{find, state};
use crate::{App, Error, Request};
use domain::Instant;
use domain::secret::{Digest, Secret};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Purpose of the sealed text.
const PURPOSE: &str = "connect an identity";

/// The longest refresh token that is kept in the URL of a page, in bytes.
const LONGEST_REFRESH_TOKEN: usize = 1_000;

/// A user whom a provider has identified, and the purpose of the sign-in.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) arrived: Arrived,
    pub(super) return_to: String,
    /// Whether to connect the identity with the signed-in user.
    pub(super) connects: bool,
    /// Whether the user takes the address from an account that has it unverified.
    pub(super) replaces: bool,
    /// The digest of a statement that works once, and until when it is remembered.
    pub(super) once: Option<(Digest, Instant)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) arrived: Arrived,
    pub(super) return_to: String,
    pub(super) connects: bool,
}

/// Seals an identity for the page on which this browser proves the account.
pub(super) fn seal(app: &App, visitor: &Secret, entry: &Entry) -> String {
    let mut arrived = entry.arrived.clone();
    // Servers and proxies limit the length of URLs. The next sign-in gets another refresh token.
    arrived.refresh_token = arrived
        .refresh_token
        .filter(|token| token.len() <= LONGEST_REFRESH_TOKEN);
    let text = json!(Sealed {
        arrived,
        return_to: entry.return_to.clone(),
        connects: entry.connects,
    });
    state::seal(app, visitor, PURPOSE, &text.to_string())
}

/// Opens a sealed identity. Fails with [`Error::NotFound`] for a text that is older than ten minutes
/// or of another browser.
pub(super) fn open(req: &Request, visitor: &Secret, sealed: &str) -> Result<Sealed, Error> {
    let (opened, _) = state::open(&req.app, visitor, PURPOSE, sealed).ok_or(Error::NotFound)?;
    let sealed: Sealed = serde_json::from_str(&opened).map_err(|_| Error::NotFound)?;
    // The provider may have been disabled in the meantime.
    find(req, &sealed.arrived.provider)?;
    Ok(sealed)
}
