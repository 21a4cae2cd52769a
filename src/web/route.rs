//! Routes and their HTTP methods.

use super::failure::Failure;
use actix_web::guard;
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route, web};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

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

/// Methods with a label of their own in the metrics. Others share one, which bounds the labels.
pub static METHODS: [Method; 6] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// The name of a method of the routes, and one name for all others, which clients make up.
pub fn method_name(method: &Method) -> &'static str {
    let known = METHODS.iter().find(|known| *known == method);
    known.map_or("other", Method::as_str)
}

/// The route of a request.
#[derive(Clone)]
pub struct MatchedRoute {
    /// The pattern of its path.
    pub pattern: Arc<str>,
    /// Method and pattern.
    pub name: Arc<str>,
}

/// The routes of one worker whose paths have no parameters, by method and path. The router returns
/// a pattern as new text, after another search; this keeps it.
#[derive(Default)]
pub struct KnownRoutes(RefCell<HashMap<Method, HashMap<Arc<str>, MatchedRoute>>>);

impl KnownRoutes {
    fn find(&self, method: &Method, path: &str) -> Option<MatchedRoute> {
        self.0.borrow().get(method)?.get(path).cloned()
    }

    fn add(&self, method: &Method, route: &MatchedRoute) {
        let mut known = self.0.borrow_mut();
        let of_method = known.entry(method.clone()).or_default();
        of_method.insert(route.pattern.clone(), route.clone());
    }
}

fn known_routes(request: &HttpRequest) -> Option<&KnownRoutes> {
    request
        .app_data::<web::Data<KnownRoutes>>()
        .map(|known| known.get_ref())
}

/// The route of a request, if its path has no parameters and was requested before.
pub fn find_known(request: &HttpRequest) -> Option<MatchedRoute> {
    known_routes(request)?.find(request.method(), request.path())
}

/// The route of a request; `None` if no route matches.
pub fn find(request: &HttpRequest) -> Option<MatchedRoute> {
    if let Some(known) = find_known(request) {
        return Some(known);
    }
    let (method, pattern) = (request.method(), request.match_pattern()?);
    let found = MatchedRoute {
        name: format!("{method} {pattern}").into(),
        pattern: pattern.into(),
    };
    // Their number is bounded by the routes: a path with a parameter differs from its pattern.
    if *found.pattern == *request.path()
        && METHODS.contains(method)
        && let Some(known) = known_routes(request)
    {
        known.add(method, &found);
    }
    Some(found)
}
