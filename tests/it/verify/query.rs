//! The query in the proxy's configuration names the required scope and resource.

use super::{
    Api, FORWARDED, ORIGINAL, assert_dead, assert_forbidden, assert_lacks, assert_no, assert_yes,
};
use crate::support::OPERATOR;
use doorcode::domain::role::Role;
use reqwest::Method;

#[actix_web::test]
async fn query_names_the_scope_and_the_resource() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let places = [
        String::new(),
        format!("&organization={}", api.acme.id),
        "&organization=acme".to_owned(),
        format!("&project={}", api.website.id),
    ];
    for place in &places {
        let read = api.query(&format!("scope=app:read{place}"), &token).await;
        assert_yes(&read, place);
        let query = format!("scope=app:deploy{place}");
        let deploy = api.query(&query, &token);
        assert_lacks(&deploy.await, "app:deploy", place);
    }
    // A resource alone requires any token that reaches it.
    assert_yes(&api.query("organization=acme", &token).await, "no scope");
    let encoded = api.query("sc%6fpe=app%3Aread", &token).await;
    assert_yes(&encoded, "encoded");
}

#[actix_web::test]
async fn unclear_query_is_denied_for_every_caller() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let project = format!("project={}", api.website.id);
    for query in [
        "".to_owned(),
        "scope=".to_owned(),
        "scope".to_owned(),
        "project=".to_owned(),
        "scope=app:read&scope=app:read".to_owned(),
        "scope=app:read&sc%6Fpe=app:read".to_owned(),
        format!("{project}&{project}"),
        format!("{project}&organization={}", api.acme.id),
        "scope=app:read&organization=".to_owned(),
        "scope=app:read&organisation=acme".to_owned(),
        "scope=app:read&page=2".to_owned(),
        "Scope=app:read".to_owned(),
        "scope=%zz".to_owned(),
        "scope=app:read%00".to_owned(),
        "scope=%FF".to_owned(),
    ] {
        assert_forbidden(&api.query(&query, &token).await, &query);
        assert_forbidden(&api.query(&query, OPERATOR).await, &query);
        let path = format!("/auth/verify?{query}");
        assert_no(&api.ask(&path, &[], None).await, 401, "", &query);
        assert_dead(&api.query(&query, "x").await, &query);
    }
}

#[actix_web::test]
async fn scope_that_no_token_can_have_is_denied() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    for scope in [
        "app:fly",
        "*",
        "app:*",
        "APP:READ",
        "app:read%20app:deploy",
        "app:read;x",
        "%22",
    ] {
        let answer = api.query(&format!("scope={scope}"), &token).await;
        assert_forbidden(&answer, scope);
    }
    // The operator passes every check.
    assert_yes(&api.query("scope=app:fly", OPERATOR).await, "operator");
    assert_yes(&api.query("project=prj_no", OPERATOR).await, "operator");
}

/// Traefik names the request even next to the fixed query of its configuration.
#[actix_web::test]
async fn fixed_query_decides_next_to_the_named_request() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    for family in [ORIGINAL, FORWARDED] {
        for (target, scope, is_allowed) in [
            ("/anything", "app:read", true),
            ("/anything?page=2", "app:read", true),
            ("/anything?scope=app:deploy", "app:read", true),
            ("/v1/apps", "app:deploy", false),
            ("/v1/health?scope=app:read", "app:deploy", false),
        ] {
            let headers = [(family[0], "GET"), (family[1], target)];
            let path = format!("/auth/verify?scope={scope}");
            let answer = api.ask(&path, &headers, Some(&token)).await;
            match is_allowed {
                true => assert_yes(&answer, target),
                false => assert_lacks(&answer, scope, target),
            }
        }
    }
}

/// The client guesses the proxy's fixed query: the query still decides, and the table in
/// addition.
#[actix_web::test]
async fn guessed_fixed_query_does_not_remove_its_requirement() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let website = format!("/v1/projects/{}", api.website.id);
    for family in [ORIGINAL, FORWARDED] {
        let ask = async |query: &str, path: &str| {
            let target = format!("{path}?{query}");
            let headers = [(family[0], "GET"), (family[1], target.as_str())];
            let path = format!("/auth/verify?{query}");
            api.ask(&path, &headers, Some(&token)).await
        };
        // The table alone would allow all of these.
        for path in ["/v1/health", "/v1/regions", "/v1/apps", &website] {
            let answer = ask("scope=app:deploy", path).await;
            assert_lacks(&answer, "app:deploy", path);
            assert_yes(&ask("scope=app:read", path).await, path);
            let elsewhere = ask("organization=elsewhere", path).await;
            assert_forbidden(&elsewhere, path);
        }
        // A query that the proxy cannot have meant is denied as without the guess.
        for query in ["scope=app:read&page=2", "scope=app:read&scope=app:read"] {
            assert_forbidden(&ask(query, "/v1/apps").await, query);
        }
        for path in ["/v1/health", "/v1/regions", &website] {
            let answer = ask("organization=acme", path).await;
            assert_yes(&answer, path);
            let organization = super::header(&answer, "x-auth-organization-id");
            assert_eq!(organization, Some(api.acme.id.as_str()), "{path}");
        }
    }
}

/// A token that reaches two organizations must not get the identity headers of either.
#[actix_web::test]
async fn query_and_table_must_not_name_two_organizations() {
    let api = Api::start().await;
    api.test
        .add_member(&api.elsewhere, &api.ada, Role::Owner)
        .await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let path = format!("/v1/projects/{}", api.website.id);
    for (organization, is_allowed) in [("acme", true), ("elsewhere", false)] {
        let target = format!("{path}?organization={organization}");
        let headers = [(ORIGINAL[0], "GET"), (ORIGINAL[1], target.as_str())];
        let path = format!("/auth/verify?organization={organization}");
        let answer = api.ask(&path, &headers, Some(&token)).await;
        match is_allowed {
            true => assert_yes(&answer, organization),
            false => assert_forbidden(&answer, organization),
        }
    }
}

/// Caddy without the question mark in its configuration forwards the client's own query, which
/// must not allow anything.
#[actix_web::test]
async fn clients_own_query_allows_nothing() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let deploys = format!("/v1/projects/{}/deploys", api.website.id);
    for query in [
        "scope=app:read",
        "scope=app%3Aread",
        "page=2",
        "organization=acme",
        "%zz",
    ] {
        for family in [ORIGINAL, FORWARDED] {
            let ask = async |method, path: &str| {
                let target = format!("{path}?{query}");
                let headers = [(family[0], method), (family[1], target.as_str())];
                let path = format!("/auth/verify?{query}");
                api.ask(&path, &headers, Some(&token)).await
            };
            assert_yes(&ask("GET", "/v1/apps").await, query);
            assert_lacks(&ask("POST", &deploys).await, "app:deploy", query);
            assert_forbidden(&ask("GET", "/v1/status").await, query);
            assert_forbidden(&ask("GET", "/v1/unnamed").await, query);
        }
    }
    // A proxy that drops, reorders or encodes parameters hides nothing either.
    for (query, target) in [
        ("scope=app:read", "/v1/status?scope=app:read&x=%zz"),
        ("scope=app:read", "/v1/status?x;scope=app:read"),
        ("scope=app%3Aread", "/v1/status?scope=app:read"),
        (
            "organization=acme&scope=app:read",
            "/v1/status?scope=app:read&organization=acme",
        ),
    ] {
        let headers = [(FORWARDED[0], "GET"), (FORWARDED[1], target)];
        let path = format!("/auth/verify?{query}");
        let answer = api.ask(&path, &headers, Some(&token)).await;
        assert_forbidden(&answer, target);
    }
}

#[actix_web::test]
async fn every_method_is_accepted_and_no_body_is_read() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "PROPFIND",
        "get", "M-SEARCH",
    ] {
        let named = Method::from_bytes(method.as_bytes()).unwrap();
        let path = "/auth/verify?scope=app:read";
        let answer = api.send(named.clone(), path, &[], Some(&token)).await;
        assert_yes(&answer, method);
        assert_eq!(answer.body, serde_json::Value::Null, "{method}");
        let answer = api.send(named, path, &[], None).await;
        assert_eq!(answer.status, 401, "{method}");
    }
    for (kind, body) in [
        ("application/json", "{".repeat(100)),
        (
            "application/x-www-form-urlencoded",
            "scope=app:deploy&%zz".to_owned(),
        ),
        ("multipart/form-data", "x".repeat(100)),
        ("no/such; type=\"", "x".repeat(2_000_000)),
    ] {
        let request = api
            .test
            .anon()
            .post(api.test.at("/auth/verify?scope=app:read"))
            .bearer_auth(&token)
            .header("content-type", kind)
            .body(body);
        assert_eq!(request.send().await.unwrap().status(), 204, "{kind}");
    }
    // The other endpoints still list their methods.
    let answer = api.send(Method::GET, "/auth/introspect", &[], None).await;
    assert_eq!((answer.status, header(&answer)), (405, "POST"));
    for path in ["/auth/verifyx", "/auth/verify.json"] {
        let answer = api.ask(path, &[], Some(&token)).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}

fn header(answer: &crate::support::device::Answer) -> &str {
    super::header(answer, "allow").unwrap()
}
