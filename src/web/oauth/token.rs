//! The token endpoint of the device grant (RFC 8628 section 3.4).

use super::anonymous;
use super::parameters::{Encoding, credentials, read, required};
use crate::web::failure::Failure;
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use app::device::{self, poll::PollOutcome};
use app::token::NewToken;
use app::{App, OAuthError};
use domain::secret::Secret;
use std::time::{Duration, Instant};
use wire::oauth::{DEVICE_CODE_GRANT, TokenResponse};

/// Longest wait of a poll, in seconds.
const LONGEST_WAIT: u64 = 30;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `POST /auth/device/token`: poll by the device (RFC 8628 section 3.4).
pub async fn poll(
    app: web::Data<App>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let parameters = read(&request, payload, Encoding::FormOrJson).await?;
    let grant_type = required(&parameters, "grant_type", "The grant_type is missing.")?;
    if grant_type != DEVICE_CODE_GRANT {
        return Err(Failure::App(app::Error::OAuth(
            OAuthError::UnsupportedGrantType,
            "The only grant type is urn:ietf:params:oauth:grant-type:device_code.",
        )));
    }
    let credentials = credentials(&request, &parameters)?;
    let device_code = required(&parameters, "device_code", "The device_code is missing.")?;
    let wait = preferred_wait(&request);
    let started = Instant::now();
    let req = anonymous(&app, &request);
    let device_code = Secret::new(device_code);
    let outcome = device::poll::poll(&req, &credentials, &device_code, wait).await?;
    let is_pending = matches!(outcome, PollOutcome::Pending | PollOutcome::SlowDown);
    // A pending poll that ended early did not honor the preference: without
    // `Preference-Applied`, the device keeps to its interval.
    if let Some(wait) = wait.filter(|wait| !is_pending || started.elapsed() >= *wait) {
        request.extensions_mut().insert(PreferenceApplied(wait));
    }
    let refused = |error, description| Err(Failure::App(app::Error::OAuth(error, description)));
    match outcome {
        PollOutcome::Issued(new) => Ok(issued(&new)),
        PollOutcome::Pending => refused(
            OAuthError::AuthorizationPending,
            "The user has not decided yet. Poll again after the interval.",
        ),
        PollOutcome::SlowDown => refused(
            OAuthError::SlowDown,
            "The device polls too often. Add 5 seconds to the interval.",
        ),
        PollOutcome::Denied(because) => refused(OAuthError::AccessDenied, because.explain()),
        PollOutcome::Expired => refused(
            OAuthError::ExpiredToken,
            "The device code has expired. Request new codes.",
        ),
        PollOutcome::Invalid => refused(
            OAuthError::InvalidGrant,
            "The device code is unknown, was used, or belongs to another client.",
        ),
    }
}

fn issued(new: &NewToken) -> HttpResponse {
    let lifetime = new.token.expires_at.map(|end| end - new.token.created_at);
    HttpResponse::Ok().json(TokenResponse {
        access_token: new.secret.expose().to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: lifetime.and_then(|lifetime| lifetime.num_seconds().try_into().ok()),
        scope: new.token.scopes.to_string(),
    })
}

/// Preferred wait that the server honored. The surface reports it in every kind of response.
struct PreferenceApplied(Duration);

/// Sets `Preference-Applied` (RFC 7240 section 3).
pub fn note_preference<B>(response: &mut ServiceResponse<B>) {
    let applied = response
        .request()
        .extensions()
        .get()
        .map(|PreferenceApplied(wait)| *wait);
    let value = applied.map(|wait| HeaderValue::from_str(&format!("wait={}", wait.as_secs())));
    if let Some(Ok(value)) = value {
        response.headers_mut().insert(PREFERENCE_APPLIED, value);
    }
}

/// Preference `wait=N` (RFC 7240 section 4.3), at most [`LONGEST_WAIT`]. `None` if it is absent or
/// 0 seconds.
fn preferred_wait(request: &HttpRequest) -> Option<Duration> {
    let seconds: u64 = request
        .headers()
        .get_all(PREFER)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .find_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            let value = value.trim().trim_matches('"');
            name.trim()
                .eq_ignore_ascii_case("wait")
                .then(|| value.parse().ok())?
        })?;
    (seconds > 0).then(|| Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn wait_preferences_are_parsed_and_capped() {
        for (header, expected) in [
            ("wait=10", Some(10)),
            ("respond-async, Wait=10", Some(10)),
            ("wait=\"10\"; x=y", Some(10)),
            ("wait=999", Some(30)),
            ("wait=0", None),
            ("wait=-1", None),
            ("wait", None),
            ("wait=99999999999999999999999", None),
        ] {
            let request = TestRequest::default()
                .insert_header((PREFER, header))
                .to_http_request();
            let expected = expected.map(Duration::from_secs);
            assert_eq!(preferred_wait(&request), expected, "{header}");
        }
    }
}
