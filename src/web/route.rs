//! Addresses and the methods that they take.

use super::failure::Failure;
use actix_web::guard;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, Route, web};

/// A handler with the methods that it takes, as the header `Allow` lists them.
pub struct Methods(&'static str, Route);

/// A handler for GET and HEAD. It must change nothing, but may leave a record that it was asked.
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

/// A handler for PUT. Doing it twice must be as good as once.
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

/// A handler for DELETE. Doing it twice must be as good as once.
pub fn delete<F, Args>(handler: F) -> Methods
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Methods("DELETE", web::delete().to(handler))
}

/// An address with its handlers. Any other method is answered with those that it takes, OPTIONS
/// too: no page of another site is to call us, so there is no preflight to answer.
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

/// What a scope answers at addresses that it does not have.
pub async fn nothing() -> Result<HttpResponse, Failure> {
    Err(Failure::NotFound)
}
