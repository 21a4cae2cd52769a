//! The options of `login`.

use std::convert::Infallible;

use crate::commands::ClientOptions;
use domain::id::ProjectId;
use domain::scope::ScopeSet;
use domain::secret::Secret;

/// The options of `login`.
#[derive(Debug, clap::Args)]
pub struct LoginOptions {
    #[command(flatten)]
    pub(in crate::commands) client: ClientOptions,
    /// Approve a short code in a browser, here or on another device (the default)
    #[arg(long, conflicts_with = "token")]
    pub(super) device: bool,
    /// Do not open a browser on this machine
    #[arg(long, conflicts_with = "token")]
    pub(super) no_browser: bool,
    /// Store this token instead of requesting one; `-` reads it from standard input. A token on
    /// the command line is visible in the process list and in the shell history
    #[arg(long, value_name = "TOKEN", value_parser = parse_token)]
    pub(super) token: Option<Secret>,
    /// Store the token in the keyring of the kernel instead of the credentials file. It is in
    /// memory: after a restart of the machine, sign in again
    #[arg(long)]
    pub(super) keyring: bool,
    /// Request this scope and those of the present sign-in; can be repeated [default: the client's
    /// default scopes]
    #[arg(
        long,
        value_name = "SCOPE",
        value_parser = parse_scope,
        value_delimiter = ',',
        conflicts_with = "token"
    )]
    pub(super) scope: Vec<ScopeSet>,
    /// Request only the scopes of --scope, without those of the present sign-in
    #[arg(long, requires = "scope")]
    pub(super) only: bool,
    /// Preselect this organization, by its slug or ID, as the limit of the token; you decide in
    /// the browser
    #[arg(long, value_name = "ORG", conflicts_with = "token")]
    pub(super) org: Option<String>,
    /// Preselect this project, by its ID, as the limit of the token; you decide in the browser.
    /// If the token can access it, it becomes the project of commands that name none
    #[arg(long, value_name = "PROJECT", value_parser = parse_project)]
    pub(super) project: Option<ProjectId>,
    /// Renew the present sign-in: request the same scopes and limits
    #[arg(long, conflicts_with_all = ["token", "scope", "org", "project"])]
    pub(super) renew: bool,
    /// Sign in as this client of the server [default: the one of this program]
    #[arg(long, value_name = "ID", conflicts_with = "token")]
    pub(super) client_id: Option<String>,
    /// Revoke what was created with the previous token too, without a question
    #[arg(long)]
    pub(super) yes: bool,
}

/// Parses a token, or `-` for standard input.
pub fn parse_token(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

/// Parses the names of scopes, separated by spaces.
pub fn parse_scope(text: &str) -> Result<ScopeSet, String> {
    match ScopeSet::parse(text) {
        Ok(scopes) if !scopes.is_empty() => Ok(scopes),
        _ => Err("a scope is a name such as orgs:read".to_owned()),
    }
}

/// Parses the ID of a project.
pub fn parse_project(text: &str) -> Result<ProjectId, &'static str> {
    ProjectId::parse(text).ok_or("the ID of a project starts with prj_")
}
