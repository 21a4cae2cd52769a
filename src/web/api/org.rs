//! `/v1/orgs`: organizations and their policy.

use super::call::Call;
use super::document;
use super::page::Listing;
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::org::{self, Effect, OrganizationView, UpdateOrganization, UpdatePolicy};
use chrono::Duration;
use domain::Fault;
use domain::org::Organization;
use domain::policy::{DEFAULT_GRACE, LONGEST_GRACE, PersonalTokens, Plan};
use utoipa::OpenApi;
use wire::api::{
    AffectedToken, CreateOrganizationBody, EffectParameters, List, ListParameters,
    OrganizationDetail, UpdateOrganizationBody,
};
use wire::json::Object;

/// OpenAPI description of this module's routes.
#[derive(OpenApi)]
#[openapi(paths(
    list_organizations,
    create_organization,
    show_organization,
    change_organization,
    delete_organization,
    list_effects
))]
pub struct Description;

/// Lists the organizations that the caller can access, oldest first. The operator gets all of them.
#[utoipa::path(
    get,
    path = "/v1/orgs",
    tag = "organizations",
    security(("bearer" = ["orgs:read"])),
    params(ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<OrganizationDetail>))
)]
pub async fn list_organizations(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[])?;
    let found = org::list(&call, &list.page).await?;
    let position = |seen: &OrganizationView| {
        (
            seen.organization.created_at,
            seen.organization.id.to_string(),
        )
    };
    Ok(list.answer(found, position, seen))
}

fn seen(seen: &OrganizationView) -> OrganizationDetail {
    document::organization_detail(&seen.organization, seen.role)
}

/// Creates an organization that the caller owns.
#[utoipa::path(
    post,
    path = "/v1/orgs",
    tag = "organizations",
    security(("bearer" = ["orgs:write"])),
    request_body = CreateOrganizationBody,
    responses((status = 201, description = "The new organization.", body = OrganizationDetail))
)]
pub async fn create_organization(call: Call) -> Result<HttpResponse, Failure> {
    let name = call.read(|body| body.text("name"))?;
    let made = |new: &Organization| document::organization_detail(new, None);
    call.once(StatusCode::CREATED, made, async |req| {
        org::create(req, &name).await
    })
    .await
}

/// Returns an organization.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}",
    tag = "organizations",
    security(("bearer" = ["orgs:read"])),
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    responses((status = 200, description = "The organization.", body = OrganizationDetail))
)]
pub async fn show_organization(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let found = org::find(&call, &named).await?;
    Ok(HttpResponse::Ok().json(seen(&found)))
}

/// Updates the name (admins), the policy (owners) or the plan (operator) of an organization.
///
/// Tokens that the new policy does not allow stay active for the grace period.
#[utoipa::path(
    patch,
    path = "/v1/orgs/{org}",
    tag = "organizations",
    security(("bearer" = ["orgs:write"])),
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    request_body = UpdateOrganizationBody,
    responses((status = 200, description = "The updated organization.", body = OrganizationDetail))
)]
pub async fn change_organization(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let (change, grace) = call.read(|body| {
        let change = UpdateOrganization {
            name: body.optional_text("name"),
            plan: body.ruled("plan", plan),
            policy: body.object("policy", policy_change),
        };
        let longest = LONGEST_GRACE.num_seconds();
        let seconds = body.number("grace_seconds", 0..=longest);
        (change, seconds.map_or(DEFAULT_GRACE, Duration::seconds))
    })?;
    let found = org::find_to_change(&call, &named).await?;
    let changed = org::update(&call, &named, change, grace).await?;
    let answer = document::organization_detail(&changed.organization, found.role);
    Ok(HttpResponse::Ok().json(answer))
}

/// Deletes an organization. Owners only.
///
/// This deletes its projects and revokes its tokens, the tokens that are limited to it, and all
/// personal tokens of members whose only organization it is.
#[utoipa::path(
    delete,
    path = "/v1/orgs/{org}",
    tag = "organizations",
    security(("bearer" = ["orgs:write"])),
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    responses((status = 204, description = "The organization does not exist any more."))
)]
pub async fn delete_organization(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    org::delete(&call, &named).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Previews which active tokens a change of policy or plan would affect, newest first.
#[utoipa::path(
    get,
    path = "/v1/orgs/{org}/policy/effects",
    tag = "organizations",
    security(("bearer" = ["orgs:write"])),
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        EffectParameters,
        ListParameters
    ),
    responses((status = 200, description = "One page of the list.", body = List<AffectedToken>))
)]
pub async fn list_effects(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let list = call.listing(&[
        "personal_tokens",
        "max_lifetime_days",
        "never_expires",
        "plan",
    ])?;
    let change = change_of_query(&list)?;
    let mut found = org::review(&call, &named, change).await?.affected;
    let after = list.page.after();
    found.retain(|affected| after.is_none_or(|after| affected.position() < after));
    let position = |affected: &org::Affected| {
        let (at, id) = affected.position();
        (at, id.to_owned())
    };
    Ok(list.answer(found, position, affected_token))
}

fn affected_token(affected: &org::Affected) -> AffectedToken {
    let token = &affected.token;
    AffectedToken {
        id: token.id.to_string(),
        name: token.name.clone(),
        hint: token.hint.clone(),
        owner: affected.owner.as_ref().map(|owner| owner.email.clone()),
        violation: affected.violation.as_str().to_owned(),
        effect: match affected.effect {
            Effect::Ends => "ends",
            Effect::LosesOrganization => "loses_organization",
        }
        .to_owned(),
    }
}

fn plan(text: &str) -> Result<Plan, Fault> {
    Plan::parse(text).ok_or_else(|| Fault::new("plan", "Write free or team."))
}

fn personal_tokens(text: &str) -> Result<PersonalTokens, Fault> {
    PersonalTokens::parse(text)
        .ok_or_else(|| Fault::new("personal_tokens", "Write members or admins."))
}

fn policy_change(body: &mut Object<'_>) -> UpdatePolicy {
    let days = body.number("max_lifetime_days", 1..=domain::policy::MOST_DAYS);
    UpdatePolicy {
        personal_tokens: body.ruled("personal_tokens", personal_tokens),
        days: body.has("max_lifetime_days").then_some(days),
        never: body.flag("never_expires"),
    }
}

/// Reads the change from a query.
fn change_of_query(query: &Listing<'_>) -> Result<UpdateOrganization, Failure> {
    let unknown = |_| {
        Failure::Malformed(
            "The query has an invalid value. The documentation lists the valid ones.",
        )
    };
    let days = match query.filter("max_lifetime_days") {
        None => None,
        Some("none") => Some(None),
        Some(text) => Some(Some(text.parse().map_err(|_| {
            Failure::Malformed("The parameter max_lifetime_days must be a number or none.")
        })?)),
    };
    let never = match query.filter("never_expires") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => {
            return Err(Failure::Malformed(
                "The parameter never_expires must be true or false.",
            ));
        }
    };
    let tokens = query.filter("personal_tokens").map(personal_tokens);
    Ok(UpdateOrganization {
        name: None,
        plan: query
            .filter("plan")
            .map(plan)
            .transpose()
            .map_err(unknown)?,
        policy: Some(UpdatePolicy {
            personal_tokens: tokens.transpose().map_err(unknown)?,
            days,
            never,
        }),
    })
}
