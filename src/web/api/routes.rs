//! Table of the routes of the management API. Routing, the OpenAPI description and the records of
//! token uses read it.

use crate::web::route::{Methods, resource};
use actix_web::http::Method;
use actix_web::web::ServiceConfig;
use std::collections::BTreeMap;
use utoipa::openapi::OpenApi;

/// Common prefix of the paths.
const PREFIX: &str = "/v1";

/// Lists the handlers of a module, each with the scope that it requires, or `None`. Method and path
/// of a handler are those of its `utoipa::path`.
///
/// The function `routes` of the module adds them to the table.
macro_rules! routes {
    ($($handler:ident: $scope:expr),+ $(,)?) => {
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($handler),+))]
        struct Description;

        /// Adds the routes of this module to the table.
        pub fn routes(table: &mut $crate::web::api::routes::Table) {
            use $crate::web::api::routes::Handler;
            table.add(
                <Description as utoipa::OpenApi>::openapi,
                &[$(Handler::new(stringify!($handler), $scope, || {
                    actix_web::web::to($handler)
                })),+],
            );
        }
    };
}
pub(super) use routes;

/// A handler with the scope that a token needs for it.
#[derive(Clone, Copy)]
pub struct Handler {
    /// Name of its function, which is the id of its operation.
    name: &'static str,
    scope: Option<&'static str>,
    route: fn() -> actix_web::Route,
}

impl Handler {
    /// A handler; `scope` is `None` if it needs none.
    pub fn new(
        name: &'static str,
        scope: impl Into<Option<&'static str>>,
        route: fn() -> actix_web::Route,
    ) -> Self {
        Self {
            name,
            scope: scope.into(),
            route,
        }
    }
}

/// A method of a path.
pub struct Route {
    /// HTTP method. GET includes HEAD.
    pub method: Method,
    /// Scope that a token needs; `None` if it needs none.
    pub scope: Option<&'static str>,
    handler: fn() -> actix_web::Route,
}

/// Routes by path. The paths are sorted: `{` is after all letters, so a literal segment is before a
/// parameter, and the router tries it first.
#[derive(Default)]
pub struct Table {
    paths: BTreeMap<String, Vec<Route>>,
    /// Descriptions of the modules' operations and their schemas.
    pub descriptions: Vec<fn() -> OpenApi>,
}

impl Table {
    /// Adds the handlers of a module, each as the operation that has its name.
    pub fn add(&mut self, describe: fn() -> OpenApi, handlers: &[Handler]) {
        self.descriptions.push(describe);
        for (path, item) in describe().paths.paths {
            // The header `Allow` lists methods in this order.
            let methods = [
                (Method::GET, item.get),
                (Method::POST, item.post),
                (Method::PUT, item.put),
                (Method::PATCH, item.patch),
                (Method::DELETE, item.delete),
            ];
            let routes = methods.into_iter().filter_map(|(method, operation)| {
                let id = operation?.operation_id?;
                let handler = handlers.iter().find(|handler| handler.name == id)?;
                Some(Route {
                    method,
                    scope: handler.scope,
                    handler: handler.route,
                })
            });
            self.paths.entry(path).or_default().extend(routes);
        }
    }

    /// All routes, each with its path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Route)> {
        let paths = self.paths.iter();
        paths.flat_map(|(path, routes)| routes.iter().map(move |route| (path.as_str(), route)))
    }

    /// Registers the routes in the service of the prefix.
    pub fn register(&self, config: &mut ServiceConfig) {
        for (path, routes) in &self.paths {
            let methods = routes
                .iter()
                .map(|route| Methods::new(route.method.clone(), (route.handler)()));
            let path = path.strip_prefix(PREFIX).unwrap_or(path);
            config.service(resource(path, methods));
        }
    }

    /// Scope that a route such as `GET /v1/audit` requires; `None` if it requires none.
    pub fn scope_of(&self, route: &str) -> Option<&'static str> {
        let (method, path) = route.split_once(' ')?;
        // HEAD requires the same scope as GET.
        let method = if method == "HEAD" { "GET" } else { method };
        let mut routes = self.paths.get(path)?.iter();
        routes.find(|route| route.method == method)?.scope
    }
}
