//! The audit log: an organization's for its admins and owners, and a person's own.

mod asked;
mod row;
mod words;

pub use row::Reader;

use super::inside::{Inside, inside};
use super::view::FieldErrors;
use super::view::audit::{AccountActivityPage, AuditPage};
use super::visit::Visit;
use crate::app;
use crate::app::audit::naming::{self, Names};
use crate::app::audit::reading::{self, Format, Search};
use crate::app::caller::Caller;
use crate::domain::audit::chain::Sealed;
use crate::domain::org::Role;
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{read, resource};
use crate::wire::form::Form;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentDisposition, DispositionParam, DispositionType};
use actix_web::{HttpRequest, HttpResponse, web};
use asked::Asked;
use futures_util::StreamExt;
use std::io;

/// How many records a page shows.
const SHOWN: usize = 50;

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/audit", [read(show)]))
        .service(resource("/o/{org}/audit/export", [read(export)]))
        .service(resource("/account/activity", [read(show_own)]));
}

/// Records of a page, with what they name.
struct Found {
    records: Vec<Sealed>,
    names: Names,
    /// The place before which the list goes on.
    next: Option<u64>,
}

async fn find(
    visit: &Visit,
    caller: &Caller,
    search: Search,
    query: &Form,
) -> Result<Found, Failure> {
    let before = query.value("before").and_then(|place| place.parse().ok());
    let (app, context) = (&visit.app, &visit.context);
    let mut records = reading::list(app, context, caller, search, before, SHOWN).await?;
    let goes_on = records.len() > SHOWN;
    records.truncate(SHOWN);
    let last = records.last().filter(|_| goes_on);
    Ok(Found {
        next: last.map(|last| last.record.sequence),
        names: naming::name(app, &records).await?,
        records,
    })
}

/// `GET /o/{org}/audit`.
async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    inside.require(Role::Admin)?;
    let query = extract::query(&request)?;
    let asked = Asked::read(&query);
    let search = match asked.search(Some(inside.id())) {
        Ok(search) => search,
        Err(errors) => {
            let page = page(&visit, &inside, &asked, None, errors).await?;
            return visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let found = find(&visit, &inside.caller, search, &query).await?;
    let page = page(&visit, &inside, &asked, Some(found), FieldErrors::none()).await?;
    visit.page(StatusCode::OK, &page)
}

async fn page(
    visit: &Visit,
    inside: &Inside,
    asked: &Asked<'_>,
    found: Option<Found>,
    errors: FieldErrors,
) -> Result<AuditPage, Failure> {
    let found = found.unwrap_or_else(|| Found {
        records: Vec::new(),
        names: Names::default(),
        next: None,
    });
    let reader = Reader::of_organization(visit, &found.names);
    Ok(AuditPage {
        chrome: visit.chrome(),
        org: inside.head(),
        form: asked.form(visit, inside, &found.names).await?,
        events: found.records.iter().map(|one| reader.row(one)).collect(),
        next: found.next.map(|place| {
            let query = asked.query_before(Some(place));
            inside.path(&format!("/audit?{query}"))
        }),
        errors,
    })
}

/// `GET /o/{org}/audit/export`: the same records as a file that proves itself.
async fn export(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let query = extract::query(&request)?;
    let (form, media_type, kind) = match query.value("format") {
        None | Some("ndjson") => (Format::Lines, "application/x-ndjson", "ndjson"),
        Some("csv") => (Format::Sheet, "text/csv; charset=utf-8", "csv"),
        _ => {
            return Err(Failure::Malformed(
                "The log is exported as `ndjson` or `csv`.",
            ));
        }
    };
    let search = Asked::read(&query)
        .search(Some(inside.id()))
        .map_err(|_| Failure::Malformed("A date is written as 2026-11-22."))?;
    let (app, context) = (&visit.app, &visit.context);
    let lines = reading::export(app, context, &inside.caller, search, form).await?;
    let slug = &inside.seen.organization.slug;
    let file = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(format!("{slug}-audit.{kind}"))],
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header(file)
        .streaming(lines.map(piece)))
}

/// A piece of an answer that has begun: if it cannot go on, the browser sees it break off.
fn piece(lines: Result<String, app::Error>) -> Result<web::Bytes, io::Error> {
    lines.map(web::Bytes::from).map_err(|error| {
        tracing::error!(?error, "an export of the audit log broke off");
        io::Error::other("the export broke off")
    })
}

/// `GET /account/activity`.
async fn show_own(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    const PAGE: &str = "/account/activity";
    let caller = visit.caller(PAGE)?;
    let query = extract::query(&request)?;
    let found = find(&visit, &caller, Search::default(), &query).await?;
    let reader = Reader::of_person(&visit, &found.names);
    let page = AccountActivityPage {
        chrome: visit.chrome(),
        events: found.records.iter().map(|one| reader.row(one)).collect(),
        next: found.next.map(|place| format!("{PAGE}?before={place}")),
    };
    visit.page(StatusCode::OK, &page)
}
