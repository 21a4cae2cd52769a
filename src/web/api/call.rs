//! One call of the management API: who makes it, with what, and how it is answered.
//!
//! What is wrong with a call is found in this order: its token, the form of its
//! Idempotency-Key, its body, and last what the caller may not do.

use super::demand;
use super::problem::{self, Kind};
use crate::web::extract;
use crate::web::failure::Failure;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceResponse};
use actix_web::http::header::HeaderName;
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use app::audit::uses::{self, Purpose, Used};
use app::caller::{self, Caller};
use app::idempotency::{
    self, Answer, IdempotencyGuard, IdempotencyRecord, IdempotencyStart, IdempotentCall,
};
use app::{App, Context};
use app::{operator, token};
use domain::secret::Secret;
use serde::Serialize;
use std::pin::Pin;
use wire::form::Form;
use wire::json::{Object, Value};

/// Names a call, so that repeating it does nothing twice.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is an earlier one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest key.
const KEY_LENGTH: usize = 255;

/// A call by somebody who has shown who they are.
pub struct Call {
    /// The application.
    pub app: App,
    /// Who asks, from where.
    pub context: Context,
    /// Who calls.
    pub caller: Caller,
    /// The path that was called.
    pub path: String,
    query: String,
    method: Method,
    bearer: Secret,
    key: Option<Secret>,
    body: Value,
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
        let app = request
            .app_data::<web::Data<App>>()
            .ok_or_else(|| Failure::Internal("no application".into()))?
            .get_ref()
            .clone();
        let context = extract::context_of(&app, request);
        let bearer = extract::bearer(request)?.ok_or(Failure::NoToken)?;
        let caller = identify(&app, &context, request, &bearer).await?;
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
            path: request.path().to_owned(),
            app,
            context,
            caller,
            query: request.query_string().to_owned(),
            method,
            bearer,
            key,
            body,
        })
    }

    /// The parameters of the query, where it means something.
    pub fn query(&self) -> Result<Form, Failure> {
        let query = extract::read_form(self.query.as_bytes())?;
        match query.repeated_except(&[]) {
            Some(_) => Err(Failure::Malformed("A parameter appears more than once.")),
            None => Ok(query),
        }
    }

    /// Reads the body. Every fault is told at once.
    pub fn read<T>(&self, read: impl FnOnce(&mut Object<'_>) -> T) -> Result<T, Failure> {
        self.body.read(read).map_err(Failure::Faults)
    }

    /// Carries out a POST once, however often it is made. The use case `work` files its
    /// outcome with the receipt; `status` and `document` make the answer of it.
    pub async fn once<T, D, F>(
        &self,
        status: StatusCode,
        document: impl Fn(&T) -> D + Send + Sync + 'static,
        work: impl FnOnce(IdempotencyRecord<T>) -> F,
    ) -> Result<HttpResponse, Failure>
    where
        D: Serialize,
        F: Future<Output = Result<T, app::Error>>,
    {
        let write = move |outcome: &T| Answer::json(status.as_u16(), &document(outcome));
        let write = std::sync::Arc::new(write);
        let guard = match self.begin().await? {
            IdempotencyStart::First(guard) => guard,
            IdempotencyStart::Repeated(answer) => return Ok(respond(answer, true)),
        };
        let filing = write.clone();
        let idempotency = IdempotencyRecord::of(&guard, move |outcome: &T| filing(outcome));
        match work(idempotency).await {
            Ok(outcome) if guard.is_filed() => Ok(respond(write(&outcome), false)),
            Ok(_) => Err(Failure::Internal(
                "the use case filed no receipt; its effect cannot be told from none".into(),
            )),
            Err(error) => Err(self.refuse(&guard, error.into()).await),
        }
    }

    async fn begin(&self) -> Result<IdempotencyStart, Failure> {
        let key = self.key.as_ref().ok_or(Failure::Internal(
            "only POST is carried out once by its key".into(),
        ))?;
        let call = IdempotentCall {
            caller: &self.caller.identity(),
            bearer: &self.bearer,
            key,
            payload: [self.method.as_str(), &self.path, &self.body.canonical()],
        };
        Ok(idempotency::begin(&self.app, call).await?)
    }

    /// Keeps the answer of a failure that would be the same another time; gives the key back
    /// after any other.
    async fn refuse(&self, guard: &IdempotencyGuard, failure: Failure) -> Failure {
        let is_kept = !matches!(failure, Failure::App(app::Error::InProgress))
            && [400, 404, 409, 422].contains(&failure.status().as_u16());
        let done = match is_kept {
            true => {
                let problem = problem::document(&self.app, &failure, &self.context.request_id);
                let answer = Answer::json(problem.status, &problem);
                idempotency::settle(&self.app, guard, answer).await
            }
            false => idempotency::release(&self.app, guard).await,
        };
        if let Err(error) = done {
            // The lease ends by itself.
            let request_id = &self.context.request_id;
            tracing::warn!(
                request_id,
                ?error,
                "an Idempotency-Key could not be given back"
            );
        }
        failure
    }
}

/// The token of a call, which the surface notes the use of when it knows how the call ended.
struct Presented(Used);

/// Notes the use of the token with which a call came.
pub fn note_use(app: &App, response: &ServiceResponse<BoxBody>) {
    let extensions = response.request().extensions();
    let Some(Presented(used)) = extensions.get() else {
        return;
    };
    let context = extract::context_of(app, response.request());
    let told = response.response().extensions();
    let needed = context.route.as_deref();
    let needed = needed.and_then(|route| demand::scope_of(app, route));
    let (decision, scope) = match told.get::<problem::Refused>() {
        None => (uses::ALLOWED, needed),
        Some(refused) => (refused.code, refused.scope.as_deref().or(needed)),
    };
    let purpose = Purpose {
        scope,
        organization_id: None,
    };
    uses::note(app, &context, used.clone(), decision, purpose);
}

/// Whom a token belongs to: a person, an organization, or the operator, who may act for a
/// person. Of a token that can be used the use is noted.
async fn identify(
    app: &App,
    context: &Context,
    request: &HttpRequest,
    bearer: &Secret,
) -> Result<Caller, Failure> {
    if let Some(active) = token::authenticate(app, context, bearer).await? {
        let used = Used::from(&active.token);
        request.extensions_mut().insert(Presented(used));
        return Ok(Caller::Token(Box::new(active)));
    }
    if !operator::is_operator(app, context, bearer).await {
        return Err(Failure::InvalidToken);
    }
    request.extensions_mut().insert(Presented(Used::operator()));
    let caller = Caller::Operator(extract::actor(app, request)?);
    caller::check_actor(app, &caller).await?;
    Ok(caller)
}

/// An answer, which may have been given before.
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
    Value::parse(&body).ok_or(Failure::Problem(
        Kind::InvalidJson,
        Kind::InvalidJson.advice(),
    ))
}

/// The key of a call: a string of structured fields (RFC 9651 section 3.3.3), or the bare text,
/// which is the same key.
fn idempotency_key(request: &HttpRequest) -> Result<Secret, Failure> {
    let problem = |kind: Kind| Failure::Problem(kind, kind.advice());
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY);
    let value = values
        .next()
        .ok_or_else(|| problem(Kind::IdempotencyKeyRequired))?;
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let key = text.and_then(read_key).map(Secret::new);
    key.ok_or_else(|| problem(Kind::IdempotencyKeyInvalid))
}

fn read_key(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        Some(quoted) => unquote(quoted)?,
        None => text.to_owned(),
    };
    let is_visible = |c: char| matches!(c, ' '..='~');
    ((1..=KEY_LENGTH).contains(&key.len()) && key.chars().all(is_visible)).then_some(key)
}

/// What stands in quotes; only quotes and backslashes may be escaped.
fn unquote(rest: &str) -> Option<String> {
    let mut key = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return characters.as_str().is_empty().then_some(key),
            '\\' => key.push(characters.next().filter(|c| matches!(c, '"' | '\\'))?),
            other => key.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_quotes_is_the_same_as_without() {
        for (text, key) in [
            (
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            ("\"a\"", "a"),
            ("a", "a"),
            (" \"a b\" ", "a b"),
            (r#""a\"\\""#, "a\"\\"),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(read_key(text).as_deref(), Some(key), "{text}");
        }
        let long = "k".repeat(KEY_LENGTH);
        assert_eq!(read_key(&long).as_deref(), Some(long.as_str()));
        assert_eq!(read_key(&format!("\"{long}\"")), Some(long.clone()));
        let too_long = format!("{long}k");
        for bad in [
            "", " ", "\"\"", "\"", "\"a", "\"a\"b", r#""a\b""#, "a\tb", "é", &too_long,
        ] {
            assert_eq!(read_key(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_key_panics(text: String) {
            let _ = read_key(&text);
        }
    }
}
