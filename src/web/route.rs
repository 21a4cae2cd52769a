//! Routes and their HTTP methods.

use super::failure::Failure;
use actix_web::guard;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, web};

/// A handler with its methods as the header `Allow` lists them.
pub struct Methods(&'static str, Route);

/// A handler for GET and HEAD. It must be safe (RFC 9110 section 9.2.1), apart from audit records.
pub fn read<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let guard = guard::Any(guard::Get()).or(guard::Head());
    Methods("GET, HEAD", web::route().guard(guard).to(handler))
}

/// A handler for POST.
pub fn post<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Methods("POST", web::post().to(handler))
}

/// A handler for PUT. It must be idempotent.
pub fn put<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Methods("PUT", web::put().to(handler))
}

/// A handler for PATCH.
pub fn patch<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Methods("PATCH", web::patch().to(handler))
}

/// A handler for DELETE. It must be idempotent.
pub fn delete<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Methods("DELETE", web::delete().to(handler))
}

/// A path with its handlers. Any other method, OPTIONS included, fails with the list of methods:
/// pages of other sites must not send requests, so CORS preflights get no support.
pub fn resource<const N: usize>(path: &str, handlers: [Methods; N]) -> Resource {
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
