//! Revocation (RFC 7009).

use super::anonymous;
use super::parameters::{Encoding, credentials, read, required};
use crate::web::failure::Failure;
use actix_web::{HttpRequest, HttpResponse, web};
use app::{App, client, token};
use domain::secret::Secret;

/// `POST /auth/revoke`. The response is the same for a token that is revoked now, was revoked
/// before, or never existed (RFC 7009 section 2.2).
pub async fn revoke(
    app: web::Data<App>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let parameters = read(&request, payload, Encoding::Form).await?;
    let req = anonymous(&app, &request);
    let credentials = credentials(&request, &parameters)?;
    let client = client::authenticate(&req, &credentials).await?;
    let text = required(&parameters, "token", "The token is missing.")?;
    token::give_back(&req, &client, &Secret::new(text)).await?;
    Ok(HttpResponse::Ok().finish())
}
