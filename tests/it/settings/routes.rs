//! Routes by role, with a slash at the end, and with an Idempotency-Key; refusals in the form of
//! the API; and the operator that acts for a user.

use super::{get, route, verify};
use crate::support::tenant::{OPERATOR as OPERATOR_CALLER, input, text_of, user_of};
use crate::support::{OPERATOR, PROXY, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::org;
use doorcode::domain::role::Role;
use serde_json::{Value, json};

const API: &str = r#"
[[scopes]]
name = "app:deploy"
description = "Deploy"

[[routes]]
match = "GET /v1/servers/"
role = "member"

[[routes]]
match = "DELETE /v1/servers/{id}"
role = "admin"

[[routes]]
match = "GET /v1/organizations/{organization}/billing"
role = "owner"

[[routes]]
match = "POST /v1/deploys"
scope = "app:deploy"
idempotency_key = true

[[routes]]
match = "POST /v1/scans"
operator = true

[[routes]]
match = "POST /v1/feedback"
public = true
idempotency_key = true

[[routes]]
match = "GET /v1/regions"
authenticated = true
organization = "acme"
"#;

/// The server, and a member of Acme with a token that has these scopes.
async fn start(settings: &str, scopes: &[&str]) -> (TestApp, Caller, String) {
    let test = TestApp::with(&format!("{settings}{API}")).await;
    let acme = org::find(&test.req(&OPERATOR_CALLER), "acme").await;
    let bob = test.caller("bob@example.com").await;
    test.add_member(&acme.unwrap().organization, &bob, Role::Member)
        .await;
    let token = test.token_of(&bob, input(scopes)).await;
    (test, bob, text_of(&token).to_owned())
}

fn header<'a>(answer: &'a crate::support::device::Answer, name: &str) -> &'a str {
    answer.headers[name].to_str().unwrap()
}

#[actix_web::test]
async fn role_alone_opens_a_route() {
    let (test, bob, token) = start("", &[]).await;
    let acme = org::find(&test.req(&OPERATOR_CALLER), "acme").await;
    let acme = acme.unwrap().organization;
    let delete = "DELETE /v1/servers/7";
    let billing = "GET /v1/organizations/acme/billing";
    for (role, expected) in [
        (Role::Member, [204, 403, 403]),
        (Role::Admin, [204, 204, 403]),
        (Role::Owner, [204, 204, 204]),
        (Role::Member, [204, 403, 403]),
    ] {
        test.add_member(&acme, &bob, role).await;
        for (asked, status) in ["GET /v1/servers", delete, billing]
            .into_iter()
            .zip(expected)
        {
            assert_eq!(
                route(&test, asked, &token).await,
                status,
                "{role:?} {asked}"
            );
        }
    }
    // An organization of one's own gives no role in another.
    let other = test.organization(&bob, "Other").await;
    assert_eq!(route(&test, billing, &token).await, 403);
    let own = format!("GET /v1/organizations/{}/billing", other.slug);
    assert_eq!(route(&test, &own, &token).await, 204);
    for asked in ["GET /v1/servers", delete, billing] {
        assert_eq!(route(&test, asked, OPERATOR).await, 204, "{asked}");
        assert_eq!(route(&test, asked, "dc_wrong").await, 401, "{asked}");
    }
}

#[actix_web::test]
async fn slash_at_the_end_is_allowed_where_the_route_has_one() {
    let (test, _, token) = start("", &["app:deploy"]).await;
    for (asked, status) in [
        ("GET /v1/servers", 204),
        ("GET /v1/servers/", 204),
        ("GET /v1/servers/?page=2", 204),
        ("GET /v1/servers//", 403),
        ("GET /v1/regions", 204),
        ("GET /v1/regions/", 403),
    ] {
        assert_eq!(route(&test, asked, &token).await, status, "{asked}");
    }
}

#[actix_web::test]
async fn route_can_demand_an_idempotency_key() {
    let (test, _, token) = start("", &["app:deploy"]).await;
    let deploy = "POST /v1/deploys";
    let with = |key| [("idempotency-key", key)];
    let missing = verify(&test, deploy, &token, &[]).await;
    assert_eq!(missing.status, 403, "{missing:?}");
    assert_eq!(header(&missing, "x-error-code"), "idempotency_key_required");
    assert_eq!(missing.body["error"], "invalid_request");
    assert_eq!(verify(&test, deploy, &token, &with("")).await.status, 403);
    assert_eq!(
        verify(&test, deploy, &token, &with("one")).await.status,
        204
    );
    assert_eq!(verify(&test, deploy, OPERATOR, &[]).await.status, 403);
    assert_eq!(
        verify(&test, deploy, OPERATOR, &with("one")).await.status,
        204
    );
    // The token comes first: a key opens nothing.
    assert_eq!(
        verify(&test, deploy, "dc_wrong", &with("one")).await.status,
        401
    );
    assert_eq!(
        verify(&test, "POST /v1/scans", &token, &with("one"))
            .await
            .status,
        403
    );
    assert_eq!(
        verify(&test, "POST /v1/feedback", "dc_wrong", &[])
            .await
            .status,
        403
    );
    assert_eq!(
        verify(&test, "POST /v1/feedback", "dc_wrong", &with("x"))
            .await
            .status,
        204
    );
    assert_eq!(route(&test, "GET /v1/servers", &token).await, 204);
}

#[actix_web::test]
async fn refusals_have_the_form_and_the_codes_of_the_api() {
    let asked = ["GET /v1/regions", "POST /v1/deploys", "POST /v1/scans"];
    let (test, _, token) = start("", &[]).await;
    let usual = verify(&test, asked[1], &token, &[]).await;
    assert_eq!(usual.body["error"], "insufficient_scope");
    assert_eq!(header(&usual, "x-error-code"), "insufficient_scope");
    let operator = verify(&test, asked[2], &token, &[]).await;
    assert_eq!(header(&operator, "x-error-code"), "operator_required");
    let none = verify(&test, asked[0], "dc_wrong", &[]).await;
    assert_eq!(header(&none, "x-error-code"), "invalid_token");

    for (errors, keys) in [
        ("oauth", ["error", "error_description"]),
        ("code", ["code", "message"]),
        ("problem", ["code", "detail"]),
    ] {
        let settings = format!(
            "{PROXY}[verify]\nerrors = \"{errors}\"\ncode_401 = \"unauthorized\"\ncode_403 = \"denied\"\n"
        );
        let (test, _, token) = start(&settings, &[]).await;
        let request_id = [("x-request-id", "req-12345678")];
        for (token, asked, code) in [
            ("dc_wrong", asked[0], "unauthorized"),
            (&token, asked[1], "denied"),
            (&token, asked[2], "denied"),
            (&token, "GET /v1/unknown", "denied"),
            (OPERATOR, asked[1], "idempotency_key_required"),
        ] {
            let answer = verify(&test, asked, token, &request_id).await;
            assert_eq!(header(&answer, "x-error-code"), code, "{errors} {asked}");
            assert_eq!(header(&answer, "x-request-id"), "req-12345678");
            assert!(answer.headers.contains_key("www-authenticate"));
            let described = header(&answer, "x-error-description");
            assert!(!described.contains(['"', '\\']), "{described}");
            assert_eq!(answer.body[keys[1]], described, "{errors}");
            let expected = match (errors, code) {
                ("oauth", "idempotency_key_required") => "invalid_request",
                (_, code) => code,
            };
            assert_eq!(answer.body[keys[0]], expected, "{errors} {asked}");
            if errors != "oauth" {
                assert_eq!(answer.body["request_id"], "req-12345678");
            }
        }
        let media = if errors == "problem" {
            "application/problem+json"
        } else {
            "application/json"
        };
        let answer = verify(&test, asked[0], "dc_wrong", &[]).await;
        assert_eq!(header(&answer, "content-type"), media);
    }
}

#[actix_web::test]
async fn operator_acts_for_a_user_at_the_protected_api() {
    let (test, bob, token) = start("", &["app:deploy"]).await;
    let bob_id = user_of(&bob);
    let ada_id = test
        .database
        .text("SELECT id FROM users WHERE email = 'ada@example.com'");
    let for_bob = [("x-actor-user-id", bob_id.as_str())];
    let scan = "POST /v1/scans";
    let allowed = verify(&test, scan, OPERATOR, &for_bob).await;
    assert_eq!(allowed.status, 204, "{allowed:?}");
    assert_eq!(header(&allowed, "x-auth-user-id"), bob_id.as_str());
    assert_eq!(header(&allowed, "x-auth-token-kind"), "operator");
    let alone = verify(&test, scan, OPERATOR, &[]).await;
    assert!(!alone.headers.contains_key("x-auth-user-id"));

    // No other token speaks for a user, and the operator for none that does not exist.
    let for_ada = [("x-actor-user-id", ada_id.as_str())];
    let own = verify(&test, "GET /v1/regions", &token, &for_ada).await;
    assert_eq!(header(&own, "x-auth-user-id"), bob_id.as_str());
    let nobody = [("x-actor-user-id", "usr_00000000000000000000000000000000")];
    let unknown = verify(&test, scan, OPERATOR, &nobody).await;
    assert_eq!(unknown.status, 403, "{unknown:?}");
    assert_eq!(header(&unknown, "x-error-code"), "actor_unknown");
    let wrong = verify(&test, scan, OPERATOR, &[("x-actor-user-id", "Bob")]).await;
    assert_eq!(wrong.status, 401, "{wrong:?}");

    test.settle().await;
    let uses = get(&test, "/v1/audit/uses?token=operator&limit=100", OPERATOR).await;
    let of_route = |one: &&Value| one["route"] == scan && one["decision"] == "allowed";
    let items = uses.body["items"].as_array().unwrap();
    let users: Vec<_> = items
        .iter()
        .filter(of_route)
        .map(|one| one["user_id"].clone())
        .collect();
    assert_eq!(users.len(), 2, "{uses:?}");
    assert!(users.contains(&json!(bob_id.as_str())) && users.contains(&Value::Null));
    assert_eq!(
        get(&test, "/v1/audit/verify", OPERATOR).await.body["valid"],
        true
    );
}

#[actix_web::test]
async fn route_table_is_listed_with_its_rules() {
    let (test, _, token) = start("", &[]).await;
    let answer = get(&test, "/v1/routes", &token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 7);
    for (at, expected) in [
        (
            0,
            json!({"match": "GET /v1/servers/", "access": "role", "role": "member", "idempotency_key": false}),
        ),
        (
            3,
            json!({"match": "POST /v1/deploys", "access": "scope", "scope": "app:deploy", "idempotency_key": true}),
        ),
        (
            4,
            json!({"match": "POST /v1/scans", "access": "operator", "idempotency_key": false}),
        ),
        (
            5,
            json!({"match": "POST /v1/feedback", "access": "public", "idempotency_key": true}),
        ),
        (
            6,
            json!({"match": "GET /v1/regions", "access": "authenticated", "organization": "acme", "idempotency_key": false}),
        ),
    ] {
        assert_eq!(items[at], expected);
    }
    assert_eq!(get(&test, "/v1/routes", "dc_wrong").await.status, 401);
}

/// The user learns before the consent what a token opens without a scope.
#[actix_web::test]
async fn consent_and_form_name_the_routes_by_role() {
    const OPEN: &str = "[[routes]]\nmatch = \"GET /v1/regions\"\nauthenticated = true\n";
    const BY_ROLE: &str = "[[routes]]\nmatch = \"DELETE /v1/servers\"\nrole = \"admin\"\n";
    for (routes, consent, form) in [
        (
            "",
            "It will only see your identity.",
            "Without scopes a token can only identify you.",
        ),
        (
            OPEN,
            "can use routes that are open to every token.",
            "identify you and use routes that are open to every token.",
        ),
        (
            BY_ROLE,
            "It will be able to do what your role allows",
            "a token can do what your role allows",
        ),
    ] {
        let test = TestApp::with(routes).await;
        test.database
            .execute("UPDATE client SET default_scopes = '' WHERE id = 'cli'");
        let mut browser = test.user().await;
        let device = test.device("").await;
        let page = browser.type_code(&device.user_code).await;
        assert!(page.contains(consent), "{consent}: {}", page.body);
        let with_scope = test.device("orgs:read").await;
        let page = browser.type_code(&with_scope.user_code).await;
        let is_named = page.contains("It will also be able to do what your role allows");
        assert_eq!(is_named, routes == BY_ROLE, "{}", page.body);
        let page = browser.get("/tokens/new").await;
        assert!(page.contains(form), "{form}: {}", page.body);
        let page = browser.get("/o/acme/settings/api-tokens/new").await;
        let is_named = page.contains("do what the role admin allows");
        assert_eq!(is_named, routes == BY_ROLE, "{}", page.body);
    }
}
