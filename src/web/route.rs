//! Routes and their HTTP methods.

use super::failure::Failure;
use actix_web::guard;
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, web};

/// A handler with its methods as the header `Allow` lists them.
pub struct Methods(String, Route);

impl Methods {
    /// A handler for a method. GET includes HEAD and must be safe (RFC 9110 section 9.2.1), apart
    /// from audit records. PUT and DELETE must be idempotent.
    pub fn new(method: Method, handler: Route) -> Self {
        if method == Method::GET {
            let guard = guard::Any(guard::Get()).or(guard::Head());
            return Self("GET, HEAD".to_owned(), handler.guard(guard));
        }
        Self(method.to_string(), handler.method(method))
    }
}

/// A handler for GET and HEAD.
pub fn read<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Methods::new(Method::GET, web::to(handler))
}

/// A handler for POST.
pub fn post<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Methods::new(Method::POST, web::to(handler))
}

/// A path with its handlers. Any other method, OPTIONS included, fails with the list of methods:
/// pages of other sites must not send requests, so CORS preflights get no support.
pub fn resource(path: &str, handlers: impl IntoIterator<Item = Methods>) -> Resource {
    let mut allowed = Vec::new();
    let mut resource = web::resource(path);
    for Methods(methods, route) in handlers {
        allowed.push(methods);
        resource = resource.route(route);
    }
    let allowed = allowed.join(", ");
    resource.default_service(web::to(move || {
        let allowed = allowed.clone();
        async move { Err::<HttpResponse, _>(Failure::MethodNotAllowed(allowed)) }
    }))
}

/// Handler for unknown paths.
pub async fn nothing() -> Result<HttpResponse, Failure> {
    Err(Failure::NotFound)
}
