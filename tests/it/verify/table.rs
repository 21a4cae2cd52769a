//! The proxy names the request, and the route table of the configuration decides.

use super::{
    Api, FORWARDED, ORIGINAL, assert_dead, assert_forbidden, assert_lacks, assert_no, assert_yes,
};
use crate::support::OPERATOR;

#[actix_web::test]
async fn route_requires_its_scope() {
    let api = Api::start().await;
    let reader = api.token(&api.ada, &["app:read"]).await;
    let deployer = api.token(&api.ada, &["app:deploy"]).await;
    let bare = api.token(&api.ada, &[]).await;
    let project = format!("/v1/projects/{}", api.website.id);
    let deploys = format!("{project}/deploys");
    let usage = format!("/v1/organizations/{}/usage", api.acme.id);
    for family in [ORIGINAL, FORWARDED] {
        for (asked, token, lacking) in [
            (("GET", "/v1/apps"), &reader, None),
            (("HEAD", "/v1/apps"), &reader, None),
            (("GET", "/v1/apps?page=2&scope=x"), &reader, None),
            (("GET", "/v1/apps"), &deployer, Some("app:read")),
            (("GET", "/v1/apps"), &bare, Some("app:read")),
            (("GET", &project), &reader, None),
            (("GET", &usage), &reader, None),
            (("GET", &usage), &bare, Some("app:read")),
            (("POST", &deploys), &deployer, None),
            (("POST", &deploys), &reader, Some("app:deploy")),
            (("GET", "/v1/regions"), &bare, None),
            (("PURGE", "/v1/cache"), &bare, None),
        ] {
            let about = format!("{asked:?} {family:?}");
            let answer = api.named(family, asked, Some(token)).await;
            match lacking {
                None => assert_yes(&answer, &about),
                Some(scope) => assert_lacks(&answer, scope, &about),
            }
            assert_no(&api.named(family, asked, None).await, 401, "", &about);
            assert_dead(&api.named(family, asked, Some("x")).await, &about);
            assert_yes(&api.named(family, asked, Some(OPERATOR)).await, &about);
        }
    }
}

#[actix_web::test]
async fn operator_route_is_only_for_the_operator() {
    let api = Api::start().await;
    let token = api
        .token(&api.ada, &["app:read", "app:deploy", "orgs:write"])
        .await;
    for method in ["GET", "POST", "DELETE", "PURGE"] {
        for path in ["/v1/status", "/v1/databases", "/v1/databases/db_1/backups"] {
            let asked = (method, path);
            assert_forbidden(&api.route(asked, &token).await, path);
            assert_no(&api.named(ORIGINAL, asked, None).await, 401, "", path);
            assert_dead(&api.route(asked, "x").await, path);
            assert_yes(&api.route(asked, OPERATOR).await, path);
        }
    }
    // Only from the operator's networks.
    let elsewhere = Api::with(
        "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[operator]\nnetworks = [\"10.0.0.0/8\"]\n",
    )
    .await;
    for (from, status) in [("10.1.2.3", 204), ("203.0.113.9", 401)] {
        let headers = [
            (ORIGINAL[0], "GET"),
            (ORIGINAL[1], "/v1/status"),
            ("x-forwarded-for", from),
        ];
        let answer = elsewhere
            .ask("/auth/verify", &headers, Some(OPERATOR))
            .await;
        assert_eq!(answer.status, status, "{from}");
    }
}

#[actix_web::test]
async fn public_route_needs_no_token_and_identifies_a_known_caller() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &[]).await;
    for asked in [
        ("GET", "/v1/health"),
        ("HEAD", "/v1/health"),
        ("OPTIONS", "/v1/any/thing"),
    ] {
        let known = api.route(asked, &token).await;
        assert_yes(&known, asked.1);
        assert!(known.headers.contains_key("x-auth-user-id"));
        assert_yes(&api.route(asked, OPERATOR).await, asked.1);
        for nobody in [
            api.named(ORIGINAL, asked, None).await,
            api.route(asked, "x").await,
            api.route(asked, &format!("{token}0")).await,
            api.route(asked, "a b").await,
        ] {
            assert_yes(&nobody, asked.1);
            assert!(
                !nobody
                    .headers
                    .keys()
                    .any(|name| name.as_str().starts_with("x-auth-"))
            );
        }
    }
    assert_forbidden(
        &api.route(("POST", "/v1/health"), &token).await,
        "another method",
    );
}

#[actix_web::test]
async fn route_missing_in_the_table_is_denied_for_every_caller() {
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read", "app:deploy"]).await;
    for asked in [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/unnamed"),
        ("DELETE", "/v1/apps"),
        ("GET", "/v1/apps/app_1"),
        ("GET", "/v1/statu"),
        ("GET", "/auth/verify"),
    ] {
        for known in [token.as_str(), OPERATOR] {
            assert_forbidden(&api.route(asked, known).await, asked.1);
        }
        assert_no(&api.named(ORIGINAL, asked, None).await, 401, "", asked.1);
        assert_dead(&api.route(asked, "x").await, asked.1);
    }
}

/// The headers of ingress-nginx.
#[actix_web::test]
async fn original_url_names_the_target() {
    const URL: &str = "x-original-url";
    let api = Api::start().await;
    let token = api.token(&api.ada, &["app:read"]).await;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let headers = [&[(ORIGINAL[0], "GET")], headers].concat();
        api.ask(path, &headers, Some(&token)).await
    };
    for url in [
        "https://api.example.com/v1/apps?x=1",
        "http://api.example.com:8080/v1/apps?x=1",
        "/v1/apps?x=1",
    ] {
        for path in ["/auth/verify", "/auth/verify?scope=app:read"] {
            assert_yes(&ask(path, &[(URL, url)]).await, url);
        }
        let both = [(ORIGINAL[1], "/v1/apps?x=1"), (URL, url)];
        assert_yes(&ask("/auth/verify", &both).await, url);
        let forwarded = [
            (URL, url),
            (FORWARDED[0], "GET"),
            (FORWARDED[1], "/v1/apps?x=1"),
        ];
        assert_yes(&ask("/auth/verify", &forwarded).await, url);
    }
    let apps = "https://api.example.com/v1/apps";
    for denied in [
        &[(URL, "https://api.example.com/v1/status")][..],
        &[(URL, "https://a?/v1/apps")],
        &[(URL, "https://api.example.com")],
        &[(URL, "")],
        &[(URL, apps), (URL, apps)],
        &[(ORIGINAL[1], "/v1/regions"), (URL, apps)],
        &[
            (ORIGINAL[1], "/v1/apps"),
            (URL, "https://api.example.com/v1/regions"),
        ],
        &[(ORIGINAL[1], "/v1/apps?x=1"), (URL, apps)],
        &[
            (URL, apps),
            (FORWARDED[0], "GET"),
            (FORWARDED[1], "/v1/regions"),
        ],
    ] {
        let answer = ask("/auth/verify", denied).await;
        assert_forbidden(&answer, &format!("{denied:?}"));
    }
}

/// A server without a table allows no request by it.
#[actix_web::test]
async fn empty_table_denies() {
    let test = crate::support::TestApp::start().await;
    for path in ["/auth/verify", "/auth/verify/v1/apps"] {
        let request = test.anon().get(test.at(path)).bearer_auth(OPERATOR);
        let request = request
            .header(ORIGINAL[0], "GET")
            .header(ORIGINAL[1], "/v1/apps");
        assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
    }
}
