//! The state that a browser keeps while its user is at a provider or between two steps, sealed for that
//! browser.
//!
//! The values are encrypted under a key of the server and of the browser's cookie, so that a value
//! that began in one browser is invalid in another (login CSRF), and the server stores nothing.

use crate::App;
use chrono::Duration;
use domain::Instant;
use domain::sealed::{SealKey, SealSalt};
use domain::secret::Secret;

/// How long a user may take at the provider, to prove an existing account or a second factor.
pub(crate) fn lifetime() -> Duration {
    Duration::minutes(10)
}

/// Length of the salt in the sealed text, in hexadecimal.
const SALT_LENGTH: usize = 64;

/// Seals a text for a browser. `purpose` separates texts of different kinds and providers.
pub(crate) fn seal(app: &App, visitor: &Secret, purpose: &str, text: &str) -> String {
    let salt: SealSalt = app.random();
    let millis = app.now().timestamp_millis();
    let sealed = key(app, visitor, &salt).seal(0, purpose, &format!("{millis}.{text}"));
    format!("{}{sealed}", hex::encode(salt))
}

/// Opens a text that this browser got in the last minutes, and says when it was sealed.
pub(crate) fn open(
    app: &App,
    visitor: &Secret,
    purpose: &str,
    sealed: &str,
) -> Option<(String, Instant)> {
    // Another spelling of the same bytes would count as one that was not used yet.
    if sealed.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let (salt, sealed) = sealed.split_at_checked(SALT_LENGTH)?;
    let bytes: SealSalt = hex::decode(salt).ok()?.try_into().ok()?;
    let opened = key(app, visitor, &bytes).open(purpose, sealed)?;
    let (millis, text) = opened.split_once('.')?;
    let began = Instant::from_timestamp_millis(millis.parse().ok()?)?;
    let age = app.now() - began;
    (age < lifetime()).then(|| (text.to_owned(), began))
}

fn key(app: &App, visitor: &Secret, salt: &SealSalt) -> SealKey {
    let of_server = app.key().authenticate("identity state", &[]);
    SealKey::derive(salt, &[visitor, &Secret::new(of_server.as_str())])
}

/// A value that belongs to a sealed text and its browser, and that only they can produce: the
/// `nonce` and the PKCE verifier are not stored anywhere.
pub(crate) fn derive(app: &App, visitor: &Secret, purpose: &str, salt: &str) -> String {
    let derived = app.key().authenticate(purpose, &[visitor.expose(), salt]);
    derived.as_str().to_owned()
}
