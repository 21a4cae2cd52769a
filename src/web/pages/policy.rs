//! The policy of an organization. A review shows what a tighter policy would end before it is
//! applied.

use super::faults_renamed;
use super::org_request::{OrgPageRequest, org_req};
use super::page_request::{PageRequest, see_other};
use super::view::policy::{
    AffectedToken, PolicyEffect, PolicyNotice, PolicyPage, PolicyReason, PolicyReviewPage, Terms,
    graces, lifetimes, personal_tokens,
};
use super::view::{FieldErrors, Moment};
use crate::web::extract;
use crate::web::failure::Failure;
use crate::web::route::{post, read, resource};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use app::org::{self, Affected, Effect, UpdateOrganization, UpdatePolicy};
use chrono::Duration;
use domain::policy::{DEFAULT_GRACE, Longest, PersonalTokens, Policy, Violation};
use domain::role::Role;
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/o/{org}/settings/policy",
            [read(show_policy), post(submit_policy)],
        ))
        .service(resource(
            "/o/{org}/settings/policy/apply",
            [post(submit_apply)],
        ));
}

const PAGE: &str = "/settings/policy";

/// Maximum number of tokens that a review lists; it counts the rest.
const SHOWN: usize = 100;

/// `GET /o/{org}/settings/policy`. A query fills the form on the way back from the review.
async fn show_policy(req: PageRequest, request: HttpRequest) -> Result<HttpResponse, Failure> {
    let org_req = org_req(&req, &request).await?;
    let query = extract::query(&request)?;
    let notice = match (query.value("done"), query.value("breaking")) {
        (Some("saved"), _) => Some(PolicyNotice::Saved),
        (_, Some(count)) => count.parse().ok().map(PolicyNotice::SavedWithGrace),
        _ => None,
    };
    let is_back = query.value("personal_tokens").is_some() && org_req.access().can_own();
    let terms = match is_back {
        true => typed(&query),
        false => in_force(org_req.seen.organization.policy),
    };
    let page = page(&req, &org_req, terms, notice, FieldErrors::none());
    req.page(StatusCode::OK, &page)
}

fn page(
    req: &PageRequest,
    org_req: &OrgPageRequest,
    terms: Terms,
    notice: Option<PolicyNotice>,
    errors: FieldErrors,
) -> PolicyPage {
    PolicyPage {
        chrome: req.chrome(),
        org: org_req.head(),
        plan: org_req.seen.organization.plan.as_str(),
        terms,
        access: org_req.access(),
        notice,
        errors,
    }
}

/// A policy as form values.
fn in_force(policy: Policy) -> Terms {
    let lifetime = match policy.longest {
        Longest::Days(days) => format!("{days}d"),
        Longest::Unlimited | Longest::Ending => "none".to_owned(),
    };
    Terms {
        personal_tokens: personal_tokens(policy.personal_tokens.as_str()),
        max_lifetime: lifetimes(&lifetime),
        never: policy.longest == Longest::Unlimited,
    }
}

/// The submitted values, to show them again.
fn typed(form: &Form) -> Terms {
    Terms {
        personal_tokens: personal_tokens(form.value("personal_tokens").unwrap_or_default()),
        max_lifetime: lifetimes(form.value("max_lifetime").unwrap_or_default()),
        never: form.value("never").is_some(),
    }
}

/// The policy in a form, or all its errors.
fn read_policy(form: &Form) -> Result<Policy, FieldErrors> {
    let mut errors = FieldErrors::none();
    let personal_tokens = form
        .value("personal_tokens")
        .and_then(PersonalTokens::parse);
    if personal_tokens.is_none() {
        errors.push("personal_tokens", "Choose who may make them.");
    }
    let lifetime = form.value("max_lifetime").unwrap_or_default();
    let days = lifetime
        .strip_suffix('d')
        .and_then(|days| days.parse().ok());
    let longest = match (lifetime, days, form.value("never")) {
        ("none", _, Some(_)) => Some(Longest::Unlimited),
        ("none", _, None) => Some(Longest::Ending),
        (_, Some(days), None) => Some(Longest::Days(days)),
        (_, Some(_), Some(_)) => {
            let message = "Untick this, or choose no longest lifetime: a token that has one \
                           expires.";
            errors.push("never", message);
            None
        }
        (_, None, _) => {
            errors.push("max_lifetime", "Choose a lifetime from the list.");
            None
        }
    };
    match (personal_tokens, longest) {
        (Some(personal_tokens), Some(longest)) => Ok(Policy {
            personal_tokens,
            longest,
        }),
        _ => Err(errors),
    }
}

/// Errors of a policy, by the fields of this form.
fn policy_faults(error: app::Error) -> Result<FieldErrors, Failure> {
    faults_renamed(error, "policy/max_lifetime_days", "max_lifetime")
}

fn again(
    req: &PageRequest,
    org_req: &OrgPageRequest,
    form: &Form,
    errors: FieldErrors,
) -> Result<HttpResponse, Failure> {
    let page = page(req, org_req, typed(form), None, errors);
    req.page(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /o/{org}/settings/policy`: shows the affected tokens, or saves if there are none.
async fn submit_policy(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let org_req = org_req(&req, &request).await?;
    org_req.require(Role::Owner)?;
    let policy = match read_policy(&form) {
        Ok(policy) => policy,
        Err(errors) => return again(&req, &org_req, &form, errors),
    };
    match org::review(&req.app, &org_req.caller, org_req.id(), change(policy)).await {
        Ok(found) if found.affected.is_empty() => {
            apply(&req, &org_req, &form, policy, DEFAULT_GRACE).await
        }
        Ok(found) => {
            let none = FieldErrors::none();
            let page = review_page(&req, &org_req, &form, found.affected, "7d", none);
            req.page(StatusCode::OK, &page)
        }
        Err(error) => again(&req, &org_req, &form, policy_faults(error)?),
    }
}

fn change(policy: Policy) -> UpdateOrganization {
    UpdateOrganization {
        policy: Some(UpdatePolicy::to(policy)),
        ..UpdateOrganization::default()
    }
}

/// Saves a policy. The grace period also covers tokens that were created since the review.
async fn apply(
    req: &PageRequest,
    org_req: &OrgPageRequest,
    form: &Form,
    policy: Policy,
    grace: Duration,
) -> Result<HttpResponse, Failure> {
    let (app, context, caller) = (&req.app, &req.context, &org_req.caller);
    match org::update(app, context, caller, org_req.id(), change(policy), grace).await {
        Ok(applied) if applied.affected.is_empty() => {
            Ok(see_other(&org_req.path(&format!("{PAGE}?done=saved"))))
        }
        Ok(applied) => {
            let breaking = format!("{PAGE}?breaking={}", applied.affected.len());
            Ok(see_other(&org_req.path(&breaking)))
        }
        Err(error) => again(req, org_req, form, policy_faults(error)?),
    }
}

fn review_page(
    req: &PageRequest,
    org_req: &OrgPageRequest,
    form: &Form,
    affected: Vec<Affected>,
    grace: &str,
    errors: FieldErrors,
) -> PolicyReviewPage {
    PolicyReviewPage {
        chrome: req.chrome(),
        org: org_req.head(),
        terms: typed(form),
        more: affected.len().saturating_sub(SHOWN),
        tokens: affected
            .into_iter()
            .take(SHOWN)
            .map(|token| row(req, token))
            .collect(),
        grace: graces(grace),
        errors,
    }
}

fn row(req: &PageRequest, affected: Affected) -> AffectedToken {
    let last_use = affected.token.last_use;
    AffectedToken {
        name: affected.token.name,
        hint: affected.token.hint,
        owner: affected.owner.map(|owner| owner.name),
        last_used: last_use.map(|last| Moment::new(last.at, req.now())),
        reason: match affected.violation {
            Violation::Plan => PolicyReason::Plan,
            Violation::Role => PolicyReason::OwnerIsMember,
            Violation::TooLong(_) => PolicyReason::LivesTooLong,
            Violation::Never => PolicyReason::NeverExpires,
        },
        effect: match affected.effect {
            Effect::Ends => PolicyEffect::Ends,
            Effect::LosesOrganization => PolicyEffect::LosesOrganization,
        },
    }
}

/// `POST /o/{org}/settings/policy/apply`.
async fn submit_apply(
    req: PageRequest,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Failure> {
    let form = req.form(&request, payload).await?;
    let org_req = org_req(&req, &request).await?;
    org_req.require(Role::Owner)?;
    let policy = match read_policy(&form) {
        Ok(policy) => policy,
        Err(errors) => return again(&req, &org_req, &form, errors),
    };
    let grace = match form.value("grace") {
        Some("none") => Duration::zero(),
        Some("1d") => Duration::days(1),
        Some("7d") => Duration::days(7),
        Some("30d") => Duration::days(30),
        _ => {
            let errors = FieldErrors::on("grace", "Choose how long these tokens continue to work.");
            let found = org::review(&req.app, &org_req.caller, org_req.id(), change(policy));
            let affected = found.await?.affected;
            let page = review_page(&req, &org_req, &form, affected, "", errors);
            return req.page(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    apply(&req, &org_req, &form, policy, grace).await
}
