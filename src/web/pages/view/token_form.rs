//! The form for a new token.

use super::filters;
use super::token::TokensOwner;
use super::{Choice, Chrome, FieldErrors, ProjectGroup, ScopeChoice};
use askama::Template;
use domain::route::Unscoped;

/// `/tokens/new`, or the organization's. Posts to the same path the fields `name`, `expires`,
/// `expires_on`, `organization`, `project` (repeated), `access.X` for the resource `X`, `scope`
/// (repeated), `form_nonce`.
#[derive(Debug, Template)]
#[template(path = "token_new.html")]
pub struct NewTokenPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The owner of the new token.
    pub owner: TokensOwner,
    /// The typed name.
    pub name: String,
    /// The choices for the expiry.
    pub expiry: Vec<ExpiryChoice>,
    /// The typed date: `2027-02-20`, or empty.
    pub expires_on: String,
    /// The first date that can be chosen: `2026-11-22`.
    pub earliest: String,
    /// The last date that can be chosen, if lifetimes are limited.
    pub latest: Option<String>,
    /// Its possible limits.
    pub reach: Reach,
    /// The presets.
    pub presets: Vec<PresetLink>,
    /// The scopes to choose from, by resource.
    pub resources: Vec<Resource>,
    /// What the token can use without any of them.
    pub unscoped: Unscoped,
    /// What a copied token has that the new one cannot have; empty without one.
    pub left_out: Vec<String>,
    /// The form nonce: one token, however often the form is sent.
    pub form_nonce: String,
    /// Form errors; fields `name`, `expires`, `expires_on`, `organization`, `project`, `scope`.
    pub errors: FieldErrors,
}

impl NewTokenPage {
    /// Whether there are enough resources for a search.
    fn has_many_resources(&self) -> bool {
        self.resources.len() > 8
    }

    /// What the token can do without scopes.
    fn without_scopes(&self) -> String {
        let (owner, role) = match self.owner.organization() {
            Some(_) => ("the organization", "the role admin"),
            None => ("you", "your role"),
        };
        match self.unscoped {
            Unscoped::Identity => format!("Without scopes a token can only identify {owner}."),
            Unscoped::Open => format!(
                "Without scopes a token can identify {owner} and use routes that are open to every token."
            ),
            Unscoped::ByRole => format!(
                "With any scopes, or none, a token can do what {role} allows on routes that need a \
                 role but no scope."
            ),
        }
    }

    /// Whether any scope is marked, which the derived presets leave out.
    fn has_high_risk(&self) -> bool {
        self.resources
            .iter()
            .flat_map(Resource::scopes)
            .any(ScopeChoice::is_high)
    }
}

/// A choice of the expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryChoice {
    /// The value, the label, and whether it is selected.
    pub choice: Choice,
    /// The day of the expiry, or another remark.
    pub note: String,
    /// Whether it is beyond the limit on lifetimes.
    pub is_over: bool,
}

/// The possible limits of a new token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Whether the user chooses one of the organizations.
    pub has_choice: bool,
    /// Whether no limit is selected; `None` if one is required, or there is no choice.
    pub all: Option<bool>,
    /// The organizations with their projects.
    pub organizations: Vec<ReachOrganization>,
}

impl Reach {
    /// The organization that is not a choice.
    fn only(&self) -> Option<&ReachOrganization> {
        match self.has_choice {
            true => None,
            false => self.organizations.first(),
        }
    }
}

/// An organization that a token can be limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachOrganization {
    /// Its id, its name and its projects, of which there may be none.
    pub group: ProjectGroup,
    /// Whether it is selected.
    pub selected: bool,
    /// What its policy requires; `None` if the user can choose freely.
    pub required: Option<Requirement>,
}

impl ReachOrganization {
    /// Whether its policy lets this user have tokens that reach it.
    pub fn is_allowed(&self) -> bool {
        self.required != Some(Requirement::AdminsOnly)
    }
}

/// A policy's requirement for a personal token or its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// The owner must be an admin or owner, which this user is not.
    AdminsOnly,
    /// It must expire within this time: `90 days`.
    ExpiresWithin(String),
    /// It must expire.
    Expires,
}

/// A link to the form with some scopes selected. The script selects them without the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetLink {
    /// Its name.
    pub name: String,
    /// The path and query.
    pub href: String,
    /// The names of its scopes, separated by spaces.
    pub scopes: String,
    /// Whether exactly these are selected.
    pub is_current: bool,
}

/// The scopes of a resource: those whose names share the part before the last colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The shared part: `tokens`.
    pub name: String,
    /// The heading above it, if it begins a group with a name of its own.
    pub heading: Option<String>,
    group: String,
    /// The scope that ends in `:read`.
    pub read: Option<ScopeChoice>,
    /// The scope that ends in `:write`, if there is one for reading too: writing includes it.
    pub write: Option<ScopeChoice>,
    /// The others, each with a checkbox.
    pub others: Vec<ScopeChoice>,
}

impl Resource {
    /// Groups scopes; resources appear in the order of their first scope.
    pub fn of(scopes: Vec<ScopeChoice>) -> Vec<Self> {
        let mut resources: Vec<Self> = Vec::new();
        for scope in scopes {
            let (name, verb) = scope.name.rsplit_once(':').unwrap_or((&scope.name, ""));
            let at = resources.iter().position(|resource| resource.name == name);
            let at = at.unwrap_or_else(|| {
                let previous = resources.last().map(|resource| resource.group.as_str());
                let is_heading = scope.group != name && previous != Some(scope.group.as_str());
                resources.push(Self {
                    name: name.to_owned(),
                    heading: is_heading.then(|| scope.group.clone()),
                    group: scope.group.clone(),
                    read: None,
                    write: None,
                    others: Vec::new(),
                });
                resources.len() - 1
            });
            match verb {
                "read" => resources[at].read = Some(scope),
                "write" => resources[at].write = Some(scope),
                _ => resources[at].others.push(scope),
            }
        }
        for resource in &mut resources {
            if resource.read.is_none() {
                resource.others.extend(resource.write.take());
            }
        }
        resources
    }

    fn scopes(&self) -> impl Iterator<Item = &ScopeChoice> {
        self.read.iter().chain(&self.write).chain(&self.others)
    }

    /// The selected choice of the row: the scope's name, or `none`.
    fn selected(&self) -> &str {
        let mut ticked = self.write.iter().chain(&self.read);
        let ticked = ticked.find(|scope| scope.ticked);
        ticked.map_or("none", |scope| &scope.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::choice;
    use super::*;

    #[test]
    fn scopes_form_rows_by_the_part_before_the_last_colon() {
        let scopes = [
            "app:deploy",
            "app:read",
            "a:b:write",
            "a:b:read",
            "dns:write",
            "plain",
        ];
        let scopes = scopes.map(|name| choice(name, "", name == "a:b:write"));
        let resources = Resource::of(scopes.to_vec());
        let names = |scopes: &[ScopeChoice]| {
            let names: Vec<_> = scopes.iter().map(|scope| scope.name.clone()).collect();
            names.join(" ")
        };
        let rows: Vec<_> = resources
            .iter()
            .map(|resource| {
                (
                    resource.name.as_str(),
                    resource.read.is_some(),
                    resource.write.is_some(),
                    names(&resource.others),
                    resource.selected(),
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                ("app", true, false, "app:deploy".to_owned(), "none"),
                ("a:b", true, true, String::new(), "a:b:write"),
                ("dns", false, false, "dns:write".to_owned(), "none"),
                ("plain", false, false, "plain".to_owned(), "none"),
            ]
        );
    }
}
