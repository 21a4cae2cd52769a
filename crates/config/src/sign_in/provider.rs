//! `[[sign_in.oidc]]` and `[[sign_in.hand_off]]`: identity providers, where users sign in instead of
//! with a password of this server.

use super::super::duration::{DAY, HOUR, MINUTE};
use super::super::organizations::organization;
use super::super::server::is_loopback;
use super::super::table::Table;
use super::SecondFactor;
use domain::role::Role;
use domain::secret::Secret;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// One entry of `[[sign_in.oidc]]`, as written in a variable.
pub(super) const OIDC_EXAMPLE: &str = r#"[{ id = "acme", name = "Acme", issuer = "https://id.example.com", client_id = "doorcode" }]"#;

/// One entry of `[[sign_in.hand_off]]`, as written in a variable.
pub(super) const HAND_OFF_EXAMPLE: &str = r#"[{ id = "acme", name = "Acme", hand_off_url = "https://example.com/doorcode", algorithm = "HS256", key_file = "data/hand_off" }]"#;

const RULE_EXAMPLE: &str = r#"[{ group = "engineering", organization = "acme", role = "member" }]"#;

/// The least length of a shared key in bytes (RFC 7518 section 3.2, for HS256).
const SHARED_KEY_BYTES: usize = 32;

/// The most characters of a name, which stands on a button.
const NAME_LENGTH: usize = 40;

/// An identity provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its name in URLs and in the audit log; unique among all providers.
    pub id: String,
    /// Its name on pages.
    pub name: String,
    /// Whether it admits users. While it does not, the sessions that began with it are refused.
    pub enabled: bool,
    /// Its issuer identifier, which tokens contain as `iss`.
    pub issuer: String,
    /// Which of its users may enter, and where they belong.
    pub entry: EntryRules,
    /// Which of its sign-ins have two factors.
    pub second_factor: SecondFactor,
    /// How users sign in with it.
    pub protocol: Protocol,
}

/// How users sign in with a provider.
#[derive(Debug, Clone)]
pub enum Protocol {
    /// OpenID Connect.
    Oidc(Oidc),
    /// A signed answer of a page of the company.
    HandOff(HandOff),
}

/// The registration of this server at an OpenID provider.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// The `client_id`.
    pub client_id: String,
    /// The `client_secret`; `None` for a public client.
    pub client_secret: Option<Secret>,
    /// The requested scopes, `openid` among them.
    pub scopes: Vec<String>,
    /// What ends when a user signs out at the provider, or is refused by it.
    pub logout_ends: LogoutEnds,
    /// How often a user is checked at the provider, if it issued a refresh token.
    pub check_every: Duration,
}

impl Oidc {
    /// Whether users are checked between their sign-ins: a refresh token that was issued without
    /// this scope may end with the session at the provider (OpenID Connect Core 1.0 section 11).
    pub fn has_offline_access(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "offline_access")
    }
}

/// What ends when a user signs out at the provider, or is refused by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutEnds {
    /// The sessions that began with it.
    Sessions,
    /// These sessions, and the user's personal tokens.
    SessionsAndTokens,
}

/// A page of the company that signs users in.
#[derive(Debug, Clone)]
pub struct HandOff {
    /// The page.
    pub url: Url,
    /// The key of its answers.
    pub key: HandOffKey,
}

/// The key that signs the answers of a hand-off, with the only accepted algorithm.
#[derive(Debug, Clone)]
pub enum HandOffKey {
    /// HS256 with a key that both sides have.
    Shared(Secret),
    /// The public keys at a URL.
    Published(Url, SignatureAlgorithm),
}

/// A signature algorithm of JWTs (RFC 7518, RFC 8037) with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// Which users of a provider may enter, and where they belong.
#[derive(Debug, Clone)]
pub struct EntryRules {
    /// The domains of admitted email addresses, which the provider must have verified; empty if all
    /// are admitted.
    pub email_domains: Vec<String>,
    /// The claim with the user's groups.
    pub groups_claim: String,
    /// The groups of which a user needs one; empty if none is needed.
    pub allowed_groups: Vec<String>,
    /// Whether a user of the provider who is new here is created.
    pub create_users: bool,
    /// The memberships that groups give.
    pub rules: Vec<GroupRule>,
}

/// A membership that a group of the provider gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRule {
    /// The group.
    pub group: String,
    /// The slug or id of the organization.
    pub organization: String,
    /// The role in it: member or admin.
    pub role: Role,
}

impl Provider {
    /// Reads an entry of `[[sign_in.oidc]]`; `None` if it is faulty.
    pub(super) fn read_oidc(table: &mut Table) -> Option<Self> {
        let (id, name) = (table.required("id", id), table.required("name", name));
        let issuer = table.required("issuer", issuer);
        let client_id = table.required("client_id", not_empty);
        let client_secret = secret(table, "client_secret", "client_secret_file");
        let scopes = scopes(table);
        let logout_ends = table.choice(
            "logout_ends",
            [
                ("sessions", LogoutEnds::Sessions),
                ("sessions_and_tokens", LogoutEnds::SessionsAndTokens),
            ],
            "is neither sessions nor sessions_and_tokens",
        );
        let check_every = table.duration("check_every", HOUR, MINUTE..=DAY * 30);
        let (enabled, entry) = (table.flag("enabled", true), EntryRules::read(table));
        Some(Self {
            id: id?,
            name: name?,
            enabled,
            issuer: issuer?,
            entry,
            second_factor: SecondFactor::read(table),
            protocol: Protocol::Oidc(Oidc {
                client_id: client_id?,
                client_secret,
                scopes,
                logout_ends,
                check_every,
            }),
        })
    }

    /// Reads an entry of `[[sign_in.hand_off]]`; `None` if it is faulty.
    pub(super) fn read_hand_off(table: &mut Table) -> Option<Self> {
        let (id, name) = (table.required("id", id), table.required("name", name));
        let url = table.required("hand_off_url", secure_url);
        let issuer = table.optional("issuer", not_empty, String::clone);
        let key = HandOffKey::read(table);
        let (enabled, entry) = (table.flag("enabled", true), EntryRules::read(table));
        let url = url?;
        Some(Self {
            id: id?,
            name: name?,
            enabled,
            issuer: issuer.unwrap_or_else(|| url.origin().ascii_serialization()),
            entry,
            second_factor: SecondFactor::read(table),
            protocol: Protocol::HandOff(HandOff { url, key: key? }),
        })
    }
}

impl HandOffKey {
    fn read(table: &mut Table) -> Option<Self> {
        let algorithm = table.required("algorithm", SharedOrPublic::parse);
        let shared = secret(table, "key", "key_file");
        let jwks = table.optional("jwks_url", secure_url, Url::to_string);
        match (algorithm?.0, shared, jwks) {
            (None, Some(key), None) if key.expose().len() >= SHARED_KEY_BYTES => {
                Some(Self::Shared(key))
            }
            (None, Some(_), None) => {
                let message = format!("is shorter than {SHARED_KEY_BYTES} characters");
                table.fault("key", message);
                None
            }
            (None, ..) => {
                let message = "HS256 needs key or key_file, and no jwks_url";
                table.fault("algorithm", message.to_owned());
                None
            }
            (Some(algorithm), None, Some(url)) => Some(Self::Published(url, algorithm)),
            (Some(algorithm), ..) => {
                let name = algorithm.as_str();
                table.fault("algorithm", format!("{name} needs jwks_url, and no key"));
                None
            }
        }
    }
}

/// The algorithm of a hand-off; `None` for HS256, which needs a shared key.
struct SharedOrPublic(Option<SignatureAlgorithm>);

impl SharedOrPublic {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self(match text {
            "HS256" => None,
            "RS256" => Some(SignatureAlgorithm::Rs256),
            "ES256" => Some(SignatureAlgorithm::Es256),
            "EdDSA" => Some(SignatureAlgorithm::EdDsa),
            _ => return Err(format!("{text:?} is not one of HS256, RS256, ES256, EdDSA")),
        }))
    }
}

impl fmt::Display for SharedOrPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.map_or("HS256", SignatureAlgorithm::as_str))
    }
}

impl SignatureAlgorithm {
    /// The name in JWTs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl EntryRules {
    fn read(table: &mut Table) -> Self {
        let groups_claim = table.text("groups_claim", "groups".to_owned(), not_empty);
        let email_domains = table.list("email_domains", r#"["example.com"]"#, email_domain);
        let allowed_groups = table.list("allowed_groups", r#"["engineering"]"#, not_empty);
        let create_users = table.flag("create_users", true);
        let mut rules = Vec::new();
        table.tables("rules", RULE_EXAMPLE, |table| {
            let group = table.required("group", not_empty);
            let organization = table.required("organization", organization);
            let roles = [("member", Role::Member), ("admin", Role::Admin)];
            let role = table.choice(
                "role",
                roles,
                "is neither member nor admin; owners are made by owners or the operator",
            );
            if let (Some(group), Some(organization)) = (group, organization) {
                rules.push(GroupRule {
                    group,
                    organization,
                    role,
                });
            }
        });
        Self {
            email_domains,
            groups_claim,
            allowed_groups,
            create_users,
            rules,
        }
    }
}

fn id(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match !text.is_empty() && text.len() <= 32 && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{text:?} cannot be part of a URL; write 1 to 32 of a-z, 0-9 and -"
        )),
    }
}

fn name(text: &str) -> Result<String, String> {
    domain::name::line(text, NAME_LENGTH).map_err(|flaw| flaw.to_string())
}

fn not_empty(text: &str) -> Result<String, String> {
    match text {
        "" => Err("is empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// The domain of an email address, in the form in which addresses are stored.
fn email_domain(text: &str) -> Result<String, String> {
    let email = domain::user::email(&format!("user@{text}"));
    let email = email.map_err(|_| format!("{text:?} is not a domain, such as example.com"))?;
    Ok(email.trim_start_matches("user@").to_owned())
}

fn scopes(table: &mut Table) -> Vec<String> {
    let is_given = table.has("scopes");
    let scopes = table.list("scopes", r#"["openid", "email"]"#, |text| {
        match text.is_empty() || text.contains([' ', '"', '\\']) {
            true => Err(format!("{text:?} is not one scope")),
            false => Ok(text.to_owned()),
        }
    });
    if !is_given {
        let usual = ["openid", "email", "profile"].map(str::to_owned);
        table.default_list("scopes", &usual);
        return usual.into();
    }
    if !scopes.iter().any(|scope| scope == "openid") {
        let message = "needs openid (OpenID Connect Core 3.1.2.1)";
        table.fault("scopes", message.to_owned());
    }
    scopes
}

/// Reads a secret from a key, or from the file that another key names. The effective settings hide
/// it.
fn secret(table: &mut Table, key: &'static str, file_key: &'static str) -> Option<Secret> {
    let given = table.optional(
        key,
        |text| not_empty(text).map(Secret::new),
        |_| "***".to_owned(),
    );
    let read = table.optional(file_key, read_secret, |(path, _)| {
        path.display().to_string()
    });
    if given.is_some() && read.is_some() {
        table.fault(file_key, format!("stands beside {key}; write only one"));
    }
    given.or(read.map(|(_, secret)| secret))
}

fn read_secret(path: &str) -> Result<(PathBuf, Secret), String> {
    let path = Path::new(path);
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    match text.trim() {
        "" => Err(format!("{} is empty", path.display())),
        secret => Ok((path.to_owned(), Secret::new(secret))),
    }
}

/// An issuer identifier (OpenID Connect Discovery 1.0 section 3), kept letter by letter, since it is
/// compared so.
fn issuer(text: &str) -> Result<String, String> {
    let url = secure_url(text)?;
    match url.query().is_none() && url.fragment().is_none() {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} has a part after ? or #; leave it out")),
    }
}

/// Parses the URL of a provider: https, or http on this machine, without a user or password.
pub fn secure_url(text: &str) -> Result<Url, String> {
    const FORM: &str = "write one such as https://id.example.com";
    let url =
        Url::parse(text).map_err(|error| format!("{text:?} is not a URL ({error}); {FORM}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("has a user or password in it; {FORM}"));
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if is_loopback(&host) => Ok(url),
        _ => Err(format!("{text:?} is not encrypted; {FORM}")),
    }
}
