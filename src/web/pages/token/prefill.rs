//! What the form for a new token opens with: a preset, or the attributes of another token.

use crate::web::pages::view::ScopeChoice;
use crate::web::pages::view::token_form::{PresetLink, Reach};
use config::Config;
use domain::Instant;
use domain::scope::{Catalogue, Risk, ScopeSet};
use domain::token::Token;
use url::form_urlencoded;
use wire::form::Form;

/// Start of the names of the fields that choose the access to a resource.
pub const ACCESS: &str = "access.";

/// The choice of no access to a resource.
pub const NONE: &str = "none";

/// A selection of scopes.
pub struct Preset {
    /// The word in the URL.
    pub word: String,
    name: String,
    scopes: ScopeSet,
}

/// The presets within the scopes that the user can choose from: all that only read, all without a
/// high risk, those of the configuration, and none. Each selects something else.
pub fn presets(config: &Config, offered: &ScopeSet) -> Vec<Preset> {
    let up_to = |risk: Risk| -> ScopeSet {
        let scopes = config.scopes.iter().filter(|scope| scope.risk <= risk);
        let names: ScopeSet = scopes.map(|scope| scope.name.clone()).collect();
        names.intersection(offered)
    };
    let mut presets: Vec<Preset> = Vec::new();
    let built_in = [
        ("read-only", "Read only", up_to(Risk::Read)),
        ("read-write", "Read and write", up_to(Risk::Write)),
    ]
    .map(|(word, name, scopes)| (word.to_owned(), name.to_owned(), scopes));
    let configured = config.presets.iter().zip(1..).map(|(preset, number)| {
        let scopes = preset.scopes.intersection(offered);
        (number.to_string(), preset.name.clone(), scopes)
    });
    for (word, name, scopes) in built_in.into_iter().chain(configured) {
        let is_new = presets.iter().all(|preset| preset.scopes != scopes);
        if is_new && !scopes.is_empty() {
            presets.push(Preset { word, name, scopes });
        }
    }
    presets.push(Preset {
        word: NONE.to_owned(),
        name: "Clear".to_owned(),
        scopes: ScopeSet::default(),
    });
    presets
}

/// The links of the presets on the page with this path and query.
pub fn links(
    presets: &[Preset],
    scopes: &[ScopeChoice],
    path: &str,
    query: &Form,
) -> Vec<PresetLink> {
    let ticked = scopes.iter().filter(|scope| scope.ticked);
    let ticked: Vec<_> = ticked.map(|scope| scope.name.as_str()).collect();
    let link = |preset: &Preset| {
        let mut target = form_urlencoded::Serializer::new(String::new());
        target.append_pair("preset", &preset.word);
        if let Some(original) = query.value("from") {
            target.append_pair("from", original);
        }
        let names: Vec<_> = preset.scopes.iter().map(|name| name.as_str()).collect();
        let is_same = names.len() == ticked.len() && names.iter().all(|name| ticked.contains(name));
        PresetLink {
            name: preset.name.clone(),
            href: format!("{path}?{}", target.finish()),
            scopes: names.join(" "),
            is_current: is_same && !names.is_empty(),
        }
    };
    presets.iter().map(link).collect()
}

/// The form with the attributes of a token, and the scopes of a preset; without both, with the scopes
/// that the configuration selects.
pub fn form(
    (original, preset): (Option<&Token>, Option<&Preset>),
    catalogue: &Catalogue,
    now: Instant,
) -> Form {
    let mut pairs = original.map_or_else(Vec::new, |token| attributes(token, now));
    let scopes = match (preset, original) {
        (Some(preset), _) => preset.scopes.clone(),
        (None, Some(token)) => token.scopes.clone(),
        (None, None) => {
            let selected = catalogue.iter().filter(|scope| scope.is_default);
            selected.map(|scope| scope.name.clone()).collect()
        }
    };
    pairs.extend(
        scopes
            .iter()
            .map(|name| ("scope".to_owned(), name.to_string())),
    );
    Form::from_pairs(pairs)
}

/// Name, limits and lifetime of a token as fields of the form.
fn attributes(token: &Token, now: Instant) -> Vec<(String, String)> {
    let mut pairs = vec![("name", token.name.clone())];
    if let Some(id) = &token.limits.organization {
        pairs.push(("organization", id.to_string()));
    }
    let projects = token.limits.projects.iter().flatten();
    pairs.extend(projects.map(|id| ("project", id.to_string())));
    let lifetime = token.expires_at.map(|end| end - token.created_at);
    pairs.push((
        "expires",
        match lifetime.map(|lifetime| lifetime.num_days()) {
            None => "never",
            Some(30) => "30d",
            Some(90) => "90d",
            Some(365) => "1y",
            Some(_) => "custom",
        }
        .to_owned(),
    ));
    if let Some(lifetime) = lifetime {
        // A token expires at the end of the chosen day: not later than the lifetime says.
        let last = (now + lifetime - chrono::Duration::days(1)).max(now);
        pairs.push(("expires_on", last.format("%Y-%m-%d").to_string()));
    }
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The scopes and limits of a token that the new one cannot have.
pub fn left_out(original: Option<&Token>, offered: &ScopeSet, reach: &Reach) -> Vec<String> {
    let Some(token) = original else {
        return Vec::new();
    };
    let scopes = token.scopes.iter().filter(|name| !offered.contains(name));
    let mut left_out: Vec<_> = scopes.map(ToString::to_string).collect();
    let is_choice = |id: &str| {
        let mut organizations = reach.organizations.iter();
        organizations.any(|one| one.group.projects.iter().any(|choice| choice.value == id))
    };
    let mut projects = token.limits.projects.iter().flatten();
    if projects.any(|id| !is_choice(id.as_str())) {
        left_out.push("a project that you cannot choose".to_owned());
    }
    if let Some(id) = &token.limits.organization {
        let mut organizations = reach.organizations.iter();
        if reach.has_choice && !organizations.any(|one| one.selected) {
            left_out.push(format!("the limit to the organization {id}"));
        }
    }
    left_out
}
