//! A surface is the form in which a group of routes writes its errors. This module has the part
//! that all surfaces share.

use super::extract;
use super::failure::Failure;
use super::headers;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use app::App;
use app::audit::tally::{self, Occurrence};
use domain::audit::Actor;

/// Writes a failure of a request as a response; the text is the request id.
pub type Write = fn(&App, &HttpRequest, &Failure, &str) -> HttpResponse;

/// Handles a request, writes its failure if any, and keeps the response out of caches, since it may
/// contain a secret or private data.
pub async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    write: Write,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let app = extract::app_of(request.request())?;
    match extract::check_transport(&app, request.request()) {
        Ok(()) => answer_by(&app, request, next, write).await,
        Err(failure) => Ok(refuse(&app, request, &failure, write)),
    }
}

/// Response to a request that no handler gets.
fn refuse(
    app: &App,
    request: ServiceRequest,
    failure: &Failure,
    write: Write,
) -> ServiceResponse<BoxBody> {
    let context = extract::context_of(app, request.request());
    let failed = write(app, request.request(), failure, &context.request_id);
    let mut response = request.into_response(failed);
    headers::no_store(response.headers_mut());
    response
}

/// The same for requests over plain http too; the handler checks the transport.
pub async fn answer_any_transport(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    write: Write,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let app = extract::app_of(request.request())?;
    answer_by(&app, request, next, write).await
}

async fn answer_by(
    app: &App,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    write: Write,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // An old copy of the database would accept revoked tokens. The cause is logged once.
    if let Err(error) = app.require_sound_log() {
        return Ok(refuse(app, request, &Failure::App(error), write));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    let failed = Failure::of(&response).map(|failure| {
        let request = response.request();
        let context = extract::context_of(app, request);
        failure.cause().log(&context.request_id);
        record(app, request, failure.cause());
        write(app, request, &failure, &context.request_id)
    });
    let mut response = match failed {
        Some(failed) => response.into_response(failed),
        None => response,
    };
    headers::no_store(response.headers_mut());
    Ok(response)
}

/// Adds an audit record of a refusal that no other record covers. Usage records already cover
/// refusals of tokens.
fn record(app: &App, request: &HttpRequest, failure: &Failure) {
    let Some((action, reason)) = failure.refusal() else {
        return;
    };
    let actor = request.extensions().get::<Actor>().cloned();
    let is_denial = matches!(failure, Failure::App(app::Error::Forbidden(_)));
    if is_denial && !matches!(actor, Some(Actor::User(_))) {
        return;
    }
    let refusal = Occurrence {
        organization: request.match_info().get("org").map(str::to_owned),
        ..Occurrence::new(action, reason, actor.unwrap_or(Actor::Anonymous))
    };
    tally::note(app, &extract::context_of(app, request), refusal);
}
