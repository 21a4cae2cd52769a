//! A database of any size, written by the server's own functions. Every row is derived from its
//! number alone: tokens and cookies are known without being stored.

use chrono::Duration;
use diesel::RunQueryDsl;
use doorcode::domain::Instant;
use doorcode::domain::client::{self, Client, ClientSecret, Credential};
use doorcode::domain::id::{
    IdSeed, InvitationId, OrganizationId, ProjectId, SessionId, TokenId, UserId,
};
use doorcode::domain::org::{INVITATION_LIFETIME, Invitation, Maker, Organization};
use doorcode::domain::policy::{Grace, Longest, Plan, Policy};
use doorcode::domain::project::Project;
use doorcode::domain::role::Role;
use doorcode::domain::scope::{ScopeName, ScopeSet};
use doorcode::domain::secret::Secret;
use doorcode::domain::token::{self, Limits, Revocation, RevocationReason, Token, TokenOwner};
use doorcode::domain::user::{Session, Standing, User};
use doorcode::store::{self, Conn, Error, Store};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv4Addr};

/// The confidential client, which may introspect.
pub const API: &str = "seeded-api";

/// The public client, which obtained half of the tokens.
const CLI: &str = "seeded-cli";

/// The argon2id hash of `violet kettle marches north`, the password of every user.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$u5GvjCcWYH1lacY3K4J13w$NRlTrWF52eFg6TtYkTuLXfKiLG83+JbWDIbFkX61fJM";

/// Scopes of the tokens. Each set includes reading the owner's tokens.
const SCOPES: [&str; 3] = [
    "tokens:read",
    "orgs:read projects:read tokens:read",
    "audit:read orgs:read projects:read projects:write tokens:read tokens:write",
];

/// The projects of each organization.
const PROJECTS: u64 = 3;

/// One of this many organizations has a policy that does not allow tokens without expiry.
const STRICT: u64 = 10;

/// One of this many token owners is an organization.
const OWNERS: u64 = 20;

/// Rows of one kind in one transaction.
const BATCH: u64 = 20_000;

/// Client address of every row.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Number of rows of each kind.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Tokens, distributed evenly among their owners.
    pub tokens: u64,
    /// Users. Each has a session.
    pub users: u64,
    /// Organizations. Each has an owner, further members, and three projects.
    pub organizations: u64,
    /// Additional tokens of the first user.
    pub of_first: u64,
}

/// State of a token.
#[derive(PartialEq, Eq)]
enum Fate {
    Live,
    Expired,
    Revoked,
}

/// Pseudorandom bytes, the same in every run.
fn derive(what: &str, n: u64) -> [u8; 32] {
    Sha256::digest(format!("{what} {n}")).into()
}

fn id_seed(what: &str, n: u64) -> IdSeed {
    *derive(what, n).first_chunk().unwrap()
}

/// The text of a token.
pub fn token(n: u64) -> Secret {
    token::write("dc", derive("token", n).first_chunk().unwrap())
}

/// Value of the session cookie of a user.
pub fn cookie(n: u64) -> Secret {
    Secret::from_random(&derive("cookie", n))
}

/// The secret of the client [`API`].
pub fn api_secret() -> Secret {
    Secret::from_random(&derive("client", 0))
}

fn fate(n: u64) -> Fate {
    match derive("fate", n)[0] % 10 {
        0 => Fate::Revoked,
        1 => Fate::Expired,
        _ => Fate::Live,
    }
}

/// Whether a token is active.
pub fn is_live(n: u64) -> bool {
    fate(n) == Fate::Live
}

impl Size {
    /// Whether a user owns tokens. Organizations take the slots of the other users.
    pub fn has_tokens(&self, user: u64) -> bool {
        user % OWNERS != OWNERS - 1
    }

    /// Fills a migrated, empty database. `progress` receives the numbers of written and all rows.
    pub async fn seed(self, store: &Store, now: Instant, mut progress: impl FnMut(u64, u64)) {
        let seeding = Seeding { size: self, now };
        let tokens = self.tokens + self.of_first;
        let all = self.organizations + self.users + tokens;
        let steps: [(u64, Step); 4] = [
            (1, Seeding::write_clients),
            (self.organizations, Seeding::write_organization),
            (self.users, Seeding::write_user),
            (tokens, Seeding::write_token),
        ];
        let mut done = 0;
        for (count, write) in steps {
            for start in (0..count).step_by(BATCH.try_into().unwrap()) {
                let rows = start..count.min(start + BATCH);
                let batch = rows.clone();
                store
                    .write(move |conn| batch.clone().try_for_each(|n| write(seeding, conn, n)))
                    .await
                    .unwrap();
                if count > 1 {
                    done += rows.end - rows.start;
                    progress(done, all);
                }
            }
        }
        store.write(analyze).await.unwrap();
    }
}

/// PostgreSQL plans queries by table statistics, which it would collect only a minute later. Locks
/// on tables that were not filled could disturb others. SQLite keeps the server's statistics.
fn analyze(conn: &mut Conn) -> Result<(), Error> {
    if let Conn::Postgres(conn) = conn {
        let filled =
            "users, organization, membership, project, project_member, session, client, token";
        diesel::sql_query(format!("ANALYZE {filled}")).execute(conn)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Seeding {
    size: Size,
    now: Instant,
}

/// Writes one row of a kind, by its number.
type Step = fn(Seeding, &mut Conn, u64) -> Result<(), Error>;

impl Seeding {
    /// Creation time of the first row.
    fn began(self) -> Instant {
        self.now - Duration::days(300)
    }

    /// Organizations and users are created in the first 40 days.
    fn joined_at(self, n: u64, of: u64) -> Instant {
        self.began() + share(Duration::days(40), n, of)
    }

    /// Tokens are created in the 200 days that follow.
    fn made_at(self, n: u64) -> Instant {
        let all = self.size.tokens + self.size.of_first;
        self.began() + Duration::days(40) + share(Duration::days(200), n, all)
    }

    fn user_id(self, n: u64) -> UserId {
        UserId::new(self.joined_at(n, self.size.users), id_seed("account", n))
    }

    fn organization_id(self, n: u64) -> OrganizationId {
        let at = self.joined_at(n, self.size.organizations);
        OrganizationId::new(at, id_seed("organization", n))
    }

    fn project_id(self, organization: u64, nth: u64) -> ProjectId {
        let at = self.joined_at(organization, self.size.organizations);
        ProjectId::new(at, id_seed("project", organization * PROJECTS + nth))
    }

    fn token_id(self, n: u64) -> TokenId {
        TokenId::new(self.made_at(n), id_seed("token id", n))
    }

    /// The organizations of a user with the roles in them, the home organization first.
    fn memberships(self, user: u64) -> Vec<(u64, Role)> {
        let organizations = self.size.organizations;
        let home = match user {
            _ if user < organizations => Role::Owner,
            _ if user.is_multiple_of(7) => Role::Admin,
            _ => Role::Member,
        };
        let mut memberships = vec![(user % organizations, home)];
        if user.is_multiple_of(3) && organizations > 1 {
            memberships.push(((user + 1) % organizations, Role::Member));
        }
        memberships
    }

    fn write_clients(self, conn: &mut Conn, _: u64) -> Result<(), Error> {
        let secret = Credential::Confidential(ClientSecret::new(api_secret().digest()));
        let api = (API, secret, ScopeSet::default());
        for (id, credential, scopes) in [api, (CLI, Credential::Public, scopes(2))] {
            let new = Client {
                id: id.to_owned(),
                name: format!("The {id}"),
                credential,
                default_scopes: scopes.clone(),
                scopes,
                standing: client::Standing::Active,
                follows_settings: false,
            };
            store::client::insert_client(conn, &new, self.began())?;
        }
        Ok(())
    }

    fn organization(self, n: u64) -> Organization {
        let days = n.is_multiple_of(STRICT).then_some(400);
        Organization {
            id: self.organization_id(n),
            slug: format!("organization-{n}"),
            name: format!("Organization {n}"),
            created_at: self.joined_at(n, self.size.organizations),
            made_by: Maker::Operator,
            plan: Plan::Team,
            policy: Policy {
                longest: days.map_or(Longest::Unlimited, Longest::Days),
                ..Policy::default()
            },
        }
    }

    fn write_organization(self, conn: &mut Conn, n: u64) -> Result<(), Error> {
        let Organization { id, created_at, .. } = self.organization(n);
        store::org::insert_organization(conn, &self.organization(n))?;
        for nth in 0..PROJECTS {
            let new = Project {
                id: self.project_id(n, nth),
                organization_id: id.clone(),
                name: format!("Project {nth}"),
                created_at,
            };
            store::project::insert_project(conn, &new)?;
        }
        let new = Invitation {
            id: InvitationId::new(self.now, id_seed("invitation", n)),
            organization_id: id,
            email: Some(format!("guest-{n}@example.com")),
            role: Role::Member,
            invited_by: "operator".to_owned(),
            made_by_token: None,
            created_at: self.now,
            expires_at: self.now + INVITATION_LIFETIME,
        };
        let link = Secret::from_random(&derive("link", n));
        store::invitation::insert_invitation(conn, &new, &link.digest())
    }

    fn write_user(self, conn: &mut Conn, n: u64) -> Result<(), Error> {
        let (id, created_at) = (self.user_id(n), self.joined_at(n, self.size.users));
        let new = User {
            id: id.clone(),
            email: format!("person-{n}@example.com"),
            name: format!("Person {n}"),
            password_hash: PASSWORD_HASH.to_owned(),
            standing: Standing::Active,
            created_at,
            needs_organization: true,
            email_verified_at: Some(created_at),
            must_change_password: false,
            is_operator: false,
        };
        store::user::insert_user(conn, &new)?;
        let memberships = self.memberships(n);
        for (organization, role) in &memberships {
            let organization = self.organization(*organization);
            store::org::insert_membership(conn, &organization, &id, *role, created_at)?;
        }
        let project = self.project_id(memberships[0].0, n % PROJECTS);
        store::project::insert_member(conn, &project, &id, created_at)?;
        let new = Session {
            id: SessionId::new(self.now, id_seed("session", n)),
            user_id: id,
            created_at: self.now,
            last_seen_at: self.now,
            address: ADDRESS,
            user_agent: "Mozilla/5.0".to_owned(),
            identity: None,
        };
        store::session::insert_session(conn, &new, &cookie(n).digest())
    }

    fn write_token(self, conn: &mut Conn, n: u64) -> Result<(), Error> {
        let text = token(n);
        let made_at = self.made_at(n);
        let slot = match n < self.size.tokens {
            true => n % self.size.users,
            false => 0,
        };
        let (owner, organizations, limits) = self.owner(slot, n);
        let expires_at = match fate(n) {
            Fate::Expired => Some(made_at + Duration::days(30)),
            _ if n.is_multiple_of(3) => None,
            _ => Some(made_at + Duration::days(365)),
        };
        let came_by_cli = n.is_multiple_of(2);
        let new = Token {
            id: self.token_id(n),
            name: format!("Token {n}"),
            scopes: scopes(n),
            limits,
            hint: token::hint("dc", &text),
            client_id: came_by_cli.then(|| CLI.to_owned()),
            device_name: came_by_cli.then(|| format!("laptop-{slot}")),
            created_by: owner.id().to_owned(),
            owner,
            created_at: made_at,
            expires_at,
            // The predecessor is the previous token of the same owner.
            made_by_token: None,
            confirmed_at: None,
            blocked_in: std::collections::BTreeSet::default(),
            replaces: (n % 50 == 1 && (self.size.users..self.size.tokens).contains(&n))
                .then(|| self.token_id(n - self.size.users)),
            last_use: None,
            revocation: None,
        };
        store::token::insert_token(conn, &new, &text.digest())?;
        if n.is_multiple_of(4) {
            let at = self.now - Duration::hours(1);
            store::token::update_last_use(conn, &new.id, at, ADDRESS)?;
        }
        if fate(n) == Fate::Revoked {
            let (by, reason) = (new.owner.id(), RevocationReason::Owner);
            let at = made_at + Duration::days(1);
            store::token::mark_revoked(conn, &new.id, &Revocation::new(at, by, reason))?;
        }
        let strict = organizations
            .into_iter()
            .filter(|n| n.is_multiple_of(STRICT));
        for organization in strict.filter(|_| expires_at.is_none()) {
            let organization = self.organization_id(organization);
            let grace = Grace {
                plan: Plan::Team,
                policy: Policy::default(),
                ends_at: self.now + Duration::days(30),
            };
            store::policy::replace_graces(conn, &organization, &[(&new.id, grace)])?;
        }
        Ok(())
    }

    /// The token owner at a slot, its organizations, and the limits of its tokens.
    fn owner(self, slot: u64, n: u64) -> (TokenOwner, Vec<u64>, Limits) {
        if !self.size.has_tokens(slot) {
            let organization = slot / OWNERS % self.size.organizations;
            let owner = TokenOwner::Organization(self.organization_id(organization));
            return (owner, vec![organization], Limits::default());
        }
        let organizations: Vec<_> = self.memberships(slot).iter().map(|at| at.0).collect();
        let home = organizations[0];
        let limits = Limits {
            organization: n.is_multiple_of(5).then(|| self.organization_id(home)),
            projects: n
                .is_multiple_of(10)
                .then(|| [self.project_id(home, slot % PROJECTS)].into()),
        };
        (TokenOwner::User(self.user_id(slot)), organizations, limits)
    }
}

fn scopes(n: u64) -> ScopeSet {
    let list = SCOPES[usize::try_from(n % 3).unwrap()];
    list.split(' ').filter_map(ScopeName::parse).collect()
}

/// The part of a time span before item `n` of `of`, to the millisecond.
fn share(span: Duration, n: u64, of: u64) -> Duration {
    let passed = i128::from(span.num_milliseconds()) * i128::from(n) / i128::from(of.max(1));
    Duration::milliseconds(passed.try_into().unwrap())
}
