//! The two endpoints of the device grant (RFC 8628).

use super::parameters::{Encoding, credentials, read, required};
use crate::web::extract;
use crate::web::failure::Failure;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use app::{App, OAuthError, device};
use domain::secret::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, Instant};
use wire::oauth::{DEVICE_CODE_GRANT, DeviceAuthorizationResponse, TokenResponse};

/// The longest time that a poll is held.
const LONGEST_WAIT: u64 = 30;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// `POST /auth/device`: device authorization (RFC 8628 section 3.1).
pub async fn start(
    app: web::Data<App>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let parameters = read(&request, payload, Encoding::FormOrJson).await?;
    let codes = device::start(
        &app,
        &extract::context_of(&app, &request),
        &credentials(&request, &parameters)?,
        parameters.value("scope"),
        parameters.value("device_name"),
    )
    .await?;
    let page = app.config().server.public_url.join("/device");
    let user_code = codes.user_code.to_string();
    let query = utf8_percent_encode(&user_code, NON_ALPHANUMERIC).to_string();
    // A dash is unreserved (RFC 3986 section 2.3) and makes the link easier to compare.
    let query = query.replace("%2D", "-");
    Ok(HttpResponse::Ok().json(DeviceAuthorizationResponse {
        device_code: codes.device_code.expose().to_owned(),
        verification_uri_complete: format!("{page}?user_code={query}"),
        verification_uri: page,
        user_code,
        expires_in: codes.expires_in.as_secs(),
        interval: codes.interval.as_secs(),
    }))
}

/// `POST /auth/device/token`: the device's poll (RFC 8628 section 3.4).
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
    let context = extract::context_of(&app, &request);
    let answer = device::poll::poll(
        &app,
        &context,
        &credentials,
        &Secret::new(device_code),
        wait,
    )
    .await;

    let is_pending = matches!(
        &answer,
        Err(app::Error::OAuth(
            OAuthError::AuthorizationPending | OAuthError::SlowDown,
            _
        ))
    );
    // A poll that could not be held to the end was not served as it preferred, and the
    // device must pace itself.
    let applied = wait.filter(|wait| !is_pending || started.elapsed() >= *wait);
    let mut response = match answer {
        Ok(new) => {
            let lifetime = new.token.expires_at.map(|end| end - new.token.created_at);
            HttpResponse::Ok().json(TokenResponse {
                access_token: new.secret.expose().to_owned(),
                token_type: "Bearer".to_owned(),
                expires_in: lifetime.and_then(|lifetime| lifetime.num_seconds().try_into().ok()),
                scope: new.token.scopes.to_string(),
            })
        }
        Err(error) => {
            let failure = Failure::App(error);
            failure.log(&context.request_id);
            super::write(&failure)
        }
    };
    if let Some(wait) = applied {
        let value = HeaderValue::from_str(&format!("wait={}", wait.as_secs()));
        if let Ok(value) = value {
            response.headers_mut().insert(PREFERENCE_APPLIED, value);
        }
    }
    Ok(response)
}

/// The preference `wait=N` (RFC 7240 section 4.3), at most [`LONGEST_WAIT`]; `None` without
/// it, or for 0 seconds.
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
    fn preferences() {
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
