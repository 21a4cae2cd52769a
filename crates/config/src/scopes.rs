//! `[[scopes]]`: the scopes besides the built-in ones; `[[presets]]`: named selections of them.

use super::table::Table;
use domain::name;
use domain::role::Role;
use domain::scope::{BuiltInNames, Catalogue, Preset, Risk, Scope, ScopeName};

/// One scope, as written in a variable.
const EXAMPLE: &str = r#"[{ name = "app:deploy", description = "Deploy builds" }]"#;

/// One preset, as written in a variable.
const PRESET_EXAMPLE: &str = r#"[{ name = "Read only", scopes = ["app:read"] }]"#;

/// Reads the catalogue. A scope that conflicts with another is a fault and not part of it.
pub(super) fn read(root: &mut Table, built_in: &BuiltInNames) -> Catalogue {
    let mut scopes: Vec<Scope> = Vec::new();
    let mut catalogue = Catalogue::new(built_in, Vec::new()).unwrap_or_default();
    root.tables("scopes", EXAMPLE, |table| {
        let name = table.required("name", scope_name);
        let description = table.required("description", description);
        let min_role = table.optional("min_role", role, |role| role.as_str().to_owned());
        let risk = table.optional("risk", risk, |risk| risk.as_str().to_owned());
        let group = table.optional("group", label, String::clone);
        let is_default = table.optional_flag("default");
        let (Some(name), Some(description)) = (name, description) else {
            return;
        };
        let usual = Scope::new(name, description);
        let scope = Scope {
            min_role,
            risk: risk.unwrap_or(usual.risk),
            group: group.unwrap_or_else(|| usual.group.clone()),
            is_default,
            ..usual
        };
        let more = scopes.iter().cloned().chain([scope]).collect();
        match Catalogue::new(built_in, more) {
            Ok(more) => catalogue = more,
            Err(name) => {
                let why = match scopes.iter().any(|scope| scope.name == name) {
                    true => "is defined twice",
                    false => {
                        "is a built-in scope, which cannot be redefined; to use the name, set \
                         tokens.builtin_scopes to \"hide\" or to a prefix"
                    }
                };
                table.fault("name", format!("{:?} {why}", name.as_str()));
                return;
            }
        }
        scopes = catalogue.iter().take(scopes.len() + 1).cloned().collect();
    });
    catalogue
}

/// Reads the presets.
pub(super) fn presets(root: &mut Table, catalogue: &Catalogue) -> Vec<Preset> {
    let mut presets: Vec<Preset> = Vec::new();
    root.tables("presets", PRESET_EXAMPLE, |table| {
        let name = table.required("name", label);
        if !table.has("scopes") {
            table.fault("scopes", "is missing".to_owned());
        }
        let scopes = table.list("scopes", r#"["app:read"]"#, |text| known(text, catalogue));
        let Some(name) = name else {
            return;
        };
        if presets.iter().any(|preset| preset.name == name) {
            table.fault("name", format!("{name:?} is defined twice"));
        }
        presets.push(Preset {
            name,
            scopes: scopes.into_iter().collect(),
        });
    });
    presets
}

/// A scope of the catalogue.
pub(super) fn known(text: &str, catalogue: &Catalogue) -> Result<ScopeName, String> {
    ScopeName::parse(text)
        .filter(|name| catalogue.find(name).is_some())
        .ok_or_else(|| {
            format!("{text:?} is not a scope; define it under [[scopes]] or write one that is")
        })
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

/// A heading, or the name of a preset.
fn label(text: &str) -> Result<String, String> {
    name::line(text, 100).map_err(|_| "write 1 to 100 characters on one line".to_owned())
}

pub(super) fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let roles = Role::ALL.map(Role::as_str).join(", ");
        format!("{text:?} is not a role; write one of {roles}")
    })
}

fn risk(text: &str) -> Result<Risk, String> {
    Risk::parse(text).ok_or_else(|| {
        let risks = Risk::ALL.map(Risk::as_str).join(", ");
        format!("{text:?} is not a risk; write one of {risks}")
    })
}
