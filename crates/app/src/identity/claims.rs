//! The claims of signed statements of a provider, and their checks.

use super::jose::Claims;
use chrono::Duration;
use config::{EntryRules, Provider, SecondFactor};
use domain::Instant;
use domain::identity::Identity;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// How far the clocks of a provider and of this server may differ, in seconds.
const LEEWAY: i64 = 60;

/// Longest subject (OpenID Connect Core 1.0 section 2), and a limit for other claims that are kept.
const LONGEST: usize = 255;

/// A user of a provider, as it stated in a statement that was verified. It holds a refresh token,
/// so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Arrived {
    /// The id of the provider.
    pub provider: String,
    /// The issuer.
    pub issuer: String,
    /// The subject.
    pub subject: String,
    /// The email address, in the form in which addresses are stored.
    pub email: Option<String>,
    /// Whether the provider states that the user has the address.
    pub is_email_verified: bool,
    /// The display name.
    pub name: Option<String>,
    /// The groups; `None` if the provider states none.
    pub groups: Option<Vec<String>>,
    /// Whether the user may have groups that the provider has not stated.
    pub are_groups_unknown: bool,
    /// Whether the user has proven two factors at the provider.
    pub has_second_factor: bool,
    /// The session at the provider, `sid`.
    pub session: Option<String>,
    /// When the user signed in at the provider, if it states that.
    pub authenticated_at: Option<Instant>,
    /// The refresh token.
    pub refresh_token: Option<String>,
}

/// Why a statement is refused: a code for the audit log.
pub(super) type Reason = &'static str;

/// Checks that a signed statement is of this provider, for this audience, in force and recent.
/// Returns its expiry. Fails with the reason.
pub(super) fn check(
    claims: &Claims,
    provider: &Provider,
    audience: &str,
    now: Instant,
) -> Result<Instant, Reason> {
    if text(claims, "iss") != Some(&provider.issuer) {
        return Err("wrong_issuer");
    }
    let is_for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        // Another audience could use it too, unless the provider names the authorized party.
        Some(Value::Array(all)) => {
            all.iter().any(|one| one == audience)
                && (all.len() == 1 || text(claims, "azp") == Some(audience))
        }
        _ => false,
    };
    let is_other_party = claims.get("azp").is_some_and(|azp| azp != audience);
    if !is_for_us || is_other_party {
        return Err("wrong_audience");
    }
    let now = now.timestamp();
    let expires = seconds(claims, "exp").ok_or("no_expiry")?;
    if expires <= now - LEEWAY {
        return Err("expired");
    }
    let issued = seconds(claims, "iat").ok_or("no_issue_time")?;
    let not_before = match claims.contains_key("nbf") {
        true => seconds(claims, "nbf").ok_or("not_yet_valid")?,
        false => issued,
    };
    if issued.max(not_before) > now + LEEWAY {
        return Err("not_yet_valid");
    }
    Instant::from_timestamp(expires, 0).ok_or("no_expiry")
}

/// A time in seconds since 1970, which may have a fraction (RFC 7519 section 2).
fn seconds(claims: &Claims, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    value.as_i64().or_else(|| {
        let seconds = value.as_f64()?;
        // Floats are exact to a second in this range.
        (0.0..1e12).contains(&seconds).then_some(seconds as i64)
    })
}

/// A text claim.
pub(super) fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// How long the id of a statement is remembered after its expiry.
pub(super) fn leeway() -> Duration {
    Duration::seconds(LEEWAY)
}

impl Arrived {
    /// The user whom the claims describe.
    pub(super) fn read(provider: &Provider, claims: &Claims) -> Result<Self, Reason> {
        let short = |name| text(claims, name).filter(|text| text.len() <= LONGEST);
        let subject = short("sub").filter(|subject| !subject.is_empty());
        let email = short("email").and_then(|email| domain::user::email(email).ok());
        let groups = groups(claims, &provider.entry);
        Ok(Self {
            provider: provider.id.clone(),
            issuer: provider.issuer.clone(),
            subject: subject.ok_or("no_subject")?.to_owned(),
            // Some providers write the flag as text.
            is_email_verified: email.is_some()
                && claims
                    .get("email_verified")
                    .is_some_and(|is| *is == Value::Bool(true) || is == "true"),
            email,
            name: short("name").map(str::to_owned),
            are_groups_unknown: groups.is_none() && are_groups_elsewhere(claims, &provider.entry),
            groups,
            has_second_factor: provider.second_factor == SecondFactor::Always
                || states_second_factor(claims),
            session: short("sid").map(str::to_owned),
            authenticated_at: seconds(claims, "auth_time")
                .and_then(|seconds| Instant::from_timestamp(seconds, 0)),
            refresh_token: None,
        })
    }

    /// Whether the provider states that the user has signed in there since this moment.
    pub(super) fn has_signed_in_since(&self, moment: Instant) -> bool {
        let authenticated_at = self.authenticated_at;
        authenticated_at.is_some_and(|at| at >= moment - leeway())
    }

    /// The identity.
    pub fn identity(&self) -> Identity {
        Identity {
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
        }
    }

    /// Whether the claims that the provider's rules need are missing.
    pub(super) fn lacks(&self, entry: &EntryRules) -> bool {
        let needs_groups = !entry.allowed_groups.is_empty() || !entry.rules.is_empty();
        let needs_verified = !entry.email_domains.is_empty();
        self.email.is_none()
            || needs_verified && !self.is_email_verified
            || needs_groups && self.groups.is_none()
    }

    /// Whether the rules of the provider refuse the user for sure, even with unknown groups.
    pub(super) fn is_refused(&self, entry: &EntryRules) -> bool {
        match self.are_groups_unknown {
            true => self.check_domain(entry).is_err(),
            false => self.check_entry(entry).is_err(),
        }
    }

    /// Fails with the reason unless the rules of the provider admit the user.
    pub(super) fn check_entry(&self, entry: &EntryRules) -> Result<(), Reason> {
        self.check_domain(entry)?;
        let is_in = |group: &String| self.groups.as_ref().is_some_and(|own| own.contains(group));
        match entry.allowed_groups.is_empty() || entry.allowed_groups.iter().any(is_in) {
            true => Ok(()),
            false => Err("group"),
        }
    }

    fn check_domain(&self, entry: &EntryRules) -> Result<(), Reason> {
        if !entry.email_domains.is_empty() {
            let domain = self
                .email
                .as_deref()
                .and_then(|email| email.rsplit('@').next());
            let is_listed = domain.is_some_and(|domain| {
                let mut listed = entry.email_domains.iter();
                listed.any(|one| one == domain)
            });
            if !is_listed || !self.is_email_verified {
                return Err("email_domain");
            }
        }
        Ok(())
    }
}

/// The classes of sign-ins with two factors: those of REFEDS and of PAPE. `phr` and `phrh` of OpenID
/// Connect (EAP ACR Values 1.0) say nothing about how many there were.
const TWO_FACTORS: [&str; 2] = [
    "https://refeds.org/profile/mfa",
    "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
];

/// Whether the claims state two factors: the method `mfa` (RFC 8176), or a class that includes it. One
/// other method is one factor, and two may be of the same kind.
fn states_second_factor(claims: &Claims) -> bool {
    let methods = claims.get("amr").and_then(Value::as_array);
    let is_mfa = methods.is_some_and(|methods| methods.iter().any(|one| one == "mfa"));
    is_mfa || text(claims, "acr").is_some_and(|class| TWO_FACTORS.contains(&class))
}

/// Whether a provider leaves out the groups since there are too many: the claim is elsewhere
/// (OpenID Connect Core 1.0 section 5.6.2), or only a flag says that there are groups.
fn are_groups_elsewhere(claims: &Claims, entry: &EntryRules) -> bool {
    let named = claims.get("_claim_names").and_then(Value::as_object);
    named.is_some_and(|names| names.contains_key(&entry.groups_claim))
        || claims.get("hasgroups") == Some(&Value::Bool(true))
}

/// The groups in the claim for them, a list or one, without those that no rule names: a user may
/// have thousands.
fn groups(claims: &Claims, entry: &EntryRules) -> Option<Vec<String>> {
    let value = claims.get(&entry.groups_claim)?;
    let named = entry.rules.iter().map(|rule| &rule.group);
    let named = named.chain(&entry.allowed_groups);
    let named: BTreeSet<&str> = named.map(String::as_str).collect();
    let given = match value {
        Value::String(one) => vec![one.as_str()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let known = given.into_iter().filter(|group| named.contains(group));
    Some(known.map(str::to_owned).collect())
}
