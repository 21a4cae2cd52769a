//! `/problems`: the documentation that the `type` of an API problem links to.

use super::view::problem::ProblemPage;
use super::view::render;
use super::{anonymous_chrome, html_response};
use crate::web::failure::Failure;
use crate::web::problem_kind::Kind;
use crate::web::route::{read, resource};
use actix_web::{HttpResponse, web};
use app::App;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/problems", [read(show_problems)]))
        .service(resource("/problems/{code}", [read(show_problem)]));
}

/// `GET /problems`: every kind.
pub async fn show_problems(app: web::Data<App>) -> Result<HttpResponse, Failure> {
    show(&app, None)
}

/// `GET /problems/{code}`: one kind.
pub async fn show_problem(
    app: web::Data<App>,
    code: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let kind = Kind::find(&code).ok_or(Failure::NotFound)?;
    show(&app, Some(kind))
}

fn show(app: &App, problem: Option<Kind>) -> Result<HttpResponse, Failure> {
    let page = ProblemPage {
        chrome: anonymous_chrome(app),
        problem,
        all: Kind::ALL,
    };
    let html = render(&page, &app.config().branding.words)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(html_response(&mut HttpResponse::Ok(), html))
}
