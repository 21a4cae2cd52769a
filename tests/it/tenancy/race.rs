//! Creating tokens during a revocation of all, on two servers.

use super::{Client, EVERYTHING, expect};
use crate::support::device::Answer;
use crate::support::tenant::{input, text_of, user_of};
use crate::support::{CLI, OPERATOR, TestApp};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

/// Number of runs of each race; a single run may succeed by chance.
const ROUNDS: usize = 5;

/// Number of tokens requested during the revocation.
const CALLS: usize = 16;

/// One server revokes tokens by `revoke` while `maker`, one of these tokens, creates others on
/// both servers. Asserts that each response is 201 or 401, and that no created token is active
/// afterwards. Returns the numbers of revoked and of created tokens.
async fn race(
    servers: [&TestApp; 2],
    maker: &str,
    paths: &[&str],
    revoke: (&str, &str, Value),
) -> (usize, usize) {
    let makers = servers.map(|server| Client::new(server, maker));
    let calls = (0..CALLS).map(|i| {
        let body = json!({"name": "made", "scopes": ["tokens:write"]});
        makers[i % 2].post(paths[i % paths.len()], body)
    });
    let (by, path, body) = revoke;
    let revoker = Client::new(servers[0], by);
    let (revoked, answers) = join(revoker.post(path, body), join_all(calls)).await;
    let revoked = expect(revoked, 200)["revoked"].as_u64().unwrap();
    let (made, refused): (Vec<Answer>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    for answer in refused {
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    for answer in &made {
        let text = answer.body["token"].as_str().unwrap();
        assert!(
            !Client::new(servers[1], text).is_active().await,
            "{answer:?}"
        );
    }
    assert!(!makers[1].is_active().await);
    (revoked.try_into().unwrap(), made.len())
}

#[actix_web::test]
async fn no_token_of_a_user_survives_the_revocation_of_all() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let ada = test.caller("ada@x.example").await;
    let user = format!("/v1/users/{}/revoke-all", user_of(&ada));
    for round in 0..ROUNDS {
        let (maker, other) = (
            test.token_of(&ada, input(&EVERYTHING)).await,
            test.token_of(&ada, input(&EVERYTHING)).await,
        );
        let revoke = match round % 2 {
            0 => (text_of(&other), "/v1/tokens/revoke-all"),
            _ => (OPERATOR, user.as_str()),
        };
        let revoke = (revoke.0, revoke.1, json!({}));
        let (revoked, made) =
            race([&test, &second], text_of(&maker), &["/v1/tokens"], revoke).await;
        assert_eq!(revoked, made + 2, "each was ended once");
        let owner = format!("user_id = '{}'", user_of(&ada));
        assert_eq!(
            test.count("token", &format!("{owner} AND revoked_at IS NULL")),
            0
        );
    }
}

#[actix_web::test]
async fn no_token_of_an_organization_survives_the_revocation_of_all() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Racing").await;
    let owner = test.token_of(&ada, input(&EVERYTHING)).await;
    let tokens = format!("/v1/orgs/{}/tokens", org.slug);
    let all = format!("{tokens}/revoke-all");
    for _ in 0..ROUNDS {
        let maker = test.organization_token(&org, input(&EVERYTHING)).await;
        let revoke = (text_of(&owner), all.as_str(), json!({}));
        let paths = ["/v1/tokens", &tokens];
        let (revoked, made) = race([&test, &second], text_of(&maker), &paths, revoke).await;
        assert_eq!(revoked, made + 1, "each was ended once");
        let of_it = format!("organization_id = '{}' AND revoked_at IS NULL", org.id);
        assert_eq!(test.count("token", &of_it), 0);
    }
}

/// Tokens created with a client's token are revoked with the client's tokens, or with all.
#[actix_web::test]
async fn no_token_of_a_client_survives_the_revocation_of_all() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let client = format!("/v1/clients/{CLI}/revoke-all");
    for round in 0..ROUNDS {
        let maker = test.token(&["tokens:write"]).await;
        test.clock.advance(1);
        let before = (test.app.now() + chrono::Duration::hours(1)).to_rfc3339();
        let revoke = match round % 2 {
            0 => (OPERATOR, client.as_str(), json!({})),
            _ => (
                OPERATOR,
                "/v1/tokens/revoke-all",
                json!({"issued_before": before}),
            ),
        };
        let (revoked, made) = race([&test, &second], &maker, &["/v1/tokens"], revoke).await;
        assert_eq!(revoked, made + 1, "each was ended once");
        assert_eq!(test.count("token", "revoked_at IS NULL"), 0);
    }
}
