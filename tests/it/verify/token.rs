//! Accepted tokens, and the errors for all others.

use super::{Api, ORIGINAL, assert_dead, assert_no, assert_yes};
use crate::support::device::Answer;
use crate::support::tenant::{input, text_of};
use crate::support::{API, OPERATOR, PASSWORD};
use doorcode::app::token::CreateToken;
use doorcode::domain::role::Role;
use doorcode::domain::token;

const ROUTE: (&str, &str) = ("GET", "/v1/regions");

#[actix_web::test]
async fn inactive_token_is_401() {
    let api = Api::start().await;
    let bob = api.member("bob@example.com", Role::Member).await;
    let living = api.token(&api.ada, &[]).await;
    let revoked = api.test.token_of(&api.ada, input(&[])).await;
    api.test.revoke(&api.ada, &revoked).await;
    let month = CreateToken {
        expires: Some("30d".into()),
        ..input(&[])
    };
    let expired = api.test.token_of(&api.ada, month).await;
    let orphaned = api.token(&bob, &[]).await;
    assert_yes(&api.route(ROUTE, &orphaned).await, "alive");
    api.test.clock.advance(30 * 24 * 3600);
    api.test.deactivate("bob@example.com").await;

    let mut browser = api.test.browser();
    browser.sign_in(crate::support::EMAIL, PASSWORD).await;
    let cookie = browser.cookies["doorcode_session"].clone();
    let device = api.test.device("tokens:read").await;
    let unknown = token::write("dc", &[7; 20]);
    let upper = living.to_uppercase();
    let longer = format!("{living}0");
    for (dead, about) in [
        (text_of(&revoked), "revoked"),
        (text_of(&expired), "expired"),
        (&orphaned, "deactivated"),
        (unknown.expose(), "unknown"),
        (&cookie, "session"),
        (&device.device_code, "device code"),
        (&device.user_code, "user code"),
        (&api.test.api_secret, "client secret"),
        (&upper, "upper case"),
        (&longer, "longer"),
        (&living[..living.len() - 1], "shorter"),
        ("x", "x"),
    ] {
        assert_dead(&api.route(ROUTE, dead).await, about);
        assert_dead(&api.query("organization=acme", dead).await, about);
        let envoy = api.ask("/auth/verify/v1/regions", &[], Some(dead)).await;
        assert_dead(&envoy, about);
    }
    assert_yes(&api.route(ROUTE, &living).await, "living");
}

/// RFC 6750 has 400 for these, which nginx would turn into 500.
#[actix_web::test]
async fn malformed_header_is_401_too() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &[]).await;
    let bearer = format!("Bearer {token}");
    let long = format!("Bearer {}", "a".repeat(9_000));
    let two = format!("{bearer} {token}");
    let listed = format!("{bearer},{token}");
    let [method, uri] = ORIGINAL;
    let asked = [(method, ROUTE.0), (uri, ROUTE.1)];
    let with = async |values: &[&str]| {
        let headers = values.iter().map(|value| ("authorization", *value));
        let headers: Vec<_> = headers.chain(asked).collect();
        api.ask("/auth/verify", &headers, None).await
    };
    for bad in [
        &["Bearer"][..],
        &["Bearer "],
        &[&two],
        &[&listed],
        &["Bearer \"a\""],
        &["Bearer caf\u{e9}"],
        &[&long],
        &[&bearer, &bearer],
        &[&bearer, "Basic eDp5"],
    ] {
        let answer = with(bad).await;
        assert_no(&answer, 401, r#", error="invalid_request""#, &bad[0][..6]);
    }
    for none in ["Basic eDp5", "Negotiate x", "", "Bearerx"] {
        assert_no(&with(&[none]).await, 401, "", none);
    }
    let lower = format!("bearer {token}");
    assert_yes(&with(&[&lower]).await, "the scheme is of any case");
}

#[actix_web::test]
async fn token_elsewhere_in_the_request_is_ignored() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &[]).await;
    let [method, uri] = ORIGINAL;
    let mut browser = api.test.browser();
    browser.sign_in(crate::support::EMAIL, PASSWORD).await;
    let session = format!("doorcode_session={}", browser.cookies["doorcode_session"]);
    let target = format!("/v1/regions?access_token={token}");
    for (name, value) in [
        ("cookie", session.as_str()),
        ("cookie", &format!("access_token={token}")),
        ("x-api-key", &token),
        ("proxy-authorization", &format!("Bearer {token}")),
    ] {
        let headers = [(method, "GET"), (uri, target.as_str()), (name, value)];
        let path = format!("/auth/verify?access_token={token}");
        assert_no(&api.ask(&path, &headers, None).await, 401, "", name);
        let request = api
            .test
            .anon()
            .post(api.test.at("/auth/verify"))
            .header(method, "GET")
            .header(uri, target.as_str())
            .form(&[("access_token", &token)]);
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_no(&answer, 401, "", "form");
    }
    assert!(!crate::support::log::text().contains(&token));
    // A confidential client is no token owner here.
    let request = api.test.anon().get(api.test.at("/auth/verify"));
    let request = request.header(method, "GET").header(uri, ROUTE.1);
    let request = request.basic_auth(API, Some(&api.test.api_secret));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_no(&answer, 401, "", "client");
}

/// A token sent over plain http may have been seen; the proxy's 401 says so.
#[actix_web::test]
async fn plain_http_before_the_proxy_is_rejected() {
    let settings = "[server]\npublic_url = \"https://login.example.com\"\n\
                    trusted_proxies = [\"127.0.0.1\"]\n";
    let api = Api::with(settings).await;
    let token = api.token(&api.ada, &[]).await;
    for (protocol, status) in [
        ("https", 204),
        ("https, http", 204),
        ("HTTPS,http,http", 204),
        ("https|http", 204),
        ("http", 401),
        ("http , https", 401),
        ("HTTP", 401),
        (", http", 401),
        ("|http", 401),
        ("http|https", 401),
    ] {
        let mut headers = vec![(ORIGINAL[0], ROUTE.0), (ORIGINAL[1], ROUTE.1)];
        // Some proxies add a line of their own.
        let lines = protocol.split('|');
        headers.extend(lines.map(|line| ("x-forwarded-proto", line)));
        for known in [token.as_str(), OPERATOR] {
            let answer = api.ask("/auth/verify", &headers, Some(known)).await;
            assert_eq!(answer.status, status, "{protocol}");
            let is_challenged = answer.headers.contains_key("www-authenticate");
            assert_eq!(is_challenged, status == 401);
        }
    }
    let over_http = async |api: &Api, path: &str, target: &str, token: Option<&str>| {
        let headers = [
            (ORIGINAL[0], "GET"),
            (ORIGINAL[1], target),
            ("x-forwarded-proto", "http"),
        ];
        api.ask(path, &headers, token).await
    };
    // A public route passes, without the identity of a token that may have been seen.
    for known in [None, Some("x"), Some(token.as_str()), Some(OPERATOR)] {
        let answer = over_http(&api, "/auth/verify", "/v1/health", known).await;
        assert_yes(&answer, "public");
        assert!(!answer.headers.contains_key("x-auth-token-kind"));
    }
    for (path, target) in [
        ("/auth/verify", "/v1/unnamed"),
        ("/auth/verify", ROUTE.1),
        ("/auth/verify?scope=tokens:read", "/v1/health"),
    ] {
        let answer = over_http(&api, path, target, Some(OPERATOR)).await;
        assert_eq!(answer.status, 401, "{path} {target}");
    }
    let lenient = Api::with(&format!("{settings}allow_http = true\n")).await;
    let token = lenient.token(&lenient.ada, &[]).await;
    for known in [token.as_str(), OPERATOR] {
        assert_yes(
            &over_http(&lenient, "/auth/verify", ROUTE.1, Some(known)).await,
            "allow_http",
        );
    }
}
