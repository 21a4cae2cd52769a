//! Table of the routes of the management API. Routing, the OpenAPI description and the records of
//! token uses read it.

use crate::web::route::{Methods, resource};
use actix_web::http::Method;
use actix_web::web::ServiceConfig;
use std::collections::BTreeMap;

/// Common prefix of the paths.
const PREFIX: &str = "/v1";

/// Lists the routes of a module: method and path, handler, and the scope that a token needs, or
/// `None`. A test compares them with the `utoipa::path` of the handlers.
///
/// The function `routes` of the module adds them to the table, and `Description` describes them.
macro_rules! routes {
    ($($method:ident $path:literal => $handler:ident: $scope:expr),+ $(,)?) => {
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($handler),+))]
        pub struct Description;

        /// Adds the routes of this module to the table.
        pub fn routes(table: &mut $crate::web::api::routes::Table) {
            $(table.add(
                actix_web::http::Method::$method,
                $path,
                $scope,
                || actix_web::web::to($handler),
            );)+
        }
    };
}
pub(super) use routes;

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
    paths: BTreeMap<&'static str, Vec<Route>>,
}

impl Table {
    /// Adds a route; `scope` is `None` if a token needs none.
    pub fn add(
        &mut self,
        method: Method,
        path: &'static str,
        scope: impl Into<Option<&'static str>>,
        handler: fn() -> actix_web::Route,
    ) {
        let routes = self.paths.entry(path).or_default();
        let scope = scope.into();
        routes.push(Route {
            method,
            scope,
            handler,
        });
        // The header `Allow` lists methods in this order.
        let order = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        routes.sort_by_key(|route| order.iter().position(|name| route.method == *name));
    }

    /// All routes, each with its path.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Route)> {
        let paths = self.paths.iter();
        paths.flat_map(|(path, routes)| routes.iter().map(|route| (*path, route)))
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
