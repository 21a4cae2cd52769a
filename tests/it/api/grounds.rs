//! Callers of the matrix, their tokens, and the objects of their requests.

use super::matrix::Entry;
use super::world::{ACTOR, Place, SCOPES, World, number};
use crate::support::OPERATOR;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::HashMap;

/// A kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Without a token.
    Nobody,
    /// With an invalid token.
    Garbage,
    /// With a revoked token of the owner.
    Ended,
    /// A member of the home organization; likewise admin and owner.
    Member,
    Admin,
    Owner,
    /// The same without the scope that the request needs.
    MemberWithout,
    AdminWithout,
    OwnerWithout,
    /// The owner of the other organization.
    Stranger,
    /// A token of the home organization.
    Organization,
    /// A token of the other organization.
    AwayOrganization,
    /// A token of the owner limited to another of their organizations.
    Elsewhere,
    /// A token of the owner limited to one project of the home organization.
    Narrow,
    /// The operator.
    Operator,
    /// The operator, acting for the member.
    OperatorFor,
}

pub const CALLERS: [Caller; 16] = [
    Caller::Nobody,
    Caller::Garbage,
    Caller::Ended,
    Caller::Member,
    Caller::Admin,
    Caller::Owner,
    Caller::MemberWithout,
    Caller::AdminWithout,
    Caller::OwnerWithout,
    Caller::Stranger,
    Caller::Organization,
    Caller::AwayOrganization,
    Caller::Elsewhere,
    Caller::Narrow,
    Caller::Operator,
    Caller::OperatorFor,
];

impl Caller {
    /// Whether the caller is authenticated.
    pub fn is_known(self) -> bool {
        ![Self::Nobody, Self::Garbage, Self::Ended].contains(&self)
    }

    pub fn lacks_scope(self) -> bool {
        [Self::MemberWithout, Self::AdminWithout, Self::OwnerWithout].contains(&self)
    }

    pub fn is_operator(self) -> bool {
        [Self::Operator, Self::OperatorFor].contains(&self)
    }

    /// Whether the caller belongs to the other organization.
    pub fn is_away(self) -> bool {
        [Self::Stranger, Self::AwayOrganization].contains(&self)
    }

    /// The role of the caller in its own organization.
    pub fn role(self) -> Self {
        match self {
            Self::Stranger => Self::Owner,
            Self::AwayOrganization => Self::Organization,
            other => other,
        }
    }
}

/// The object that a path parameter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An object of the home organization, or of the caller.
    Home,
    /// An object of the other organization, or of another user.
    Away,
    /// No object: a well-formed id that does not exist.
    Absent,
    /// No object: a malformed id.
    Malformed,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Home, Self::Away, Self::Absent, Self::Malformed];
}

/// The organizations of the matrix.
pub struct Grounds {
    pub world: World,
    pub home: Place,
    pub away: Place,
    /// Another organization of the home owner.
    second: Place,
    /// A token of a user who sends no requests.
    foreign_token: String,
    /// A use of it.
    foreign_use: String,
    bearers: HashMap<(Caller, &'static str), String>,
}

impl Grounds {
    pub async fn new() -> Self {
        let world = World::new().await;
        let (home, away, second) = (world.home().await, world.away().await, world.home().await);
        let input = json!({"name": "of somebody else"});
        let outsider = Some(world.outsider.as_str());
        let foreign = world.operator(Method::POST, "/v1/tokens", outsider, &input);
        let foreign = foreign.await.body;
        let text = |name: &str| foreign[name].as_str().unwrap().to_owned();
        let foreign_use = world.used(&text("token")).await;
        Self {
            world,
            home,
            away,
            second,
            foreign_token: text("id"),
            foreign_use,
            bearers: HashMap::new(),
        }
    }

    /// The request of an entry, by a caller, for objects of these kinds. Objects that it deletes
    /// are created for it.
    pub async fn request(
        &mut self,
        entry: &Entry,
        caller: Caller,
        kinds: &[Kind],
        spends: bool,
    ) -> RequestBuilder {
        let (mut home, mut away) = (self.home.clone(), self.away.clone());
        if spends && entry.is_in_place() {
            match kinds[0] {
                Kind::Away => away = self.world.away().await,
                _ => home = self.world.home().await,
            }
        }
        let bearer = match spends {
            true => self.bearer(entry, caller, &home, &away).await,
            false => self.kept_bearer(entry, caller).await,
        };
        let path = self
            .path(entry, caller, kinds, spends, (&home, &away))
            .await;
        let test = &self.world.test;
        let mut request = test.anon().request(entry.method(), test.at(&path));
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        if caller == Caller::OperatorFor {
            request = request.header(ACTOR, &self.world.member);
        }
        if !entry.body.is_empty() {
            request = request
                .header("idempotency-key", format!("matrix-{}", number()))
                .header("content-type", "application/json")
                .body(entry.body.replace("{n}", &number().to_string()));
        }
        request
    }

    /// Path of an entry with objects of these kinds.
    async fn path(
        &self,
        entry: &Entry,
        caller: Caller,
        kinds: &[Kind],
        spends: bool,
        (home, away): (&Place, &Place),
    ) -> String {
        let mut path = entry.path().to_owned();
        for (parameter, kind) in entry.parameters().into_iter().zip(kinds) {
            let id = match kind {
                Kind::Home | Kind::Away if parameter == "{user}" && entry.is_of_users() => {
                    match spends {
                        true => self.world.user("spent").await,
                        false => self.world.target.clone(),
                    }
                }
                Kind::Home if entry.path().starts_with("/v1/tokens/") => {
                    self.own_token(caller, home, away).await
                }
                Kind::Away if entry.path().starts_with("/v1/tokens/") => self.foreign_token.clone(),
                Kind::Home if entry.is_of_uses() => {
                    let (path, user, input) = self.spare(caller, home, away);
                    let token = self.world.token(&path, user, &input).await;
                    self.world.used(&token).await
                }
                Kind::Away if entry.is_of_uses() => self.foreign_use.clone(),
                Kind::Absent if entry.is_of_uses() => format!("{}.0", absent("evt_")),
                Kind::Home | Kind::Away if parameter == "{client}" && spends => {
                    self.world.client().await
                }
                // Only a confidential client has a secret.
                Kind::Home if entry.path().ends_with("/rotate-secret") => "api".to_owned(),
                Kind::Home => object(entry, parameter, home, "cli"),
                Kind::Away => object(entry, parameter, away, "api"),
                Kind::Absent => match (parameter, entry.path().contains("/invitations/")) {
                    ("{org}", _) => absent("org_"),
                    ("{project}", _) => absent("prj_"),
                    ("{user}", _) => absent("usr_"),
                    ("{id}", true) => absent("inv_"),
                    ("{id}", false) => absent("tok_"),
                    _ => "no-such".to_owned(),
                },
                Kind::Malformed => "%F0%9F%9A%AA".to_owned(),
            };
            path = path.replacen(parameter, &id, 1);
        }
        path
    }

    /// Path of an entry with existing objects, for the operator acting for the member.
    pub async fn address(&self, entry: &Entry) -> String {
        let kinds = vec![Kind::Home; entry.parameters().len()];
        let places = (&self.home, &self.away);
        self.path(entry, Caller::OperatorFor, &kinds, false, places)
            .await
    }

    /// A bearer token that is reused.
    async fn kept_bearer(&mut self, entry: &Entry, caller: Caller) -> Option<String> {
        let named = match caller.lacks_scope() {
            true => entry.scope,
            false => "",
        };
        if let Some(bearer) = self.bearers.get(&(caller, named)) {
            return Some(bearer.clone());
        }
        let (home, away) = (self.home.clone(), self.away.clone());
        let bearer = self.bearer(entry, caller, &home, &away).await?;
        self.bearers.insert((caller, named), bearer.clone());
        Some(bearer)
    }

    /// The bearer token of a caller.
    async fn bearer(
        &self,
        entry: &Entry,
        caller: Caller,
        home: &Place,
        away: &Place,
    ) -> Option<String> {
        let world = &self.world;
        let without: Vec<&str> = SCOPES
            .into_iter()
            .filter(|scope| *scope != entry.scope)
            .collect();
        let limited = |limit: &str, id: serde_json::Value| {
            let mut input = json!({"name": "limited", "scopes": SCOPES});
            input[limit] = id;
            input
        };
        Some(match caller {
            Caller::Nobody => return None,
            Caller::Garbage => "dc_nothing".to_owned(),
            Caller::Ended => self.ended().await,
            Caller::Member => world.personal(&world.member, &SCOPES).await,
            Caller::Admin => world.personal(&world.admin, &SCOPES).await,
            Caller::Owner => world.personal(&world.owner, &SCOPES).await,
            Caller::MemberWithout => world.personal(&world.member, &without).await,
            Caller::AdminWithout => world.personal(&world.admin, &without).await,
            Caller::OwnerWithout => world.personal(&world.owner, &without).await,
            Caller::Stranger => world.personal(&world.stranger, &SCOPES).await,
            Caller::Organization => world.organizational(&home.org).await,
            Caller::AwayOrganization => world.organizational(&away.org).await,
            Caller::Elsewhere => {
                let input = limited("organization", json!(self.second.org));
                world.token("/v1/tokens", Some(&world.owner), &input).await
            }
            Caller::Narrow => {
                let input = limited("projects", json!([home.project]));
                world.token("/v1/tokens", Some(&world.owner), &input).await
            }
            Caller::Operator | Caller::OperatorFor => OPERATOR.to_owned(),
        })
    }

    async fn ended(&self) -> String {
        let world = &self.world;
        let input = json!({"name": "ended", "scopes": SCOPES});
        let owner = Some(world.owner.as_str());
        let made = world.operator(Method::POST, "/v1/tokens", owner, &input);
        let made = made.await.body;
        let path = format!("/v1/tokens/{}", made["id"].as_str().unwrap());
        let nothing = json!({});
        let revoked = world.operator(Method::DELETE, &path, owner, &nothing);
        assert_eq!(revoked.await.status, 204);
        made["token"].as_str().unwrap().to_owned()
    }

    /// Creates a token of the caller. Returns its id.
    async fn own_token(&self, caller: Caller, home: &Place, away: &Place) -> String {
        let (path, user, input) = self.spare(caller, home, away);
        self.world.made(&path, user, &input).await
    }

    /// Path, actor and input to create a token of the caller.
    fn spare(&self, caller: Caller, home: &Place, away: &Place) -> (String, Option<&str>, Value) {
        let world = &self.world;
        let user = match caller {
            Caller::Admin | Caller::AdminWithout => &world.admin,
            Caller::Stranger => &world.stranger,
            Caller::Owner | Caller::OwnerWithout | Caller::Elsewhere | Caller::Narrow => {
                &world.owner
            }
            _ => &world.member,
        };
        let mut input = json!({"name": "spare"});
        let of_organization = |org: &str| format!("/v1/orgs/{org}/tokens");
        match caller {
            Caller::Organization => {
                return (of_organization(&home.org), None, input);
            }
            Caller::AwayOrganization => {
                return (of_organization(&away.org), None, input);
            }
            Caller::Elsewhere => input["organization"] = json!(self.second.org),
            Caller::Narrow => input["projects"] = json!([home.project]),
            _ => {}
        }
        ("/v1/tokens".to_owned(), Some(user), input)
    }
}

impl Entry {
    fn is_of_uses(&self) -> bool {
        self.path().starts_with("/v1/audit/uses/")
    }

    fn is_of_users(&self) -> bool {
        self.path().starts_with("/v1/users/")
    }
}

fn object(entry: &Entry, parameter: &str, place: &Place, client: &str) -> String {
    match parameter {
        "{org}" => place.org.clone(),
        "{project}" => place.project.clone(),
        "{user}" => place.user.clone(),
        "{client}" => client.to_owned(),
        _ if entry.path().contains("/invitations/") => place.invitation.clone(),
        _ => place.token.clone(),
    }
}

/// A well-formed id that does not exist.
fn absent(prefix: &str) -> String {
    format!("{prefix}{}", "0".repeat(32))
}
