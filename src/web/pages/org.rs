//! Organizations: the list, making one, its overview, leaving and deleting it.

use super::faults;
use super::inside::{Inside, inside};
use super::view::org::{
    DeleteOrganizationPage, Departure, DepartureExtent, EndingToken, LeavePage,
    NewOrganizationPage, OrganizationHead, OrganizationNotice, OrganizationPage, OrganizationRow,
    OrganizationsNotice, OrganizationsPage,
};
use super::view::{FieldErrors, Moment};
use super::visit::{Visit, see_other};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::caller::Denial;
use app::org::{self, Change};
use app::receipt::Receipt;
use config::Makers;
use domain::org::Role;
use domain::page::Page;
use domain::policy::DEFAULT_GRACE;
use domain::token::Token;
use wire::form::Form;

const LIST: &str = "/o";

/// The addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o", [read(show_list)]))
        .service(resource("/o/new", [read(show_new), post(submit_new)]))
        .service(resource("/o/{org}", [read(show_overview)]))
        .service(resource("/o/{org}/name", [post(submit_name)]))
        .service(resource(
            "/o/{org}/leave",
            [read(show_leave), post(submit_leave)],
        ))
        .service(resource(
            "/o/{org}/delete",
            [read(show_delete), post(submit_delete)],
        ));
}

/// `GET /o`.
async fn show_list(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let caller = visit.caller(LIST)?;
    // A person's organizations come in one page.
    let mut all = org::list(&visit.app, &caller, &Page::first(u16::MAX)).await?;
    all.sort_by_key(|seen| seen.organization.name.to_lowercase());
    let notice = match extract::query(&request)?.value("done") {
        Some("left") => Some(OrganizationsNotice::Left),
        Some("deleted") => Some(OrganizationsNotice::Deleted),
        _ => None,
    };
    let page = OrganizationsPage {
        chrome: visit.chrome(),
        organizations: all
            .into_iter()
            .map(|seen| OrganizationRow {
                role: seen.role_or_owner(),
                org: OrganizationHead {
                    slug: seen.organization.slug,
                    name: seen.organization.name,
                },
            })
            .collect(),
        can_make: can_make(&visit),
        notice,
    };
    visit.page(StatusCode::OK, &page)
}

/// Whether people make organizations, or the operator alone.
fn can_make(visit: &Visit) -> bool {
    visit.app.config().organizations.made_by == Makers::Users
}

/// `GET /o/new`.
async fn show_new(visit: Visit) -> Result<HttpResponse, Failure> {
    visit.person("/o/new")?;
    if !can_make(&visit) {
        return Err(app::Error::from(Denial::OperatorRequired).into());
    }
    new_page(&visit, StatusCode::OK, "", FieldErrors::none())
}

fn new_page(
    visit: &Visit,
    status: StatusCode,
    name: &str,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = NewOrganizationPage {
        chrome: visit.chrome(),
        name: name.to_owned(),
        errors,
    };
    visit.page(status, &page)
}

/// `POST /o/new`.
async fn submit_new(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let caller = visit.caller("/o/new")?;
    let name = form.value("name").unwrap_or_default();
    match org::create(&visit.app, &visit.context, &caller, name, Receipt::none()).await {
        Ok(made) => Ok(see_other(&format!("/o/{}?done=created", made.slug))),
        Err(error) => new_page(
            &visit,
            StatusCode::UNPROCESSABLE_ENTITY,
            name,
            faults(error)?,
        ),
    }
}

/// `GET /o/{org}`.
async fn show_overview(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let notice = match extract::query(&request)?.value("done") {
        Some("created") => Some(OrganizationNotice::Created),
        Some("joined") => Some(OrganizationNotice::Joined),
        Some("renamed") => Some(OrganizationNotice::Renamed),
        _ => None,
    };
    let page = overview(&visit, &inside, None, notice, FieldErrors::none()).await?;
    visit.page(StatusCode::OK, &page)
}

async fn overview(
    visit: &Visit,
    inside: &Inside,
    form: Option<&Form>,
    notice: Option<OrganizationNotice>,
    errors: FieldErrors,
) -> Result<OrganizationPage, Failure> {
    let size = org::size(&visit.app, &inside.caller, inside.id()).await?;
    let organization = &inside.seen.organization;
    let typed = form.map(|form| form.value("name").unwrap_or_default());
    Ok(OrganizationPage {
        chrome: visit.chrome(),
        org: inside.head(),
        org_id: inside.id().to_owned(),
        plan: organization.plan.as_str(),
        role: inside.role(),
        created: Moment::new(organization.created_at, visit.now()),
        members: size.members,
        projects: size.projects,
        access: inside.access(),
        name: typed.unwrap_or(&organization.name).to_owned(),
        notice,
        errors,
    })
}

/// `POST /o/{org}/name`.
async fn submit_name(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let change = Change {
        name: Some(form.value("name").unwrap_or_default().to_owned()),
        ..Change::default()
    };
    let (app, context, grace) = (&visit.app, &visit.context, DEFAULT_GRACE);
    match org::update(app, context, &inside.caller, inside.id(), change, grace).await {
        Ok(_) => Ok(see_other(&inside.path("?done=renamed"))),
        Err(error) => {
            let errors = faults(error)?;
            let page = overview(&visit, &inside, Some(&form), None, errors).await?;
            visit.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// What a page says of somebody's leaving.
pub fn departure(found: &org::Departure) -> Departure {
    Departure {
        extent: match found.is_from_last {
            true => DepartureExtent::All,
            false => DepartureExtent::LimitedToIt,
        },
        tokens: ending(&found.tokens),
    }
}

/// What names tokens that an act would end.
pub fn ending(tokens: &[Token]) -> Vec<EndingToken> {
    let named = |token: &Token| EndingToken {
        name: token.name.clone(),
        hint: token.hint.clone(),
    };
    tokens.iter().map(named).collect()
}

/// `GET /o/{org}/leave`: asks for confirmation.
async fn show_leave(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    leave_page(&visit, &inside, StatusCode::OK).await
}

async fn leave_page(
    visit: &Visit,
    inside: &Inside,
    status: StatusCode,
) -> Result<HttpResponse, Failure> {
    let id = &visit.person(LIST)?.user.id;
    let found = org::departure(&visit.app, &inside.caller, inside.id(), id).await?;
    let page = LeavePage {
        chrome: visit.chrome(),
        org: inside.head(),
        departure: (!found.is_last_owner).then(|| departure(&found)),
    };
    visit.page(status, &page)
}

/// `POST /o/{org}/leave`.
async fn submit_leave(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    let id = &visit.person(LIST)?.user.id;
    let (app, context) = (&visit.app, &visit.context);
    match org::remove_member(app, context, &inside.caller, inside.id(), id).await {
        Ok(()) => Ok(see_other("/o?done=left")),
        Err(error) => {
            // The page says the same in its own words: the last owner stays.
            faults(error)?;
            leave_page(&visit, &inside, StatusCode::CONFLICT).await
        }
    }
}

/// `GET /o/{org}/delete`: asks for confirmation.
async fn show_delete(visit: Visit, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let inside = inside(&visit, &request).await?;
    let errors = FieldErrors::none();
    delete_page(&visit, &inside, StatusCode::OK, "", errors).await
}

async fn delete_page(
    visit: &Visit,
    inside: &Inside,
    status: StatusCode,
    name: &str,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let extent = org::extent(&visit.app, &inside.caller, inside.id()).await?;
    let page = DeleteOrganizationPage {
        chrome: visit.chrome(),
        org: inside.head(),
        members: extent.size.members,
        projects: extent.size.projects,
        tokens: extent.tokens,
        name: name.to_owned(),
        errors,
    };
    visit.page(status, &page)
}

/// `POST /o/{org}/delete`.
async fn submit_delete(
    visit: Visit,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = visit.form(&request, payload).await?;
    let inside = inside(&visit, &request).await?;
    inside.require(Role::Owner)?;
    let name = form.value("name").unwrap_or_default();
    if name.trim() != inside.seen.organization.name {
        let message = "Type the name of the organization, exactly as it is written above.";
        let errors = FieldErrors::on("name", message);
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return delete_page(&visit, &inside, status, name, errors).await;
    }
    org::delete(&visit.app, &visit.context, &inside.caller, inside.id()).await?;
    Ok(see_other("/o?done=deleted"))
}
