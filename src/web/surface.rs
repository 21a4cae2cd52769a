//! A surface is the form in which a scope of addresses answers its errors. What every
//! surface does is here; how it writes a failure is its own.

use super::extract;
use super::failure::Failure;
use super::headers;
use crate::app::App;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, web};

/// Writes a failure of the request with this id.
pub type Write = fn(app: &App, failure: &Failure, request_id: &str) -> HttpResponse;

/// Answers a request, writes its failure if there is one, and keeps the answer out of
/// caches: it may hold a secret, or what only one person should see.
pub async fn answer(
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    write: Write,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let context = extract::context_of(&app, request.request());
    let mut response = match extract::check_transport(&app, request.request()) {
        Err(failure) => request.into_response(write(&app, &failure, &context.request_id)),
        Ok(()) => {
            let response = next.call(request).await?.map_into_boxed_body();
            let failed = Failure::of(&response).map(|failure| {
                failure.log(&context.request_id);
                write(&app, &failure, &context.request_id)
            });
            match failed {
                Some(failed) => response.into_response(failed),
                None => response,
            }
        }
    };
    headers::no_store(response.headers_mut());
    Ok(response)
}
