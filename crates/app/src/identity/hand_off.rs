//! Sign-in with a page of the company that is no OpenID provider: this server sends the browser
//! there with a signed request, and the page answers with a signed statement about its user.

use super::claims::{self, Arrived};
use super::fetch;
use super::jose::{self, Claims, VerifyingKey};
use super::oidc::{NONCE, Returned, redirect_uri, salt};
use super::state;
use super::{Failed, Purpose, Start};
use crate::{App, Error};
use chrono::Duration;
use config::{HandOff, HandOffKey, Provider};
use domain::Instant;
use domain::secret::{Digest, Secret};
use serde_json::{Value, json};
use url::Url;

/// The longest lifetime of an answer, which is in a URL.
fn longest() -> Duration {
    Duration::minutes(5)
}

/// The address of the page, with a request that only this server can have made.
pub(super) fn address(
    app: &App,
    (provider, hand_off): (&Provider, &HandOff),
    start: &Start<'_>,
    sealed: &str,
) -> Result<Url, Error> {
    let now = app.now();
    let mut claims = json!({
        "iss": app.config().server.public_url.as_str(),
        "aud": hand_off.url.as_str(),
        "iat": now.timestamp(),
        "exp": (now + state::lifetime()).timestamp(),
        "nonce": state::derive(app, start.visitor, NONCE, salt(sealed)),
        "state": sealed,
        "redirect_uri": redirect_uri(app, provider),
    });
    if start.purpose == Purpose::SignInAgain {
        claims["prompt"] = json!("login");
        claims["max_age"] = json!(0);
    }
    let signed = match claims {
        Value::Object(claims) => jose::sign(&claims, &seed(app)),
        _ => None,
    };
    let signed =
        signed.ok_or_else(|| Error::internal("the request of a hand-off is not signed"))?;
    let mut url = hand_off.url.clone();
    url.query_pairs_mut().append_pair("request", &signed);
    Ok(url)
}

/// The seed of the key that signs requests.
fn seed(app: &App) -> [u8; 32] {
    let derived = app.key().authenticate("hand-off requests", &[]);
    let mut seed = [0; 32];
    // A digest has exactly this length.
    let _ = hex::decode_to_slice(derived.as_str(), &mut seed);
    seed
}

/// The public keys of requests, as a JWKS (RFC 7517).
pub fn keys(app: &App) -> Value {
    json!({"keys": [jose::public_key(&seed(app))]})
}

/// Reads the user, and the digest of the request, which can be answered once, with the expiry of
/// the answer.
pub(super) async fn arrive(
    app: &App,
    (provider, hand_off): (&Provider, &HandOff),
    visitor: &Secret,
    returned: &Returned,
) -> Result<(Arrived, (Digest, Instant)), Failed> {
    let answer = returned.answer.as_deref();
    let answer = answer.ok_or(Failed::Invalid("no_answer"))?;
    let claims: Claims = match &hand_off.key {
        HandOffKey::Shared(key) => {
            let key = VerifyingKey::shared(key.expose().as_bytes());
            let keys: Vec<_> = key.into_iter().collect();
            let verified = jose::verify(answer, &keys, None);
            verified.map_err(|_| Failed::Invalid("bad_signature"))?.0
        }
        HandOffKey::Published(url, algorithm) => {
            fetch::verify(app, answer, url, Some(*algorithm)).await?.0
        }
    };
    let audience = app.config().server.public_url.as_str();
    let now = app.now();
    let expires = claims::check(&claims, provider, audience, now).map_err(Failed::Invalid)?;
    if expires > now + longest() + claims::leeway() {
        return Err(Failed::Invalid("too_long_lived"));
    }
    let nonce = state::derive(app, visitor, NONCE, salt(&returned.state));
    if claims::text(&claims, "nonce") != Some(&nonce) {
        return Err(Failed::Invalid("wrong_nonce"));
    }
    let arrived = Arrived::read(provider, &claims).map_err(Failed::Invalid)?;
    let used = Secret::new(format!("{} answer {nonce}", provider.issuer)).digest();
    Ok((arrived, (used, expires + claims::leeway())))
}
