//! What the measured server has in its database, and the requests about it.

use crate::support::seed::{self, Size};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Duration;
use diesel::connection::SimpleConnection;
use doorcode::app::{Entropy, SystemEntropy};
use doorcode::domain::Instant;
use doorcode::domain::device::{Grant, Noted, State, device_code};
use doorcode::domain::id::{GrantId, TokenId, UserId};
use doorcode::domain::scope::ScopeSet;
use doorcode::domain::secret::{Digest, Secret};
use doorcode::domain::token::{self, Limits, Token, TokenOwner};
use doorcode::store::{self, Conn, Error, Store};

/// The public client of the device grants, one of the seeded ones.
pub const CLIENT: &str = "seeded-cli";

/// Tokens, users and organizations.
pub const SIZE: Size = Size {
    tokens: 1_000,
    users: 100,
    organizations: 10,
    of_first: 0,
};

/// Grants that a user has approved, for redemptions. Their numbers follow those of pending ones.
pub const APPROVED: std::ops::Range<u64> = 10_000..60_000;

/// Scope of each grant.
const SCOPE: &str = "tokens:read";

/// Grants in one transaction.
const BATCH: u64 = 10_000;

/// The random part of an id.
fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    SystemEntropy.fill(&mut bytes);
    bytes
}

/// The device code of a grant.
pub fn code(n: u64) -> Secret {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&n.to_be_bytes());
    device_code(&seed)
}

/// Inserts a pending grant of the client [`CLIENT`].
pub fn insert_grant(conn: &mut Conn, n: u64, now: Instant) -> Result<(), Error> {
    let grant = Grant {
        id: GrantId::new(now, random()),
        client_id: CLIENT.to_owned(),
        scopes: ScopeSet::parse(SCOPE).unwrap(),
        device_name: Some("laptop".to_owned()),
        organization: None,
        project: None,
        address: [127, 0, 0, 1].into(),
        created_at: now,
        expires_at: now + Duration::minutes(30),
        state: State::Pending,
        interval: Duration::seconds(5),
        is_recorded: false,
        is_shown: false,
        noted: Noted::default(),
    };
    let user_code = Secret::new(format!("user {n}")).digest();
    store::device::insert_grant(conn, &grant, &code(n).digest(), &user_code)
}

/// A token that is in no database yet, with the digest of its text.
pub fn new_token(n: u64) -> (Token, Digest) {
    let now = crate::support::open::now();
    let user_id = UserId::new(now, [0; 10]);
    let token = Token {
        id: TokenId::new(now, random()),
        owner: TokenOwner::User(user_id.clone()),
        name: "Seeded on laptop".to_owned(),
        hint: "dc_…1234".to_owned(),
        scopes: ScopeSet::parse(SCOPE).unwrap(),
        limits: Limits::default(),
        client_id: Some(CLIENT.to_owned()),
        device_name: Some("laptop".to_owned()),
        created_by: user_id.to_string(),
        created_at: now,
        expires_at: Some(now + Duration::days(90)),
        last_use: None,
        revocation: None,
        replaces: None,
        confirmed_at: None,
        made_by_token: None,
        blocked_in: std::collections::BTreeSet::default(),
    };
    (token, Secret::new(format!("token {n}")).digest())
}

/// Fills a migrated database: tokens, pending grants and approved ones.
pub async fn fill(store: &Store) {
    let now = crate::support::open::now();
    SIZE.seed(store, now, |_, _| {}).await;
    for first in (0..APPROVED.end).step_by(usize::try_from(BATCH).unwrap()) {
        let batch = first..first + BATCH;
        let insert =
            move |conn: &mut Conn| batch.clone().try_for_each(|n| insert_grant(conn, n, now));
        store.write(insert).await.unwrap();
    }
    // In the order of creation, which is that of the ids of their batches.
    let approve = format!(
        "UPDATE device_grant SET state = 'approved', granted_scopes = '{SCOPE}', \
         decided_by = (SELECT min(id) FROM users) \
         WHERE device_code_digest IN (SELECT digest FROM approved)"
    );
    let digests: Vec<_> = APPROVED.map(|n| code(n).digest()).collect();
    store
        .write(move |conn| {
            conn.batch_execute("CREATE TEMPORARY TABLE approved (digest TEXT PRIMARY KEY)")?;
            for digests in digests.chunks(500) {
                let values: Vec<_> = digests
                    .iter()
                    .map(|d| format!("('{}')", d.as_str()))
                    .collect();
                conn.batch_execute(&format!("INSERT INTO approved VALUES {}", values.join(",")))?;
            }
            conn.batch_execute(&approve)?;
            Ok::<_, Error>(conn.batch_execute("DROP TABLE approved")?)
        })
        .await
        .unwrap();
}

fn form(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").into_bytes()
}

fn bearer(text: &str) -> String {
    format!("Authorization: Bearer {text}\r\n")
}

/// The active personal tokens.
fn live() -> impl Iterator<Item = u64> {
    (0..SIZE.tokens).filter(|n| seed::is_live(*n) && SIZE.has_tokens(n % SIZE.users))
}

/// A poll of each of these grants.
pub fn polls(path: &str, grants: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    let poll = |n| {
        let body = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id={CLIENT}\
             &device_code={}",
            code(n).expose()
        );
        form(path, "", &body)
    };
    grants.map(poll).collect()
}

/// An introspection of each active token.
pub fn introspections(path: &str) -> Vec<Vec<u8>> {
    live()
        .map(|n| introspection(path, seed::token(n).expose()))
        .collect()
}

fn introspection(path: &str, text: &str) -> Vec<u8> {
    let credentials = format!("{}:{}", seed::API, seed::api_secret().expose());
    let basic = format!("Authorization: Basic {}\r\n", STANDARD.encode(credentials));
    form(path, &basic, &format!("token={text}"))
}

/// Introspections of tokens of the right form that were never issued.
pub fn invented(path: &str) -> Vec<Vec<u8>> {
    (0..1_000_u64)
        .map(|n| {
            let mut seed = [9; 20];
            seed[..8].copy_from_slice(&n.to_be_bytes());
            introspection(path, token::write("dc", &seed).expose())
        })
        .collect()
}

/// A decision about each active token by the query.
pub fn decisions(path: &str) -> Vec<Vec<u8>> {
    let path = format!("{path}?scope=tokens%3Aread");
    live()
        .map(|n| get(&path, &bearer(seed::token(n).expose())))
        .collect()
}

/// The same by the last of 200 routes.
pub fn routed(path: &str) -> Vec<Vec<u8>> {
    let named = "X-Original-Method: GET\r\nX-Original-URI: /v1/things-199/7\r\n";
    live()
        .map(|n| get(path, &format!("{named}{}", bearer(seed::token(n).expose()))))
        .collect()
}

/// Decisions about texts with a wrong checksum.
pub fn misspelt(path: &str) -> Vec<Vec<u8>> {
    let path = format!("{path}?scope=tokens%3Aread");
    vec![get(&path, &bearer(&format!("dc_{}", "0".repeat(48))))]
}

/// The description of the caller, for each active token.
pub fn callers(path: &str) -> Vec<Vec<u8>> {
    live()
        .map(|n| get(path, &bearer(seed::token(n).expose())))
        .collect()
}

/// A probe.
pub fn probe() -> Vec<Vec<u8>> {
    vec![get("/healthz", "")]
}

/// A device authorization.
pub fn authorizations(path: &str) -> Vec<Vec<u8>> {
    let body = format!("client_id={CLIENT}&scope=tokens%3Aread&device_name=laptop");
    vec![form(path, "", &body)]
}

/// The table of 200 routes.
pub fn routes() -> String {
    (0..200)
        .map(|n| {
            format!("[[routes]]\nmatch = \"GET /v1/things-{n}/{{id}}\"\nscope = \"tokens:read\"\n")
        })
        .collect()
}
