//! Lines 2, 8 and 15 to 19: requests that succeed and that fail.

use super::{BILLING, Company, DELETE, LIST};

const DAY: i64 = 86_400;

/// Every API request needs a valid `Authorization: Bearer`.
#[actix_web::test]
async fn d_02_every_request_needs_a_bearer_token() {
    let company = Company::start().await;
    let token = company.token("admin").await;
    for request in [LIST, "POST /v1/servers", DELETE, "GET /v1/servers/srv_1"] {
        assert_eq!(company.status(request, "").await, 401, "{request}");
        assert_eq!(company.status(request, &token).await, 200, "{request}");
    }
}

/// `GET /v1/servers` with bearer token and `Content-Type: application/json` is answered with
/// 200 and JSON.
#[actix_web::test]
async fn d_08_servers_are_listed_as_json() {
    let company = Company::start().await;
    let token = company.token("admin").await;
    let headers = [("content-type", "application/json")];
    let answer = company.system.api_with(LIST, &token, &headers).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert!(answer.body.is_object(), "{answer:?}");
}

/// No token: 401.
#[actix_web::test]
async fn d_15_no_token_is_401() {
    let company = Company::start().await;
    let answer = company.system.api(LIST, "").await;
    assert_eq!((answer.status, answer.error()), (401, "unauthorized"));
}

/// Expired token: 401.
#[actix_web::test]
async fn d_16_an_expired_token_is_401() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    let short = admin.new_token("short", &[], "30d").await;
    let long = admin.new_token("long", &[], "90d").await;
    company.system.test.clock.advance(29 * DAY);
    assert_eq!(company.status(LIST, &short).await, 200);
    company.system.test.clock.advance(2 * DAY);
    let answer = company.system.api(LIST, &short).await;
    assert_eq!((answer.status, answer.error()), (401, "invalid_token"));
    assert_eq!(company.status(LIST, &long).await, 200);
}

/// Malformed header: 401.
#[actix_web::test]
async fn d_17_a_malformed_header_is_401() {
    let company = Company::start().await;
    let token = company.token("admin").await;
    for header in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Token {token}"),
        format!("Basic {token}"),
        format!("Bearer {token} x"),
        format!("Bearer \"{token}\""),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer{token}"),
    ] {
        let headers = [("authorization", &*header)];
        let answer = company.system.api_with(LIST, "", &headers).await;
        assert_eq!(answer.status, 401, "{header}");
    }
    assert_eq!(company.status(LIST, &token).await, 200);
}

/// Valid token, but the account lacks the permission: 403.
#[actix_web::test]
async fn d_18_a_missing_permission_is_403() {
    let company = Company::start().await;
    let admin = company.token("admin").await;
    assert_eq!(company.status(LIST, &admin).await, 200);
    let answer = company.system.api(BILLING, &admin).await;
    assert_eq!(
        (answer.status, answer.error()),
        (403, "forbidden"),
        "{answer:?}"
    );
    let member = company.token_of_member().await;
    assert_eq!(company.status(DELETE, &member).await, 403);
}

/// The same action with the token of an account with more rights succeeds.
#[actix_web::test]
async fn d_19_the_token_of_a_higher_account_succeeds() {
    let company = Company::start().await;
    let member = company.token_of_member().await;
    let admin = company.token("admin").await;
    let owner = company.token("owner").await;
    for (request, expected) in [(DELETE, [403, 200, 200]), (BILLING, [403, 403, 200])] {
        for (token, status) in [&member, &admin, &owner].into_iter().zip(expected) {
            assert_eq!(company.status(request, token).await, status, "{request}");
        }
    }
}
