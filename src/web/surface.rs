//! A surface is the form in which a scope of addresses answers its errors. What every
//! surface does is here; how it writes a failure is its own.

use super::extract;
use super::failure::Failure;
use super::headers;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use app::App;
use app::audit::refusals::{self, Refusal};
use domain::audit::Actor;

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
                record(&app, response.request(), &failure);
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

/// Leaves a record of a refusal that no other record tells of. What a token may not do is told
/// by its uses.
fn record(app: &App, request: &HttpRequest, failure: &Failure) {
    let Some((action, reason)) = failure.refusal() else {
        return;
    };
    let actor = request.extensions().get::<Actor>().cloned();
    let is_denial = matches!(failure, Failure::App(app::Error::Forbidden(_)));
    if is_denial && !matches!(actor, Some(Actor::User(_))) {
        return;
    }
    let refusal = Refusal {
        action,
        reason,
        actor: actor.unwrap_or(Actor::Anonymous),
        organization: request.match_info().get("org").map(str::to_owned),
    };
    refusals::note(app, &extract::context_of(app, request), refusal);
}
