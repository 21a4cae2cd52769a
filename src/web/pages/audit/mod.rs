//! The audit log: an organization's for its admins and owners, and a user's own.

mod badge;
mod filter;
mod row;
mod words;

pub use badge::badge;
pub use row::Reader;

use super::org_request::OrgPageRequest;
use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::view::FieldErrors;
use super::view::audit::{AccountActivityPage, AuditPage, EventRow};
use crate::web::export;
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::audit::{self, read::Names};
use domain::audit::chain::Sealed;
use domain::role::Role;
use filter::AuditFilter;
use wire::form::Form;

/// Number of records on a page.
const SHOWN: usize = 50;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/audit", read(show)))
        .service(resource(
            "/o/{org}/audit/verify",
            form_on("/o/{org}/audit").post(verify),
        ))
        .service(resource("/o/{org}/audit/export", read(download)))
        .service(resource("/account/activity", read(show_own)));
}

/// Records of a page, with the names of the ids in them.
#[derive(Default)]
struct Found {
    records: Vec<Sealed>,
    names: Names,
    /// The sequence number before which the next page begins.
    next: Option<u64>,
    /// Why the search did not run.
    errors: FieldErrors,
}

impl Found {
    fn status(&self) -> StatusCode {
        match self.errors.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn rows(&self, reader: &Reader<'_>) -> Vec<EventRow> {
        self.records.iter().map(|one| reader.row(one)).collect()
    }

    /// The URL of the next page.
    fn next(&self, filter: &AuditFilter<'_>, path: &str) -> Option<String> {
        let query = filter.query_before(Some(self.next?));
        Some(format!("{path}?{query}"))
    }
}

/// Runs the search, in an organization or in the user's own log.
async fn find(
    req: &PageRequest,
    filter: &AuditFilter<'_>,
    organization: Option<&str>,
) -> Result<Found, Failure> {
    let search = match filter.search(organization) {
        Ok(search) => search,
        Err(errors) => {
            return Ok(Found {
                errors,
                ..Found::default()
            });
        }
    };
    let mut records = audit::read::list(req, search, filter.before(), SHOWN).await?;
    let goes_on = records.len() > SHOWN;
    records.truncate(SHOWN);
    let last = records.last().filter(|_| goes_on);
    Ok(Found {
        next: last.map(|last| last.record.sequence),
        names: audit::read::names(&req.app, &records).await?,
        records,
        errors: FieldErrors::none(),
    })
}

/// `GET /o/{org}/audit`.
async fn show(req: OrgPageRequest) -> Answer {
    req.require(Role::Admin)?;
    let query = req.query()?;
    let filter = AuditFilter::read(&query);
    let found = find(&req, &filter, Some(req.id())).await?;
    let form = filter.form_within(&req, &found.names).await?;
    let page = AuditPage {
        chrome: req.chrome(),
        org: req.head(),
        log: badge(&req).await?,
        events: found.rows(&Reader::of_organization(&req, &found.names)),
        next: found.next(&filter, &form.path),
        form,
        errors: found.errors.clone(),
    };
    req.page(found.status(), &page)
}

/// `POST /o/{org}/audit/verify`: the page shows the result.
async fn verify(req: OrgPageRequest, _: Form) -> Answer {
    req.require(Role::Admin)?;
    audit::verify::check(&req).await?;
    Ok(see_other(&req.path("/audit")))
}

/// `GET /o/{org}/audit/export`: the same records as a verifiable file.
async fn download(req: OrgPageRequest) -> Answer {
    let query = req.query()?;
    let format = export::format(query.value("format")).ok_or(Failure::Malformed(
        "The log is exported as `ndjson` or `csv`.",
    ))?;
    let search = AuditFilter::read(&query)
        .search(Some(req.id()))
        .map_err(|_| Failure::Malformed("A date is written as 2026-11-22."))?;
    let pieces = audit::read::export(&req, search, format).await?;
    let name = format!("{}-audit", req.seen.organization.slug);
    Ok(export::answer(
        format,
        &name,
        pieces,
        &req.context.request_id,
    ))
}

/// `GET /account/activity`.
async fn show_own(req: PageRequest) -> Answer {
    const PAGE: &str = "/account/activity";
    req.signed_in(PAGE)?;
    let query = req.query()?;
    let filter = AuditFilter::read(&query);
    let found = find(&req, &filter, None).await?;
    let page = AccountActivityPage {
        chrome: req.chrome(),
        form: filter.form_of_user(&req, PAGE, &found.names),
        events: found.rows(&Reader::of_user(&req, &found.names)),
        next: found.next(&filter, PAGE),
        errors: found.errors.clone(),
    };
    req.page(found.status(), &page)
}
