//! `/admin`: the operator console.

mod client;
mod org;
mod scope;
mod user;

use super::page_request::{Answer, PageRequest};
use super::page_route::{Guard, read};
use super::view::admin::{Check, HealthPage, Level};
use super::view::duration_words;
use crate::web::failure::Failure;
use crate::web::route::resource;
use actix_web::http::StatusCode;
use actix_web::web;
use app::Request;
use app::access::console::{self, Entry};
use app::audit::publish::Step;
use app::health::{self, AuditStep, Health};
use std::ops::Deref;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/admin", read(show_health)));
    user::routes(config);
    org::routes(config);
    client::routes(config);
    scope::routes(config);
}

/// A request of the operator in a browser. Its page is that of the user; its use cases get
/// [`Self::operator`].
pub struct AdminRequest {
    req: PageRequest,
    /// The request to the use cases.
    pub operator: Request,
}

impl Deref for AdminRequest {
    type Target = PageRequest;

    fn deref(&self) -> &PageRequest {
        &self.req
    }
}

impl Guard for AdminRequest {
    /// Admits operators who signed in recently, and asks others of them to sign in again. The pages
    /// do not exist for other users and for visitors.
    async fn admit(req: PageRequest) -> Result<Self, Failure> {
        match console::enter(&req.app, &req.context, &req.caller) {
            Entry::Open(caller) => Ok(Self {
                operator: req.with_caller(caller),
                req,
            }),
            Entry::SignInAgain => Err(Failure::SignInAgain(req.return_to())),
            // Any browser whose session has ended may be that of an operator.
            Entry::Closed if req.had_session() => Err(Failure::SignIn(req.return_to())),
            Entry::Closed => Err(Failure::NotFound),
        }
    }
}

/// `GET /admin`.
async fn show_health(req: AdminRequest) -> Answer {
    let health = health::inspect(&req.operator).await?;
    let config = req.app.config();
    let page = HealthPage {
        chrome: req.chrome(),
        version: env!("CARGO_PKG_VERSION"),
        address: config.server.public_url.to_string(),
        checks: checks(&req, &health),
        waiting_codes: health.waiting_codes,
        waiting_messages: health.mail.map(|mail| mail.waiting),
        unsealed: health
            .audit
            .iter()
            .find(|one| one.step == Step::Seal)
            .map_or(0, |one| one.lag.records),
    };
    req.page(StatusCode::OK, &page)
}

fn checks(req: &AdminRequest, health: &Health) -> Vec<Check> {
    let config = req.app.config();
    let database = match config.database.url.kind() {
        "postgresql" => "PostgreSQL",
        _ => "SQLite",
    };
    let (state, level) = match health.not_ready {
        None => ("Working", Level::Ok),
        Some(_) => ("Not ready", Level::Danger),
    };
    let mut checks = vec![Check::new("Database", database, state, level)];
    checks.extend(health.audit.iter().map(audit_check));
    let host = config.mail.as_ref().map(|mail| mail.smtp_url.host.as_str());
    checks.push(match (host, health.mail) {
        (Some(host), Some(mail)) if mail.delayed > 0 => {
            let detail = format!("{host}, {} after a failure", count(mail.delayed, "message"));
            Check::new("Email", detail, "Delayed", Level::Warn)
        }
        (Some(host), _) => Check::new("Email", host.to_owned(), "Working", Level::Ok),
        (None, _) => Check::new(
            "Email",
            "Pass on links to reset passwords and invitations yourself",
            "Not configured",
            Level::Off,
        ),
    });
    checks
}

fn audit_check(one: &AuditStep) -> Check {
    let name = match one.step {
        Step::Seal => "Audit log: sealing",
        Step::Sign => "Audit log: checkpoints",
        Step::Publish => "Audit log: published checkpoints",
        Step::Ship => "Audit log: shipping",
    };
    let (records, age) = (one.lag.records, one.lag.age.num_seconds().unsigned_abs());
    let detail = match records {
        0 => "No record waits".to_owned(),
        records => format!(
            "{} wait, the oldest for {}",
            count(usize::try_from(records).unwrap_or(usize::MAX), "record"),
            duration_words(age)
        ),
    };
    match one.is_late {
        true => Check::new(name, detail, "Late", Level::Warn),
        false => Check::new(name, detail, "On time", Level::Ok),
    }
}

fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}
