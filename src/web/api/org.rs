//! `/v1/orgs`: organizations and their policy.

use super::call::Call;
use super::routes::routes;
use super::{document, values};
use crate::web::failure::Failure;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use app::org::{self, Effect, OrganizationView, UpdateOrganization, UpdatePolicy};
use chrono::Duration;
use domain::org::Organization;
use domain::policy::DEFAULT_GRACE;
use wire::api::{
    AffectedToken, CreateOrganizationBody, EffectParameters, List, ListParameters, Nothing,
    OrganizationDetail, UpdateOrganizationBody, UpdatePolicyBody,
};

routes! {
    GET "/v1/orgs" => list_organizations: org::READ,
    POST "/v1/orgs" => create_organization: org::WRITE,
    GET "/v1/orgs/{org}" => show_organization: org::READ,
    PATCH "/v1/orgs/{org}" => change_organization: org::WRITE,
    DELETE "/v1/orgs/{org}" => delete_organization: org::WRITE,
    GET "/v1/orgs/{org}/policy/effects" => list_effects: org::WRITE,
}

/// Lists the organizations that the caller can access, oldest first. The operator gets all of them.
#[utoipa::path(
    get,
    path = "/v1/orgs",
    tag = "organizations",
    params(ListParameters),
    responses((status = 200, description = "One page of the list.", body = List<OrganizationDetail>))
)]
async fn list_organizations(call: Call) -> Result<HttpResponse, Failure> {
    let list = call.listing::<Nothing>()?;
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
    request_body = CreateOrganizationBody,
    responses((status = 201, description = "The new organization.", body = OrganizationDetail))
)]
async fn create_organization(call: Call) -> Result<HttpResponse, Failure> {
    let CreateOrganizationBody { name } = call.read()?;
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
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    responses((status = 200, description = "The organization.", body = OrganizationDetail))
)]
async fn show_organization(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
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
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    request_body = UpdateOrganizationBody,
    responses((status = 200, description = "The updated organization.", body = OrganizationDetail))
)]
async fn change_organization(
    call: Call,
    named: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    let body: UpdateOrganizationBody = call.read()?;
    let grace = body
        .grace_seconds
        .map_or(DEFAULT_GRACE, |seconds| Duration::seconds(seconds.into()));
    let change = UpdateOrganization {
        name: body.name,
        plan: body.plan.map(values::plan),
        policy: body.policy.map(policy_change),
    };
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
    params(("org" = String, Path, description = "ID or slug of the organization.")),
    responses((status = 204, description = "The organization does not exist any more."))
)]
async fn delete_organization(
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
    params(
        ("org" = String, Path, description = "ID or slug of the organization."),
        EffectParameters,
        ListParameters
    ),
    responses((status = 200, description = "One page of the list.", body = List<AffectedToken>))
)]
async fn list_effects(call: Call, named: web::Path<String>) -> Result<HttpResponse, Failure> {
    let list = call.listing::<EffectParameters>()?;
    let change = previewed(&list.filters)?;
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

fn policy_change(body: UpdatePolicyBody) -> UpdatePolicy {
    UpdatePolicy {
        personal_tokens: body.personal_tokens.map(values::personal_tokens),
        created_by: body.created_by.map(values::personal_tokens),
        days: body.max_lifetime_days,
        never: body.never_expires,
    }
}

/// The change that a query asks about.
fn previewed(query: &EffectParameters) -> Result<UpdateOrganization, Failure> {
    let days = match query.max_lifetime_days.as_deref() {
        None => None,
        Some("none") => Some(None),
        Some(text) => Some(Some(text.parse().map_err(|_| {
            Failure::Malformed("The parameter max_lifetime_days must be a number or none.")
        })?)),
    };
    let never = match query.never_expires.as_deref() {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => {
            return Err(Failure::Malformed(
                "The parameter never_expires must be true or false.",
            ));
        }
    };
    Ok(UpdateOrganization {
        name: None,
        plan: query.plan.map(values::plan),
        policy: Some(UpdatePolicy {
            personal_tokens: query.personal_tokens.map(values::personal_tokens),
            created_by: query.created_by.map(values::personal_tokens),
            days,
            never,
        }),
    })
}
