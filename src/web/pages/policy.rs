//! The policy of an organization. A review shows what a tighter policy would end before it is
//! applied.

use super::org_request::OrgPageRequest;
use super::page_request::{Answer, PageRequest, see_other};
use super::page_route::read;
use super::typed_form::{TypedForm, renamed};
use super::view::policy::{
    AffectedToken, PolicyEffect, PolicyNotice, PolicyPage, PolicyReason, PolicyReviewPage, Terms,
    graces, lifetimes, personal_tokens, read_grace,
};
use super::view::{FieldErrors, Moment};
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::org::{self, Affected, Effect, UpdateOrganization, UpdatePolicy};
use chrono::Duration;
use domain::policy::{DEFAULT_GRACE, Longest, PersonalTokens, Policy, Violation};
use domain::role::Role;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/o/{org}/settings/policy",
            read(show_policy).post(submit_policy),
        ))
        .service(resource(
            "/o/{org}/settings/policy/apply",
            read(show_review).post(submit_apply),
        ));
}

const PAGE: &str = "/settings/policy";

/// Maximum number of tokens that a review lists; it counts the rest.
const SHOWN: usize = 100;

/// `GET /o/{org}/settings/policy`. A query fills the form on the way back from the review.
async fn show_policy(req: OrgPageRequest) -> Answer {
    let query = req.query()?;
    let notice = match (query.value("done"), query.value("breaking")) {
        (Some("saved"), _) => Some(PolicyNotice::Saved),
        (_, Some(count)) => count.parse().ok().map(PolicyNotice::SavedWithGrace),
        _ => None,
    };
    let typed = req.typed_or(query);
    let is_back = typed.form.value("personal_tokens").is_some() && req.access().can_own();
    let page = PolicyPage {
        chrome: req.chrome(),
        org: req.head(),
        plan: req.seen.organization.plan.as_str(),
        terms: match is_back || typed.was_sent() {
            true => submitted(&typed.form, req.seen.organization.policy),
            false => in_force(req.seen.organization.policy),
        },
        access: req.access(),
        notice,
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
}

/// A policy as form values.
fn in_force(policy: Policy) -> Terms {
    let lifetime = match policy.longest {
        Longest::Days(days) => format!("{days}d"),
        Longest::Unlimited | Longest::Ending => "none".to_owned(),
    };
    Terms {
        personal_tokens: personal_tokens(policy.personal_tokens.as_str()),
        created_by: personal_tokens(policy.created_by.as_str()),
        max_lifetime: lifetimes(&lifetime),
        never: policy.longest == Longest::Unlimited,
    }
}

/// The submitted values, to show them again.
fn submitted(form: &Form, present: Policy) -> Terms {
    Terms {
        created_by: personal_tokens(created_by(form, present).as_str()),
        personal_tokens: personal_tokens(form.value("personal_tokens").unwrap_or_default()),
        max_lifetime: lifetimes(form.value("max_lifetime").unwrap_or_default()),
        never: form.value("never").is_some(),
    }
}

/// Who may create personal tokens by a form; without the field, as at present.
fn created_by(form: &Form, present: Policy) -> PersonalTokens {
    let sent = form.value("created_by").and_then(PersonalTokens::parse);
    sent.unwrap_or(present.created_by)
}

/// The policy in a form, or all its errors.
fn read_policy(form: &Form, present: Policy) -> Result<Policy, FieldErrors> {
    let mut errors = FieldErrors::none();
    let personal_tokens = form
        .value("personal_tokens")
        .and_then(PersonalTokens::parse);
    if personal_tokens.is_none() {
        errors.push(
            "personal_tokens",
            "Choose whose personal tokens have access.",
        );
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
            let message = "Clear this box or the longest lifetime: with a longest lifetime, every \
                           token expires.";
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
            created_by: created_by(form, present),
            longest,
        }),
        _ => Err(errors),
    }
}

/// Redirects to the form with the errors of a policy, by its fields.
async fn refused(req: &OrgPageRequest, form: Form, error: app::Error) -> Answer {
    let error = renamed(error, "policy/max_lifetime_days", "max_lifetime");
    req.again_on(&req.path(PAGE), TypedForm::refused(form, error)?)
        .await
}

/// `POST /o/{org}/settings/policy`: leads to the review, or saves if there are no affected tokens.
async fn submit_policy(req: OrgPageRequest, form: Form) -> Answer {
    req.require(Role::Owner)?;
    let policy = match read_policy(&form, req.seen.organization.policy) {
        Ok(policy) => policy,
        Err(errors) => {
            let typed = TypedForm::with_errors(form, errors);
            return req.again_on(&req.path(PAGE), typed).await;
        }
    };
    match org::review(&req, req.id(), change(policy)).await {
        Ok(found) if found.affected.is_empty() => apply(&req, form, policy, DEFAULT_GRACE).await,
        Ok(_) => Ok(see_other(&review_path(&req, &form))),
        Err(error) => refused(&req, form, error).await,
    }
}

fn change(policy: Policy) -> UpdateOrganization {
    UpdateOrganization {
        policy: Some(UpdatePolicy::to(policy)),
        ..UpdateOrganization::default()
    }
}

/// Saves a policy. The grace period also covers tokens that were created since the review.
async fn apply(req: &OrgPageRequest, form: Form, policy: Policy, grace: Duration) -> Answer {
    match org::update(req, req.id(), change(policy), grace).await {
        Ok(applied) if applied.affected.is_empty() => {
            Ok(see_other(&req.path(&format!("{PAGE}?done=saved"))))
        }
        Ok(applied) => {
            let breaking = format!("{PAGE}?breaking={}", applied.affected.len());
            Ok(see_other(&req.path(&breaking)))
        }
        Err(error) => refused(req, form, error).await,
    }
}

/// The path of the review of a policy.
fn review_path(req: &OrgPageRequest, form: &Form) -> String {
    let terms = ["personal_tokens", "created_by", "max_lifetime", "never"];
    let terms: Vec<_> = terms
        .into_iter()
        .filter_map(|name| Some((name, form.value(name)?)))
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
        .collect();
    req.path(&format!("{PAGE}/apply?{}", terms.join("&")))
}

/// `GET /o/{org}/settings/policy/apply`: the tokens that the policy in the query affects.
async fn show_review(req: OrgPageRequest) -> Answer {
    let typed = req.typed_or(req.query()?);
    req.require(Role::Owner)?;
    let Ok(policy) = read_policy(&typed.form, req.seen.organization.policy) else {
        return Ok(see_other(&req.path(PAGE)));
    };
    let affected = match org::review(&req, req.id(), change(policy)).await {
        Ok(found) => found.affected,
        Err(error) => return refused(&req, typed.form, error).await,
    };
    let grace = match typed.errors.is_empty() {
        true => typed.form.value("grace").unwrap_or("7d"),
        // None is selected, since the error is about the choice.
        false => "",
    };
    let page = PolicyReviewPage {
        chrome: req.chrome(),
        org: req.head(),
        terms: submitted(&typed.form, req.seen.organization.policy),
        more: affected.len().saturating_sub(SHOWN),
        tokens: affected
            .into_iter()
            .take(SHOWN)
            .map(|token| row(&req, token))
            .collect(),
        grace: graces(grace),
        errors: typed.errors,
    };
    req.page(StatusCode::OK, &page)
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
            Violation::Creator => PolicyReason::CreatorIsMember,
            Violation::TooLong(_) => PolicyReason::LivesTooLong,
            Violation::Never => PolicyReason::NeverExpires,
            Violation::Blocked => PolicyReason::Blocked,
        },
        effect: match affected.effect {
            Effect::Ends => PolicyEffect::Ends,
            Effect::LosesOrganization => PolicyEffect::LosesOrganization,
        },
    }
}

/// `POST /o/{org}/settings/policy/apply`.
async fn submit_apply(req: OrgPageRequest, form: Form) -> Answer {
    req.require(Role::Owner)?;
    let policy = match read_policy(&form, req.seen.organization.policy) {
        Ok(policy) => policy,
        Err(errors) => {
            let typed = TypedForm::with_errors(form, errors);
            return req.again_on(&req.path(PAGE), typed).await;
        }
    };
    let Some(grace) = form.value("grace").and_then(read_grace) else {
        let message = "Choose how long these tokens continue to work.";
        let page = review_path(&req, &form);
        let typed = TypedForm::wrong(form, "grace", message);
        return req.again_on(&page, typed).await;
    };
    apply(&req, form, policy, grace).await
}
