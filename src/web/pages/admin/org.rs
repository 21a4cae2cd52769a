//! Organizations and their plans, in the operator console.

use super::AdminRequest;
use crate::web::pages::list;
use crate::web::pages::page_request::{Answer, see_other};
use crate::web::pages::page_route::{form_on, read};
use crate::web::pages::typed_form::{TypedForm, faults};
use crate::web::pages::view::admin::{
    MadeBy, OrganizationPage, OrganizationRow, OrganizationsPage, plans,
};
use crate::web::pages::view::policy::{graces, read_grace};
use crate::web::pages::view::{FieldErrors, Moment};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::org::{self, UpdateOrganization};
use app::user::{self, Named};
use domain::Instant;
use domain::org::{Maker, Organization};
use domain::policy::Plan;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/admin/organizations", read(show_organizations)))
        .service(resource(
            "/admin/organizations/{org}",
            read(show_organization),
        ))
        .service(resource(
            "/admin/organizations/{org}/plan",
            form_on("/admin/organizations/{org}").post(submit_plan),
        ));
}

fn row(organization: Organization, maker: Option<String>, now: Instant) -> OrganizationRow {
    OrganizationRow {
        made_by: match organization.made_by {
            Maker::Operator => MadeBy::Operator,
            Maker::User(id) => MadeBy::User {
                name: maker.unwrap_or_else(|| id.to_string()),
                id: id.to_string(),
            },
        },
        id: organization.id.to_string(),
        slug: organization.slug,
        name: organization.name,
        plan: organization.plan.as_str(),
        created: Moment::new(organization.created_at, now),
    }
}

/// `GET /admin/organizations`.
async fn show_organizations(req: AdminRequest) -> Answer {
    let part = list::page(&req.query()?);
    let mut found = org::list_all(&req.operator, &part).await?;
    let next = list::cut(&part, &mut found, "/admin/organizations", |one| {
        (one.organization.created_at, one.organization.id.to_string())
    });
    let page = OrganizationsPage {
        chrome: req.chrome(),
        organizations: found
            .into_iter()
            .map(|one| row(one.organization, one.maker, req.now()))
            .collect(),
        next,
    };
    req.page(StatusCode::OK, &page)
}

/// A change of the plan alone.
fn change(plan: Plan) -> UpdateOrganization {
    UpdateOrganization {
        plan: Some(plan),
        ..UpdateOrganization::default()
    }
}

/// `GET /admin/organizations/{org}`.
async fn show_organization(req: AdminRequest) -> Answer {
    let operator = &req.operator;
    let organization = org::find(operator, req.segment("org")).await?.organization;
    let id = organization.id.to_string();
    let size = org::size(operator, &id).await?;
    let blocked = match organization.plan {
        Plan::Team => org::count_gated(operator, &id).await?,
        Plan::Free => 0,
    };
    let maker = match &organization.made_by {
        Maker::User(id) => Some(user::find(operator, Named::Id(id.clone())).await?.name),
        Maker::Operator => None,
    };
    let typed = req.typed();
    let grace = typed.form.value("grace").unwrap_or("7d");
    let plan = typed.form.value("plan");
    let page = OrganizationPage {
        chrome: req.chrome(),
        members: size.members,
        projects: size.projects,
        blocked,
        plans: plans(plan.unwrap_or(organization.plan.as_str())),
        graces: graces(grace),
        is_saved: req.query()?.value("done") == Some("plan"),
        organization: row(organization, maker, req.now()),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// `POST /admin/organizations/{org}/plan`.
async fn submit_plan(req: AdminRequest, form: Form) -> Answer {
    let plan = form.value("plan").and_then(Plan::parse);
    let grace = form.value("grace").and_then(read_grace);
    let (Some(plan), Some(grace)) = (plan, grace) else {
        let errors = FieldErrors::whole("Choose a plan and a grace period from the lists.");
        return req.again(TypedForm::with_errors(form, errors)).await;
    };
    let named = req.segment("org");
    match org::update(&req.operator, named, change(plan), grace).await {
        Ok(changed) => {
            let slug = changed.organization.slug;
            Ok(see_other(&format!("/admin/organizations/{slug}?done=plan")))
        }
        Err(error) => {
            let typed = TypedForm::with_errors(form, faults(error)?);
            req.again(typed).await
        }
    }
}
