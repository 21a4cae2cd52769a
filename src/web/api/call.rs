//! Request of the management API: its caller, its input and its response.
//!
//! Checks run in this order: the token, the syntax of the Idempotency-Key, the body, and last the
//! permissions of the caller.

use super::problem;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::idempotency_key::idempotency_key;
use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use app::access::{self, Caller};
use app::audit::uses::Used;
use app::idempotency::{
    self, Answer, IdempotencyGuard, IdempotencyRecord, IdempotencyStart, IdempotentCall,
};
use app::{App, Context, Request};
use app::{operator, token};
use domain::secret::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use wire::json::Value;

/// Marks a replayed response.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Maximum length of a refusal that is stored for repetitions, in bytes.
const LONGEST_REFUSAL: usize = 4096;

/// Authenticated request. Handlers pass it to use cases as their [`Request`].
pub struct Call {
    request: Request,
    /// Path of the request.
    pub path: String,
    pub(super) query: String,
    method: Method,
    bearer: Secret,
    key: Option<Secret>,
    body: Value,
}

impl Deref for Call {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

impl FromRequest for Call {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move { Self::of(&request, &mut payload).await })
    }
}

impl Call {
    async fn of(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Failure> {
        let app = App::clone(&*extract::app_of(request)?);
        let context = extract::context_of(&app, request);
        let bearer = extract::bearer(request)?.ok_or(Failure::NoToken)?;
        let anonymous = Request::new(&app, context.clone(), Caller::Anonymous);
        let caller = identify(&anonymous, request, &bearer).await?;
        request.extensions_mut().insert(caller.actor());
        let has_false_actor =
            matches!(caller, Caller::Token(_)) && extract::claims_actor(&app, request);
        let context = Context {
            has_false_actor,
            ..context
        };
        let method = request.method().clone();
        let key = match method == Method::POST {
            true => Some(idempotency_key(request)?),
            false => None,
        };
        let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(&method);
        let body = match takes_body {
            true => read_body(request, payload).await?,
            false => Value::Object(Vec::new()),
        };
        Ok(Self {
            request: Request::new(&app, context, caller),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            method,
            bearer,
            key,
            body,
        })
    }

    /// Reads the body. Reports all faults together.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.body.read().map_err(Failure::Faults)
    }

    /// Executes a POST once per Idempotency-Key. The use case `work` must get the request that is
    /// passed to it, which stores the outcome with its effect; `status` and `document` define the
    /// response.
    pub async fn once<T: 'static, D: Serialize>(
        &self,
        status: StatusCode,
        document: impl Fn(&T) -> D + Send + Sync + 'static,
        work: impl AsyncFnOnce(&Request) -> Result<T, app::Error>,
    ) -> Result<HttpResponse, Failure> {
        let write = move |outcome: &T| Answer::json(status.as_u16(), &document(outcome));
        let write = Arc::new(write);
        let guard = match self.begin().await? {
            IdempotencyStart::First(guard) => guard,
            IdempotencyStart::Repeated(answer) => return Ok(respond(answer, true)),
        };
        let filing = write.clone();
        let record = IdempotencyRecord::of(&guard, move |outcome: &T| filing(outcome));
        match work(&self.request.with_idempotency(record)).await {
            Ok(outcome) if guard.is_filed() => Ok(respond(write(&outcome), false)),
            Ok(_) => Err(Failure::Internal(
                "the use case stored no idempotency record, so a repetition would repeat its effect".into(),
            )),
            Err(error) => Err(self.refuse(&guard, error.into()).await),
        }
    }

    async fn begin(&self) -> Result<IdempotencyStart, Failure> {
        let key = self
            .key
            .as_ref()
            .ok_or(Failure::Internal("only POST has an Idempotency-Key".into()))?;
        let call = IdempotentCall {
            caller: &self.caller,
            bearer: &self.bearer,
            key,
            payload: [self.method.as_str(), &self.path, &self.body.canonical()],
        };
        Ok(idempotency::begin(&self.app, call).await?)
    }

    /// Stores the response of a failure that a repetition would get too; releases the key after any
    /// other failure, which had no effect.
    async fn refuse(&self, guard: &IdempotencyGuard, failure: Failure) -> Failure {
        let done = match self.kept(&failure) {
            Some(answer) => idempotency::settle(&self.app, guard, answer).await,
            None => idempotency::release(&self.app, guard).await,
        };
        if let Err(error) = done {
            // The lease expires without it.
            let request_id = &*self.context.request_id;
            tracing::warn!(
                request_id,
                ?error,
                "cannot settle or release the Idempotency-Key"
            );
        }
        failure
    }

    /// The response that is stored for a failure. A long one is not stored: without an effect, the
    /// request can be executed again.
    fn kept(&self, failure: &Failure) -> Option<Answer> {
        let is_final = !matches!(failure, Failure::App(app::Error::InProgress))
            && [400, 404, 409, 422].contains(&failure.status().as_u16());
        let answer = is_final.then(|| {
            let problem = problem::document(&self.app, failure, &self.context.request_id);
            Answer::json(problem.status, &problem)
        });
        answer.filter(|answer| answer.body.len() <= LONGEST_REFUSAL)
    }
}

/// Token of a request. The surface records its use when the outcome is known.
pub struct Presented(pub Used);

/// Authenticates the owner of a token: a user, an organization, or the operator, who may act for a
/// user. Marks an active token so that its use is recorded.
async fn identify(
    req: &Request,
    request: &HttpRequest,
    bearer: &Secret,
) -> Result<Caller, Failure> {
    let Request { app, context, .. } = req;
    if let Some(active) = token::authenticate(req, bearer).await? {
        let used = Used::from(&active.token);
        request.extensions_mut().insert(Presented(used));
        return Ok(Caller::Token(Box::new(active)));
    }
    if !operator::is_operator(app, context, bearer).await {
        return Err(Failure::InvalidToken);
    }
    let presented = |user_id| Presented(Used::operator(user_id));
    request.extensions_mut().insert(presented(None));
    let actor = extract::actor(app, request)?;
    let caller = Caller::Operator(actor.clone());
    access::check_actor(app, &caller).await?;
    request.extensions_mut().insert(presented(actor));
    Ok(caller)
}

/// Builds a response that may be a replay.
fn respond(answer: Answer, is_replayed: bool) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = HttpResponse::build(status);
    if is_replayed {
        response.insert_header((REPLAYED, "true"));
    }
    response
        .content_type(match status.is_success() {
            true => "application/json",
            false => problem::MEDIA_TYPE,
        })
        .body(answer.body)
}

async fn read_body(request: &HttpRequest, payload: &mut Payload) -> Result<Value, Failure> {
    let payload = web::Payload::from_request(request, payload)
        .await
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let body = extract::body(request, payload).await?;
    if !body.is_empty() && extract::media_type(request) != "application/json" {
        return Err(Failure::UnsupportedMedia);
    }
    Value::parse(&body).ok_or(Failure::InvalidJson)
}
