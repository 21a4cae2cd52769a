//! The operator console: health, users, organizations, scopes and routes.

use super::filters;
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;
use domain::role::Role;
use domain::scope::Risk;
use std::borrow::Cow;

/// `/admin`.
#[derive(Debug, Template)]
#[template(path = "admin_health.html")]
pub struct HealthPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The version of the server.
    pub version: &'static str,
    /// The public URL of the server.
    pub address: String,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Number of device codes that wait for a decision.
    pub waiting_codes: u64,
    /// Number of messages that are not sent yet; `None` without a mail server.
    pub waiting_messages: Option<usize>,
    /// Number of audit records that are not sealed yet.
    pub unsealed: u64,
}

impl HealthPage {
    /// Number of checks without a problem.
    fn passed(&self) -> usize {
        let passed = self.checks.iter().filter(|check| !check.is_problem());
        passed.count()
    }
}

/// A part of the server and its state.
#[derive(Debug, Clone)]
pub struct Check {
    /// The part.
    pub name: &'static str,
    /// What was found.
    pub detail: Cow<'static, str>,
    /// The state in a word.
    pub state: &'static str,
    /// How good the state is.
    pub level: Level,
}

impl Check {
    /// A part with its state.
    pub fn new(
        name: &'static str,
        detail: impl Into<Cow<'static, str>>,
        state: &'static str,
        level: Level,
    ) -> Self {
        Self {
            name,
            detail: detail.into(),
            state,
            level,
        }
    }

    fn is_problem(&self) -> bool {
        matches!(self.level, Level::Warn | Level::Danger)
    }
}

/// How good a state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Nothing is to be done.
    Ok,
    /// It is switched off.
    Off,
    /// It needs a look.
    Warn,
    /// It is broken.
    Danger,
}

impl Level {
    /// The class of the dot.
    fn dot(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Danger => "danger",
        }
    }

    /// The class of the word.
    fn word(self) -> &'static str {
        match self {
            Self::Ok | Self::Off => "muted",
            Self::Warn => "is-warn",
            Self::Danger => "is-danger",
        }
    }
}

/// `/admin/users`.
#[derive(Debug, Template)]
#[template(path = "admin_users.html")]
pub struct UsersPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The users, oldest first.
    pub users: Vec<UserRow>,
    /// The email address or ID that was searched for; empty for all users.
    pub text: String,
    /// URL of the next page.
    pub next: Option<String>,
}

/// A user in the operator console.
#[derive(Debug, Clone)]
pub struct UserRow {
    /// The ID.
    pub id: String,
    /// The name.
    pub name: String,
    /// The email for sign-in.
    pub email: String,
    /// Whether the email is verified.
    pub is_email_verified: bool,
    /// Whether the user may sign in.
    pub is_active: bool,
    /// Whether the user may open the operator console.
    pub is_operator: bool,
    /// When the user was created.
    pub created: Moment,
}

/// `/admin/users/{user}`. Posts to `…/password-reset`, `…/verify-email` and `…/reactivate`.
#[derive(Debug, Template)]
#[template(path = "admin_user.html")]
pub struct UserPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The user.
    pub user: UserRow,
    /// Whether it is the reader.
    pub is_you: bool,
    /// Whether the user must change the password at the next sign-in.
    pub must_change_password: bool,
    /// The organizations of the user.
    pub organizations: Vec<UserOrganization>,
    /// Number of active personal tokens.
    pub tokens: usize,
    /// How a reset link reaches the user.
    pub reset: ResetWay,
    /// The notice of the last action.
    pub notice: Option<UserNotice>,
    /// Errors of the last action, without a field.
    pub errors: FieldErrors,
}

/// An organization of a user.
#[derive(Debug, Clone)]
pub struct UserOrganization {
    /// The name in URLs.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The user's role.
    pub role: Role,
}

/// How a reset link reaches a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetWay {
    /// The server mails it.
    Mail,
    /// The operator sees it once, and passes it on.
    ByHand,
    /// There is none: the user is deactivated, or an operator who cannot be reached by mail.
    Nothing,
}

/// The last action on a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserNotice {
    /// The user was deactivated.
    Deactivated,
    /// The user was reactivated.
    Reactivated,
    /// The email was marked as verified.
    Verified,
    /// A reset link was mailed.
    ResetSent,
}

/// `GET /admin/users/{user}/deactivate`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "admin_deactivate.html")]
pub struct DeactivatePage {
    /// The page frame.
    pub chrome: Chrome,
    /// The user.
    pub user: UserRow,
    /// The organizations of the user.
    pub organizations: Vec<UserOrganization>,
    /// Number of active personal tokens, which end.
    pub tokens: usize,
}

/// `GET /admin/users/{user}/password-reset/link`.
#[derive(Debug, Template)]
#[template(path = "admin_reset.html")]
pub struct ResetLinkPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The user.
    pub user: UserRow,
    /// The link; `None` if it was shown before.
    pub url: Option<String>,
}

/// `/admin/organizations`.
#[derive(Debug, Template)]
#[template(path = "admin_organizations.html")]
pub struct OrganizationsPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organizations, oldest first.
    pub organizations: Vec<OrganizationRow>,
    /// URL of the next page.
    pub next: Option<String>,
}

/// An organization in the operator console.
#[derive(Debug, Clone)]
pub struct OrganizationRow {
    /// The ID.
    pub id: String,
    /// The name in URLs.
    pub slug: String,
    /// The name.
    pub name: String,
    /// The plan.
    pub plan: &'static str,
    /// Who created it.
    pub made_by: MadeBy,
    /// When it was created.
    pub created: Moment,
}

/// Who created an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeBy {
    /// The operator.
    Operator,
    /// A user.
    User {
        /// The name.
        name: String,
        /// The ID.
        id: String,
    },
}

/// `/admin/organizations/{org}`. Posts to `…/plan` the fields `plan` and `grace`.
#[derive(Debug, Template)]
#[template(path = "admin_organization.html")]
pub struct OrganizationPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The organization.
    pub organization: OrganizationRow,
    /// Number of members.
    pub members: usize,
    /// Number of projects.
    pub projects: usize,
    /// Number of active tokens that the plan `free` would block.
    pub blocked: usize,
    /// The plans, one of them selected.
    pub plans: Vec<Choice>,
    /// The grace periods, one of them selected.
    pub graces: Vec<Choice>,
    /// Whether the plan was saved.
    pub is_saved: bool,
    /// Form errors, without a field.
    pub errors: FieldErrors,
}

/// The plans; `selected` is selected.
pub fn plans(selected: &str) -> Vec<Choice> {
    Choice::of(&[("team", "Team"), ("free", "Free")], selected)
}

/// `/admin/scopes`.
#[derive(Debug, Template)]
#[template(path = "admin_scopes.html")]
pub struct ScopesPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The scopes, by name.
    pub scopes: Vec<ScopeRow>,
    /// The routes, in the order in which they are tried.
    pub routes: Vec<RouteRow>,
}

/// A scope in force.
#[derive(Debug, Clone)]
pub struct ScopeRow {
    /// The name.
    pub name: String,
    /// What it grants.
    pub description: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// The least role of its user.
    pub least_role: Option<Role>,
    /// Number of routes that need it.
    pub routes: usize,
}

/// A route in force.
#[derive(Debug, Clone)]
pub struct RouteRow {
    /// Method and path, as configured.
    pub pattern: String,
    /// What a request needs.
    pub needs: RouteNeeds,
    /// The organization that the route names.
    pub organization: Option<String>,
}

impl RouteRow {
    /// Whether a request needs an active token, which has to reach the organization.
    pub(super) fn is_for_tokens(&self) -> bool {
        matches!(self.needs, RouteNeeds::Token | RouteNeeds::Scope(_))
    }
}

/// What a request to a route needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteNeeds {
    /// Nothing.
    Nothing,
    /// The operator token.
    Operator,
    /// Any active token.
    Token,
    /// A token with this scope.
    Scope(String),
    /// A token whose owner has at least this role.
    Role(Role),
}
