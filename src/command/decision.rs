//! `doorcode explain`: why a request with a token is allowed or denied.

use super::{Outcome, as_operator, load_config, print};
use clap::Args;
use doorcode::app::access::{ActiveToken, Denial, LoadedOwner};
use doorcode::app::decision::{self, Explanation, Named, VerifyRequest};
use doorcode::config::Config;
use doorcode::domain::policy::Violation;
use doorcode::domain::route::{AccessRule, Route, RouteResource};
use doorcode::domain::secret::Secret;
use doorcode::domain::token::{State, Token};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// `doorcode explain`.
#[derive(Args)]
pub struct Explain {
    /// The token; without this option it is read from standard input, so that other users of the
    /// machine cannot see it
    #[arg(long)]
    token: Option<String>,
    /// Exit with 3 if the request is denied with 401, and with 4 if it is denied with 403. Without
    /// this option, an explained decision exits with 0, whether the request is allowed or denied
    #[arg(long)]
    exit_code: bool,
    /// The request: method and path, such as "POST /v1/deploys"
    request: String,
}

/// Exit codes of a decision with `--exit-code`.
const ALLOWED: u8 = 0;
const UNAUTHORIZED: u8 = 3;
const FORBIDDEN: u8 = 4;

/// Runs the command, and returns its exit code. The database answers, so that it can run beside the
/// server.
pub fn run(config: Option<&Path>, command: Explain) -> Outcome<ExitCode> {
    let is_asked = command.exit_code;
    let decided = explain(config, command)?;
    Ok(match is_asked {
        true => ExitCode::from(decided),
        false => ExitCode::SUCCESS,
    })
}

/// Prints the explanation, and returns the exit code of the decision.
fn explain(config: Option<&Path>, command: Explain) -> Outcome<u8> {
    let settings = load_config(config)?;
    let Some((method, target)) = command.request.split_once(' ') else {
        return Err("Write the method, a space and the path: \"GET /v1/apps\".".into());
    };
    let mut lines = vec![format!("Request: {method} {target}")];
    let Some((route, rule)) = settings.routes.find(method, target.trim()) else {
        lines.push(
            "Route: none of [[routes]] matches. Denied for every token (403). Check the method and \
             the spelling of the path, or add a route."
                .to_owned(),
        );
        print(&lines.join("\n"))?;
        return Ok(FORBIDDEN);
    };
    lines.push(format!(
        "Route: \"{}\" {}",
        route.pattern,
        describe_rule(&rule)
    ));
    let mut decided = ALLOWED;
    if let Some(request) = to_verify(&rule) {
        let token = token(command.token)?;
        let explained = as_operator(config, async |req| {
            decision::explain(req, &token, request).await
        })?;
        lines.extend(describe(&settings, &rule, &explained));
        decided = exit_code(&rule, &explained);
    } else {
        lines.push("Decision: allowed for every caller, also without a token.".to_owned());
    }
    lines.extend(note_key(route));
    print(&lines.join("\n"))?;
    Ok(decided)
}

/// The exit code of a decision.
fn exit_code(rule: &AccessRule, explained: &Explanation) -> u8 {
    match explained {
        Explanation::Operator => ALLOWED,
        Explanation::Unknown | Explanation::Inactive(..) => UNAUTHORIZED,
        Explanation::Active { answer: Ok(()), .. } if *rule != AccessRule::Operator => ALLOWED,
        Explanation::Active { .. } => FORBIDDEN,
    }
}

fn token(given: Option<String>) -> Outcome<Secret> {
    let text = match given {
        Some(text) => text,
        None => {
            if std::io::stdin().is_terminal() {
                writeln!(std::io::stderr(), "Paste the token:")?;
            }
            let mut text = String::new();
            std::io::stdin().read_line(&mut text)?;
            text
        }
    };
    Ok(Secret::new(text.trim()))
}

fn note_key(route: &Route) -> Option<String> {
    let note = "Key: the request must have an Idempotency-Key, or it is denied (403).";
    route.idempotency_key.then(|| note.to_owned())
}

/// The access to decide about; `None` for a public route.
fn to_verify(rule: &AccessRule) -> Option<VerifyRequest> {
    match rule {
        AccessRule::Public => None,
        AccessRule::Operator => Some(VerifyRequest::default()),
        AccessRule::Token {
            scope,
            role,
            resource,
            max_age,
        } => Some(VerifyRequest {
            max_age: *max_age,
            scope: scope.as_ref().map(ToString::to_string),
            role: *role,
            resource: resource.clone().map(|resource| match resource {
                RouteResource::Project(id) => Named::Project(id),
                RouteResource::Organization(id) => Named::Organization(id),
                RouteResource::Configured(named) => Named::Configured(named),
            }),
        }),
    }
}

fn describe_rule(rule: &AccessRule) -> String {
    match rule {
        AccessRule::Public => "is open to all.".to_owned(),
        AccessRule::Operator => "needs the operator token.".to_owned(),
        AccessRule::Token {
            scope,
            role,
            resource,
            max_age,
        } => {
            let need = match (scope, role) {
                (Some(scope), _) => format!("needs the scope {scope}"),
                (None, Some(role)) => format!("needs the role {}", role.as_str()),
                (None, None) => "needs an active token".to_owned(),
            };
            let at = match resource {
                Some(RouteResource::Project(id)) => format!(" for the project {id}"),
                Some(RouteResource::Organization(id) | RouteResource::Configured(id)) => {
                    format!(" in the organization {id}")
                }
                None => String::new(),
            };
            let age = max_age.map_or_else(String::new, |age| {
                format!(
                    ", and a sign-in of the token's owner in the last {} s",
                    age.as_secs()
                )
            });
            format!("{need}{at}{age}.")
        }
    }
}

fn describe(config: &Config, rule: &AccessRule, explained: &Explanation) -> Vec<String> {
    let is_for_operator = *rule == AccessRule::Operator;
    match explained {
        Explanation::Operator => vec![
            "Token: the operator token. It passes every check from the networks of [operator] \
             networks."
                .to_owned(),
            "Decision: allowed.".to_owned(),
        ],
        Explanation::Unknown => vec![
            format!(
                "Token: this server issued no such token. Tokens begin with {}_; compare the whole \
                 text.",
                config.tokens.prefix.as_str()
            ),
            "Decision: denied (401).".to_owned(),
        ],
        Explanation::Inactive(token, why) => vec![
            format!(
                "Token: {}. {}",
                name_of(token),
                describe_inactive(token, why)
            ),
            "Decision: denied (401).".to_owned(),
        ],
        Explanation::Active {
            active,
            organization_id,
            answer,
        } => {
            let mut lines = describe_token(active);
            let counted = organization_id.as_ref().map(ToString::to_string);
            let counted = counted.unwrap_or_else(|| "none".to_owned());
            lines.push(format!("Organization that counts: {counted}"));
            lines.push(match answer {
                _ if is_for_operator => {
                    "Decision: denied (403). Only the operator token is allowed here.".to_owned()
                }
                Ok(()) => "Decision: allowed.".to_owned(),
                Err(denial @ Denial::NotConfirmed(..)) => {
                    format!("Decision: denied (401). {}", reason(denial))
                }
                Err(denial) => format!("Decision: denied (403). {}", reason(denial)),
            });
            lines
        }
    }
}

fn name_of(token: &Token) -> String {
    format!("\"{}\" ({}, {})", token.name, token.hint, token.id)
}

fn describe_token(active: &ActiveToken) -> Vec<String> {
    let token = &active.token;
    let owner = match &active.loaded_owner {
        LoadedOwner::User(owner) => format!("the user {}", owner.user.email),
        LoadedOwner::Organization(organization) => {
            format!("the organization {}", organization.slug)
        }
    };
    let roles: Vec<_> = active
        .memberships()
        .map(|one| format!("{} in {}", one.role.as_str(), one.organization.slug))
        .collect();
    let list = |text: String| match text.is_empty() {
        true => "none".to_owned(),
        false => text,
    };
    let mut lines = vec![
        format!("Token: {}, of {owner}. It is active.", name_of(token)),
        format!("Scopes of the token: {}", list(token.scopes.to_string())),
        format!(
            "Scopes that count for this request: {}",
            list(active.scopes.to_string())
        ),
    ];
    if matches!(active.loaded_owner, LoadedOwner::User(_)) {
        lines.push(format!(
            "Roles that the token reaches: {}",
            list(roles.join(", "))
        ));
    }
    let limits = token.limits.ids();
    if !limits.is_empty() {
        lines.push(format!("Limited to: {}", limits.join(", ")));
    }
    lines
}

fn describe_inactive(token: &Token, why: &str) -> String {
    let at = |at: Option<doorcode::domain::Instant>| {
        at.map_or_else(String::new, |at| {
            format!(" on {}", at.format("%Y-%m-%d %H:%M:%S UTC"))
        })
    };
    match why {
        "revoked" => {
            let revocation = token.revocation.as_ref();
            let by = revocation.map_or_else(String::new, |one| format!(" by {}", one.by));
            format!("It was revoked{}{by}.", at(revocation.map(|one| one.at)))
        }
        "expired" => format!("It expired{}.", at(token.expires_at)),
        "client_inactive" => "Its client is disabled or was removed.".to_owned(),
        _ if token.state(token.created_at) == State::Live => {
            "Its owner is deactivated or was removed.".to_owned()
        }
        other => format!("It is inactive: {other}."),
    }
}

fn reason(denial: &Denial) -> String {
    match denial {
        Denial::Scope(name) => {
            format!("The token does not have the scope {name}. Create one that has it.")
        }
        Denial::UnknownScope => "The scope is not in the catalogue.".to_owned(),
        Denial::NoAccess => "The owner of the token is no member of the organization or project, \
                             or it does not exist."
            .to_owned(),
        Denial::NoOrganization => "The owner is in no organization that allows it.".to_owned(),
        Denial::Limited => {
            "The token is limited to another organization or other projects. A request that names \
             no organization is about organizations.home, if that is set."
                .to_owned()
        }
        Denial::Policy(violation @ Violation::Plan) => {
            format!("{} The operator changes the plan.", violation.explain())
        }
        Denial::Policy(violation) => violation.explain(),
        Denial::Role(role) => format!(
            "The owner's role in the organization that counts is lower than {}. Where the request \
             names no organization, set organizations.home or the key organization of the route.",
            role.as_str()
        ),
        Denial::NotConfirmed(id, age) => format!(
            "The owner signed in for the token more than {seconds} s ago, or never. The answer names \
             the page /tokens/{id}/confirm?max_age={seconds}, where the owner signs in again; \
             `doorcode token confirm` opens it.",
            seconds = age.as_secs()
        ),
        Denial::UserRequired => {
            "The route needs a recent sign-in of the token's owner (max_age). An \
                                 organization does not sign in: use a personal token."
                .to_owned()
        }
        Denial::OperatorRequired => "Only the operator token is allowed.".to_owned(),
        Denial::SessionRequired | Denial::BeyondToken => "The token does not permit it.".to_owned(),
    }
}
