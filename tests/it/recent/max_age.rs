//! Routes that need a recent sign-in of the token's owner (RFC 9470).

use super::{OLD, asked_again};
use crate::statements;
use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::device::Answer;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};

/// A route that is sensitive, and one that is not.
pub const API: &str = r#"
[[routes]]
match = "DELETE /v1/shops/{id}"
scope = "tokens:read"
max_age = "5m"

[[routes]]
match = "GET /v1/secrets"
authenticated = true
max_age = "5m"

[[routes]]
match = "GET /v1/shops"
scope = "tokens:read"
"#;

/// Seconds of the routes.
const MAX_AGE: i64 = 300;

async fn verify(test: &TestApp, token: &str, request: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let request = test
        .anon()
        .get(test.at("/auth/verify"))
        .bearer_auth(token)
        .header("x-original-method", method)
        .header("x-original-uri", path);
    Answer::of(request.send().await.unwrap()).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// The local address of the page that a challenge names.
fn page_of(test: &TestApp, challenge: &str) -> String {
    let (_, rest) = challenge.split_once(r#"confirm_uri=""#).unwrap();
    let uri = rest.split('"').next().unwrap();
    uri.strip_prefix(&test.url).unwrap().to_owned()
}

/// Confirms a token: signs in again, and presses the button.
async fn confirm(browser: &mut Browser, page: &str) {
    let asked = browser.get(page).await;
    let return_to = asked_again(browser, &asked).await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", &*return_to),
    ];
    let done = browser.post_only("/login", &fields).await;
    assert_eq!(done.location(), page);
    let question = browser.get(page).await;
    assert_eq!(question.status, 200, "{}", question.body);
    assert!(question.contains("Confirm only if you started the request yourself."));
    let max_age = question.field("max_age").unwrap();
    let path = page.split('?').next().unwrap();
    let done = browser.post_only(path, &[("max_age", &max_age)]).await;
    assert!(done.location().ends_with("&done=yes"), "{done:?}");
    assert!(browser.get(done.location()).await.contains("is confirmed"));
}

#[actix_web::test]
async fn challenge_leads_to_a_page_after_which_the_retry_passes() {
    let test = TestApp::with(API).await;
    let token = test.token(&["tokens:read"]).await;
    let request = "DELETE /v1/shops/7";
    let fresh = verify(&test, &token, request).await;
    assert_eq!(fresh.status, 204, "approved by a user who had signed in");
    test.clock.advance(MAX_AGE);
    assert_eq!(verify(&test, &token, request).await.status, 204);
    test.clock.advance(1);
    let refused = verify(&test, &token, request).await;
    assert_eq!(refused.status, 401);
    let challenge = header(&refused, "www-authenticate").to_owned();
    for piece in [
        r#"Bearer realm="#,
        r#", error="insufficient_user_authentication""#,
        r#", max_age="300""#,
    ] {
        assert!(challenge.contains(piece), "{challenge}");
    }
    assert_eq!(
        header(&refused, "x-error-code"),
        "insufficient_user_authentication"
    );
    assert_eq!(refused.error(), "insufficient_user_authentication");
    assert_eq!(verify(&test, &token, "GET /v1/shops").await.status, 204);
    assert_eq!(
        test.me(&token).await.status(),
        200,
        "the token stays active"
    );

    let page = page_of(&test, &challenge);
    let mut browser = test.user().await;
    test.clock.advance(MAX_AGE);
    confirm(&mut browser, &page).await;
    assert_eq!(verify(&test, &token, request).await.status, 204);
    assert_eq!(test.events("token.confirmed"), 1);
    test.clock.advance(MAX_AGE + 1);
    assert_eq!(verify(&test, &token, request).await.status, 401);
    // The same sign-in does not confirm the token a second time.
    let again = browser.get(&page).await;
    asked_again(&mut browser, &again).await;
}

#[actix_web::test]
async fn introspection_states_the_time_of_the_sign_in() {
    let test = TestApp::with(API).await;
    let mut browser = test.user().await;
    let signed_in_at = test.app.now().timestamp();
    test.clock.advance(120);
    let token = browser.new_token("laptop", &["tokens:read"], "30d").await;
    let stated = test.introspect(&token).await;
    assert_eq!(stated["auth_time"], signed_in_at);
    assert_eq!(stated["iat"], signed_in_at + 120);

    // A token of an organization has no owner who signs in: another token is needed, not a sign-in.
    browser.get("/o/acme/settings/api-tokens/new").await;
    let fields = [
        ("name", "build"),
        ("scope", "tokens:read"),
        ("expires", "30d"),
    ];
    let created = browser
        .post("/o/acme/settings/api-tokens/new", &fields)
        .await;
    let own = created.attribute("data-token").unwrap();
    assert!(test.introspect(&own).await.get("auth_time").is_none());
    let refused = verify(&test, &own, "DELETE /v1/shops/7").await;
    assert_eq!(refused.status, 403);
    assert_eq!(header(&refused, "x-error-code"), "user_required");
    assert_eq!(verify(&test, &own, "GET /v1/shops").await.status, 204);
    // The operator token passes every check.
    assert_eq!(
        verify(&test, OPERATOR, "DELETE /v1/shops/7").await.status,
        204
    );
}

/// What a token creates or replaces by itself is as old as its own confirmation.
#[actix_web::test]
async fn token_cannot_confirm_itself() {
    let test = TestApp::with(API).await;
    let token = test.token(&["tokens:read", "tokens:write"]).await;
    test.clock.advance(MAX_AGE + 1);
    let request = |path: &str, key: &'static str, body: serde_json::Value| {
        let request = test.anon().post(test.at(path)).bearer_auth(&token);
        request.header("idempotency-key", key).json(&body).send()
    };
    let scopes = serde_json::json!({"name": "child", "scopes": ["tokens:read"]});
    let child = Answer::of(request("/v1/tokens", "1", scopes).await.unwrap()).await;
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    let path = format!("/v1/tokens/{}/rotate", me["token"]["id"].as_str().unwrap());
    let rotated = request(&path, "2", serde_json::json!({}));
    let rotated = Answer::of(rotated.await.unwrap()).await;
    for made in [&child, &rotated] {
        let made = made.body["token"]
            .as_str()
            .unwrap_or_else(|| panic!("{made:?}"));
        assert_eq!(verify(&test, made, "GET /v1/secrets").await.status, 401);
        assert_eq!(verify(&test, made, "GET /v1/shops").await.status, 204);
    }
}

/// Attacks on the page: a stale session, another user, and a form of another site.
#[actix_web::test]
async fn only_the_owner_confirms_with_a_new_sign_in() {
    let test = TestApp::with(API).await;
    let mut thief = test.user().await;
    let token = test.token(&["tokens:read"]).await;
    test.clock.advance(OLD);
    let refused = verify(&test, &token, "GET /v1/secrets").await;
    let page = page_of(&test, header(&refused, "www-authenticate"));
    let path = page.split('?').next().unwrap().to_owned();
    thief.get("/account").await;
    for max_age in ["300", "999999999", "-1", ""] {
        let forced = thief.post_only(&path, &[("max_age", max_age)]).await;
        match max_age {
            // A long age of the attacker's choice: the sign-in is still not later than the last.
            "999999999" => assert!(forced.location().starts_with("/login?"), "{forced:?}"),
            _ => drop(asked_again(&mut thief, &forced).await),
        }
    }
    assert_eq!(verify(&test, &token, "GET /v1/secrets").await.status, 401);

    test.add_user("eve@example.com", PASSWORD, None).await;
    let mut eve = test.browser();
    eve.sign_in("eve@example.com", PASSWORD).await;
    eve.get("/account").await;
    assert_eq!(eve.get(&page).await.status, 404);
    assert_eq!(eve.post(&path, &[("max_age", "300")]).await.status, 404);

    let mut owner = test.user().await;
    owner.get("/account").await;
    let mut foreign = owner.clone();
    foreign.set_header("origin", "https://evil.example");
    assert_eq!(
        foreign.post_only(&path, &[("max_age", "300")]).await.status,
        403
    );
    assert_eq!(verify(&test, &token, "GET /v1/secrets").await.status, 401);
    // A sign-in that began after the token's last confirmation, and is recent, needs no other.
    let done = owner.post_only(&path, &[("max_age", "300")]).await;
    assert!(done.location().ends_with("&done=yes"), "{done:?}");
    assert_eq!(verify(&test, &token, "GET /v1/secrets").await.status, 204);
}

/// The rule is decided with the columns that the look-up of the token reads anyway.
#[actix_web::test]
async fn rule_costs_no_statement() {
    if Database::is_postgres() {
        return;
    }
    statements::observe();
    let test = TestApp::with(API).await;
    let token = test.token(&["tokens:read"]).await;
    for (request, status) in [("GET /v1/shops", 204), ("DELETE /v1/shops/7", 204)] {
        verify(&test, &token, request).await;
        let (answer, seen) =
            statements::during(&test.database, verify(&test, &token, request)).await;
        assert_eq!(answer.status, status);
        // None if the worker has the row in memory.
        let reads = seen.iter().filter(|sql| sql.starts_with("SELECT"));
        assert!(reads.count() <= 1, "{request}: {seen:?}");
    }
}
