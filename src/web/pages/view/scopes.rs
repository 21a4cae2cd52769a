//! The scopes in force, and the requirements of each.

use super::admin::{RouteNeeds, RouteRow};
use super::{Chrome, filters};
use askama::Template;
use domain::role::Role;
use domain::scope::Risk;

/// `/scopes`.
#[derive(Debug, Template)]
#[template(path = "scopes.html")]
pub struct ScopeMatrixPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The scopes, in the order of the configuration.
    pub scopes: Vec<HeldScope>,
    /// The routes of the protected API, in the order in which they are tried.
    pub routes: Vec<RouteRow>,
}

/// A scope, and where the reader can use it.
#[derive(Debug, Clone)]
pub struct HeldScope {
    /// The name.
    pub name: String,
    /// What it grants.
    pub description: String,
    /// The group in the form for tokens.
    pub group: String,
    /// How much harm it can do.
    pub risk: Risk,
    /// The least role of its user; `None` if any suffices.
    pub least_role: Option<Role>,
    /// The reader's organizations in which their role suffices; empty without a least role.
    pub organizations: Vec<String>,
    /// The routes of the protected API that need it.
    pub routes: Vec<String>,
}
