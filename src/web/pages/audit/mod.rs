//! The audit log: an organization's for its admins and owners, and a person's own.

mod asked;
mod row;
mod words;

pub use row::Reader;

use super::inside::inside;
use super::view::FieldErrors;
use super::view::audit::{AccountActivityPage, AuditPage, EventRow};
use super::visit::Visit;
use crate::web::failure::Failure;
use crate::web::route::{read, resource};
use crate::web::{export, extract};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::audit::naming::{self, Names};
use app::audit::reading;
use app::caller::Caller;
use asked::Asked;
use domain::audit::chain::Sealed;
use domain::org::Role;

/// How many records a page shows.
const SHOWN: usize = 50;

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o/{org}/audit", [read(show)]))
        .service(resource("/o/{org}/audit/export", [read(download)]))
        .service(resource("/account/activity", [read(show_own)]));
}

/// Records of a page, with what they name.
#[derive(Default)]
struct Found {
    records: Vec<Sealed>,
    names: Names,
    /// The place before which the list goes on.
    next: Option<u64>,
    /// Why nothing was looked for.
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

    /// The address at which the list goes on.
    fn next(&self, asked: &Asked<'_>, path: &str) -> Option<String> {
        let query = asked.query_before(Some(self.next?));
        Some(format!("{path}?{query}"))
    }
}

/// What is asked for, in an organization or among one's own.
async fn find(
    visit: &Visit,
    caller: &Caller,
    asked: &Asked<'_>,
    organization: Option<&str>,
) -> Result<Found, Failure> {
    let search = match asked.search(organization) {
        Ok(search) => search,
        Err(errors) => {
            return Ok(Found {
                errors,
                ..Found::default()
            });
        }
    };
    let (app, context) = (&visit.app, &visit.context);
    let mut records = reading::list(app, context, caller, search, asked.before(), SHOWN).await?;
    let goes_on = records.len() > SHOWN;
    records.truncate(SHOWN);
    let last = records.last().filter(|_| goes_on);
    Ok(Found {
        next: last.map(|last| last.record.sequence),
        names: naming::name(app, &records).await?,
        records,
        errors: FieldErrors::none(),
    })
}

/// `GET /o/{org}/audit`.
async fn show(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    inside.require(Role::Admin)?;
    let query = extract::query(&request)?;
    let asked = Asked::read(&query);
    let found = find(&visit, &inside.caller, &asked, Some(inside.id())).await?;
    let form = asked.form_within(&visit, &inside, &found.names).await?;
    let page = AuditPage {
        chrome: visit.chrome(),
        org: inside.head(),
        events: found.rows(&Reader::of_organization(&visit, &found.names)),
        next: found.next(&asked, &form.path),
        form,
        errors: found.errors.clone(),
    };
    visit.page(found.status(), &page)
}

/// `GET /o/{org}/audit/export`: the same records as a file that proves itself.
async fn download(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let query = extract::query(&request)?;
    let format = export::format(query.value("format")).ok_or(Failure::Malformed(
        "The log is exported as `ndjson` or `csv`.",
    ))?;
    let search = Asked::read(&query)
        .search(Some(inside.id()))
        .map_err(|_| Failure::Malformed("A date is written as 2026-11-22."))?;
    let (app, context) = (&visit.app, &visit.context);
    let pieces = reading::export(app, context, &inside.caller, search, format).await?;
    let name = format!("{}-audit", inside.seen.organization.slug);
    Ok(export::answer(format, &name, pieces, &context.request_id))
}

/// `GET /user/activity`.
async fn show_own(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    const PAGE: &str = "/account/activity";
    let caller = visit.caller(PAGE)?;
    let query = extract::query(&request)?;
    let asked = Asked::read(&query);
    let found = find(&visit, &caller, &asked, None).await?;
    let page = AccountActivityPage {
        chrome: visit.chrome(),
        form: asked.form_of_person(&visit, PAGE, &found.names),
        events: found.rows(&Reader::of_person(&visit, &found.names)),
        next: found.next(&asked, PAGE),
        errors: found.errors.clone(),
    };
    visit.page(found.status(), &page)
}
