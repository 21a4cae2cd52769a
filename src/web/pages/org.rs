//! Organizations: list, create, overview, leave, delete.

use super::org_overview::{overview, rights};
use super::org_request::OrgPageRequest;
use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::{form_on, read};
use super::typed_form::TypedForm;
use super::view::Moment;
use super::view::org::{
    DeleteOrganizationPage, Departure, DepartureExtent, EndingToken, LeavePage,
    NewOrganizationPage, OrganizationHead, OrganizationsNotice, OrganizationsPage,
};
use super::view::org_overview::{OrganizationNotice, OrganizationPage};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::access::Denial;
use app::org::{self, UpdateOrganization};
use config::Makers;
use domain::page::Page;
use domain::policy::DEFAULT_GRACE;
use domain::role::Role;
use domain::token::Token;
use wire::form::Form;

const LIST: &str = "/o";

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/o", read(show_list)))
        .service(resource("/o/new", read(show_new).post(submit_new)))
        .service(resource("/o/{org}", read(show_overview)))
        .service(resource(
            "/o/{org}/name",
            form_on("/o/{org}").post(submit_name),
        ))
        .service(resource(
            "/o/{org}/leave",
            read(show_leave).post(submit_leave),
        ))
        .service(resource(
            "/o/{org}/delete",
            read(show_delete).post(submit_delete),
        ));
}

/// `GET /o`.
async fn show_list(req: PageRequest) -> Answer {
    req.signed_in(&req.return_to())?;
    // A user's organizations are listed without paging.
    let mut all = org::list(&req, &Page::first(u16::MAX)).await?;
    all.sort_by_key(|seen| seen.organization.name.to_lowercase());
    let notice = match req.query()?.value("done") {
        Some("left") => Some(OrganizationsNotice::Left),
        Some("deleted") => Some(OrganizationsNotice::Deleted),
        _ => None,
    };
    let page = OrganizationsPage {
        chrome: req.chrome(),
        organizations: all
            .into_iter()
            .map(|seen| {
                let role = seen.role_or_owner();
                OrganizationHead::new(seen.organization, role)
            })
            .collect(),
        can_make: can_make(&req),
        notice,
    };
    req.page(StatusCode::OK, &page)
}

/// Whether users can create organizations, or only the operator.
fn can_make(req: &PageRequest) -> bool {
    req.app.config().organizations.made_by == Makers::Users
}

/// `GET /o/new`.
async fn show_new(req: PageRequest) -> Answer {
    req.signed_in(&req.return_to())?;
    if !can_make(&req) {
        return Err(app::Error::from(Denial::OperatorRequired).into());
    }
    let typed = req.typed();
    let page = NewOrganizationPage {
        chrome: req.chrome(),
        name: typed.text("name"),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/new`.
async fn submit_new(req: PageRequest, form: Form) -> Answer {
    req.signed_in("/o/new")?;
    let name = form.value("name").unwrap_or_default();
    match org::create(&req, name).await {
        Ok(made) => Ok(see_other(&format!("/o/{}?done=created", made.slug))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// `GET /o/{org}`.
async fn show_overview(req: OrgPageRequest) -> Answer {
    let notice = match req.query()?.value("done") {
        Some("created") => Some(OrganizationNotice::Created),
        Some("joined") => Some(OrganizationNotice::Joined),
        Some("renamed") => Some(OrganizationNotice::Renamed),
        _ => None,
    };
    let size = org::size(&req, req.id()).await?;
    let (organization, typed) = (&req.seen.organization, req.typed());
    let page = OrganizationPage {
        chrome: req.chrome(),
        org: req.head(),
        org_id: req.id().to_owned(),
        plan: organization.plan.as_str(),
        role: req.role(),
        created: Moment::new(organization.created_at, req.now()),
        members: size.members,
        projects: size.projects,
        access: req.access(),
        admin: match req.access().can_manage() {
            true => Some(overview(&req).await?),
            false => None,
        },
        rights: rights(&req, &size),
        name: match typed.was_sent() {
            true => typed.text("name"),
            false => organization.name.clone(),
        },
        notice,
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/name`.
async fn submit_name(req: OrgPageRequest, form: Form) -> Answer {
    let change = UpdateOrganization {
        name: Some(form.value("name").unwrap_or_default().to_owned()),
        ..UpdateOrganization::default()
    };
    match org::update(&req, req.id(), change, DEFAULT_GRACE).await {
        Ok(_) => Ok(see_other(&req.path("?done=renamed"))),
        Err(error) => req.again(TypedForm::refused(form, error)?).await,
    }
}

/// A departure for display.
pub fn departure(found: &org::Departure) -> Departure {
    Departure {
        extent: match found.is_from_last {
            true => DepartureExtent::All,
            false => DepartureExtent::LimitedToIt,
        },
        tokens: ending(&found.tokens),
    }
}

/// Names and hints of the tokens that an action would end.
pub fn ending(tokens: &[Token]) -> Vec<EndingToken> {
    let named = |token: &Token| EndingToken {
        name: token.name.clone(),
        hint: token.hint.clone(),
    };
    tokens.iter().map(named).collect()
}

/// `GET /o/{org}/leave`: the confirmation page.
async fn show_leave(req: OrgPageRequest) -> Answer {
    let id = &req.signed_in(LIST)?.user.id;
    let found = org::departure(&req, req.id(), id).await?;
    let page = LeavePage {
        chrome: req.chrome(),
        org: req.head(),
        departure: (!found.is_last_owner).then(|| departure(&found)),
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/leave`.
async fn submit_leave(req: OrgPageRequest, _: Form) -> Answer {
    let id = &req.signed_in(LIST)?.user.id;
    match org::remove_member(&req, req.id(), id).await {
        Ok(()) => Ok(see_other("/o?done=left")),
        Err(error) => Err(error.into()),
    }
}

/// `GET /o/{org}/delete`: the confirmation page.
async fn show_delete(req: OrgPageRequest) -> Answer {
    let typed = req.typed();
    let extent = org::extent(&req, req.id()).await?;
    let page = DeleteOrganizationPage {
        chrome: req.chrome(),
        org: req.head(),
        members: extent.size.members,
        projects: extent.size.projects,
        tokens: extent.tokens,
        name: typed.text("name"),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /o/{org}/delete`.
async fn submit_delete(req: OrgPageRequest, form: Form) -> Answer {
    req.require(Role::Owner)?;
    let name = form.value("name").unwrap_or_default();
    if name.trim() != req.seen.organization.name {
        let message = "Type the name of the organization, exactly as it is written above.";
        return req.again(TypedForm::wrong(form, "name", message)).await;
    }
    org::delete(&req, req.id()).await?;
    Ok(see_other("/o?done=deleted"))
}
