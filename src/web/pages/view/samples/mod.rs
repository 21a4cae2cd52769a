//! Every page in every state, rendered.

mod account;
mod admin;
mod admin_client;
mod audit;
mod device;
mod devices;
mod error;
mod factor;
mod identity;
mod invitation;
mod member;
mod org;
mod password;
mod policy;
mod problem;
mod project;
mod scopes;
mod security;
mod token;
mod token_access;
mod token_activity;
mod token_confirm;
mod token_form;

use super::org::{EndingToken, OrganizationHead};
use super::{Assets, Chrome, Moment, ScopeChoice, User, render};
use askama::Template;
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use config::{Links, Notes, Support, Words};
use domain::role::Role;
use domain::scope::{Scope, ScopeName};

/// Hostile input for every text field.
const HOSTILE: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";
const LONG: &str =
    "averyveryverylongnamewithoutanyspacethatcouldpushthepagesidewaysifnothingbrokeitanywhere";

/// A page in one state.
pub struct Sample {
    /// The page's name, shared by its states.
    pub page: &'static str,
    /// The state.
    pub state: &'static str,
    /// The rendered page.
    pub html: String,
    /// The page of a brand that calls an organization a workspace, and a project a service.
    pub html_in_own_words: String,
}

fn sample(page: &'static str, state: &'static str, template: &impl Template) -> Sample {
    let html = |words: &Words| render(template, words).expect("a template that renders");
    Sample {
        page,
        state,
        html: html(&Words::default()),
        html_in_own_words: html(&Words {
            organization: "workspace".into(),
            project: "service".into(),
        }),
    }
}

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 1, 43, 10).unwrap()
}

fn minutes(offset: i64) -> Moment {
    Moment::new(now() + TimeDelta::minutes(offset), now())
}

fn days(offset: i64) -> Moment {
    minutes(offset * 24 * 60)
}

fn stranger() -> Chrome {
    Chrome {
        brand: "Doorcode".into(),
        csrf: "form-token".into(),
        user: None,
        notice: None,
        assets: Assets {
            css: "/assets/app.0.css".into(),
            js: "/assets/app.0.js".into(),
            icon: "/assets/icon.0.svg".into(),
            touch_icon: Some("/assets/touch-icon.0.png".into()),
            brand_css: None,
            logo: None,
            logo_dark: None,
        },
        links: Links {
            home: Some("https://example.com/".parse().unwrap()),
            terms: Some("https://example.com/terms".parse().unwrap()),
            privacy: Some("https://example.com/privacy".parse().unwrap()),
        },
        notes: Notes::default(),
        organizations: Vec::new(),
        can_create_organization: true,
        support: Some(Support::Email("help@example.com".into())),
    }
}

fn ada() -> Chrome {
    Chrome {
        user: Some(User {
            name: "Ada Lovelace".into(),
            email: "ada@example.com".into(),
            is_operator: false,
        }),
        organizations: vec![acme(), hostile_org()],
        ..stranger()
    }
}

fn acme() -> OrganizationHead {
    OrganizationHead {
        slug: "acme".into(),
        name: "Acme".into(),
        role: Role::Owner,
    }
}

/// An organization whose name tests escaping and layout.
fn hostile_org() -> OrganizationHead {
    OrganizationHead {
        slug: "script-alert-x-script".into(),
        name: format!("{HOSTILE} {LONG}"),
        role: Role::Member,
    }
}

fn ending() -> Vec<EndingToken> {
    ["Build server", HOSTILE, LONG]
        .map(|name| EndingToken {
            name: name.into(),
            hint: "dc_…4f2a".into(),
        })
        .to_vec()
}

pub(super) fn choice(name: &str, description: &str, ticked: bool) -> ScopeChoice {
    let name = ScopeName::parse(name).expect("a name");
    ScopeChoice::new(&Scope::new(name, description), ticked)
}

/// All samples.
pub fn all() -> Vec<Sample> {
    [
        account::samples(),
        security::samples(),
        identity::samples(),
        password::samples(),
        device::samples(),
        devices::samples(),
        token::samples(),
        token_access::samples(),
        token_activity::samples(),
        token_confirm::samples(),
        token_form::samples(),
        org::samples(),
        member::samples(),
        invitation::samples(),
        project::samples(),
        policy::samples(),
        audit::samples(),
        error::samples(),
        factor::samples(),
        problem::samples(),
        admin::samples(),
        scopes::samples(),
        admin_client::samples(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
