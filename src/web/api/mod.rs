//! Management API. It writes all errors as problem details (RFC 9457).
//!
//! Each resource has a module with its handlers, which it lists in the table of [`routes`].
//! A handler takes a [`call::Call`], which is also the request of its use cases: it reads the body
//! with `read` and the page of a list with `listing`, and executes a POST with `once`.

mod audit;
mod call;
mod client;
mod configuration;
mod document;
mod me;
mod member;
pub mod openapi;
mod org;
mod page;
mod path;
pub mod problem;
mod project;
mod query;
mod routes;
mod scope_catalogue;
mod token;
mod user;
mod values;

pub use document::client as client_document;

use super::route::{nothing, read, resource};
use super::{extract, surface};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use app::App;
use app::audit::uses::{self, Purpose, UseDecision};
use routes::Table;
use std::sync::LazyLock;
use utoipa::openapi::OpenApi;

/// Modules with routes.
macro_rules! resources {
    ($($module:ident),+ $(,)?) => {
        /// All routes under `/v1`.
        static TABLE: LazyLock<Table> = LazyLock::new(|| {
            let mut table = Table::default();
            $($module::routes(&mut table);)+
            table
        });

        /// Descriptions of the modules' operations and their schemas.
        const DESCRIPTIONS: [fn() -> OpenApi; [$(stringify!($module)),+].len()] =
            [$(<$module::Description as utoipa::OpenApi>::openapi),+];
    };
}

resources! {
    me,
    scope_catalogue,
    token,
    org,
    member,
    project,
    user,
    client,
    configuration,
    audit,
}

/// Registers the routes under `/v1`.
pub fn routes(config: &mut web::ServiceConfig) {
    TABLE.register(config);
    config.default_service(web::to(nothing));
}

/// Route of the OpenAPI description, which requires no token.
pub fn description_routes(config: &mut web::ServiceConfig) {
    config.service(resource("/openapi.json", [read(openapi::show_document)]));
}

/// Writes errors as problem details.
pub async fn surface(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = surface::answer(request, next, |app, _, failure, id| {
        problem::write(app, failure, id)
    })
    .await?;
    let app = extract::app_of(response.request())?;
    note_use(&app, &response);
    Ok(response)
}

/// Records the use of the token of a request.
fn note_use(app: &App, response: &ServiceResponse<BoxBody>) {
    let extensions = response.request().extensions();
    let Some(call::Presented(used)) = extensions.get() else {
        return;
    };
    let context = extract::context_of(app, response.request());
    let extensions_of_response = response.response().extensions();
    let needed = context.route.as_deref();
    let needed = needed.and_then(|route| TABLE.scope_of(route));
    let needed = needed.and_then(|name| app.config().scopes.built_in(name));
    let needed = needed.map(|scope| scope.name.as_str());
    let (decision, scope) = match extensions_of_response.get::<problem::Refused>() {
        None => (UseDecision::Allowed, needed),
        Some(refused) => (
            UseDecision::Refused(refused.code),
            refused.scope.as_deref().or(needed),
        ),
    };
    let purpose = Purpose {
        scope,
        organization_id: None,
    };
    uses::note(app, &context, used.clone(), decision, purpose);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn routes_are_unique_and_described() {
        let document = openapi::describe();
        let mut routes = BTreeSet::new();
        for (path, route) in TABLE.iter() {
            let method = route.method.as_str().to_lowercase();
            let summary = &document["paths"][path][&method]["summary"];
            assert!(summary.is_string(), "{method} {path}");
            assert!(routes.insert((path, method)), "{path} twice");
        }
        let paths = document["paths"].as_object().unwrap();
        let described = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| (path.as_str(), method.clone()))
        });
        let described: BTreeSet<_> = described
            .filter(|(path, _)| path.starts_with("/v1/"))
            .collect();
        assert_eq!(routes, described);
    }

    /// The router takes the first path that matches.
    #[test]
    fn literal_segments_come_before_parameters() {
        let paths: Vec<_> = TABLE.iter().map(|(path, _)| path).collect();
        for (at, later) in paths.iter().enumerate() {
            for earlier in &paths[..at] {
                let mut segments = earlier.split('/').zip(later.split('/'));
                if let Some((first, second)) = segments.find(|(first, second)| first != second) {
                    assert!(
                        !first.starts_with('{') || second.starts_with('{'),
                        "{earlier} {later}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_use_records_the_scope_of_its_route() {
        for (route, scope) in [
            ("GET /v1/tokens", Some(app::token::READ)),
            ("HEAD /v1/tokens", Some(app::token::READ)),
            ("POST /v1/tokens", Some(app::token::WRITE)),
            ("DELETE /v1/tokens", None),
            ("GET /v1/me", None),
            ("GET /v1/none", None),
        ] {
            assert_eq!(TABLE.scope_of(route), scope, "{route}");
        }
    }
}
