//! `[[scopes]]`: the scopes besides the built-in ones.

use super::error::ConfigError;
use super::table::Table;
use domain::name;
use domain::role::Role;
use domain::scope::{Catalogue, Risk, Scope, ScopeName};

/// One entry, as written in a variable.
const EXAMPLE: &str = r#"[{ name = "app:deploy", description = "Deploy builds" }]"#;

/// Reads the catalogue. A scope that conflicts with another is a fault and not part of it.
pub(super) fn read(root: &mut Table) -> Result<Catalogue, ConfigError> {
    let mut scopes: Vec<Scope> = Vec::new();
    let settings = root.tables("scopes", EXAMPLE, |table| {
        let name = table.required("name", scope_name);
        let description = table.required("description", description);
        let min_role = table.optional("min_role", role, |role| role.as_str().to_owned());
        let risk = table.optional("risk", risk, |risk| risk.as_str().to_owned());
        let (Some(name), Some(description)) = (name, description) else {
            return;
        };
        let mut more = scopes.clone();
        more.push(Scope {
            risk: risk.unwrap_or_else(|| Risk::of_name(&name)),
            name,
            description,
            min_role,
        });
        match Catalogue::new(more.clone()) {
            Ok(_) => scopes = more,
            Err(name) => {
                let why = if scopes.iter().any(|scope| scope.name == name) {
                    "is defined twice"
                } else {
                    "is a built-in scope, which cannot be redefined"
                };
                table.fault("name", format!("{:?} {why}", name.as_str()));
            }
        }
    });
    // They are shown by name, as in the catalogue.
    settings.sort_by_cached_key(|scope| {
        let name = scope.settings.first();
        name.and_then(|(_, name)| name.as_str().map(str::to_owned))
    });
    // No two scopes conflict: each was checked above.
    Catalogue::new(scopes).map_err(|_| ConfigError::new(Vec::new()))
}

fn scope_name(text: &str) -> Result<ScopeName, String> {
    ScopeName::parse(text).ok_or_else(|| {
        format!(
            "{text:?} is not the name of a scope; write 1 to 100 letters, digits and signs \
             such as app:deploy, without spaces, quotes, backslashes and * (there are no \
             wildcards)"
        )
    })
}

/// The consent page shows the description, so the same characters are allowed as in names.
fn description(text: &str) -> Result<String, String> {
    name::line(text, 200).map_err(|_| {
        "write 1 to 200 characters on one line that say what the scope grants".to_owned()
    })
}

fn risk(text: &str) -> Result<Risk, String> {
    Risk::parse(text).ok_or_else(|| {
        let risks = Risk::ALL.map(Risk::as_str).join(", ");
        format!("{text:?} is not a risk; write one of {risks}")
    })
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let roles = Role::ALL.map(Role::as_str).join(", ");
        format!("{text:?} is not a role; write one of {roles}")
    })
}
