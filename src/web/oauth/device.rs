//! Device authorization (RFC 8628 section 3.1).

use super::anonymous;
use super::parameters::{Encoding, credentials, read};
use crate::web::failure::Failure;
use actix_web::{HttpRequest, HttpResponse, web};
use app::App;
use app::device::{self, DeviceRequest};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::oauth::DeviceAuthorizationResponse;

/// `POST /auth/device`: device authorization (RFC 8628 section 3.1).
pub async fn start(
    app: web::Data<App>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let parameters = read(&request, payload, Encoding::FormOrJson).await?;
    let codes = device::start(
        &anonymous(&app, &request),
        &credentials(&request, &parameters)?,
        DeviceRequest {
            scope: parameters.value("scope"),
            device_name: parameters.value("device_name"),
            organization: parameters.value("organization"),
            project: parameters.value("project"),
        },
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
