//! Requests of identity providers: back-channel logout, and the keys of hand-off requests.

use super::anonymous;
use crate::web::extract;
use crate::web::failure::Failure;
use actix_web::{HttpRequest, HttpResponse, web};
use app::identity::{self, Failed};
use app::{App, OAuthError};

/// `POST /auth/logout/{provider}`: OpenID Connect Back-Channel Logout 1.0 section 2.5.
pub async fn log_out(
    app: web::Data<App>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = extract::form(&request, payload).await?;
    let provider = request.match_info().get("provider").unwrap_or_default();
    let token = form.value("logout_token").unwrap_or_default();
    match identity::log_out(&anonymous(&app, &request), provider, token).await {
        Ok(()) => Ok(HttpResponse::Ok().finish()),
        Err(Failed::Error(app::Error::Outside(_))) => Err(app::Error::Busy.into()),
        Err(Failed::Error(error)) => Err(error.into()),
        Err(_) => {
            let why = "The logout token is not valid, or was used before.";
            Err(app::Error::OAuth(OAuthError::InvalidRequest, why).into())
        }
    }
}

/// `GET /auth/keys`: the keys that sign the requests of hand-offs (RFC 7517).
pub async fn keys(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(identity::keys(&app))
}
