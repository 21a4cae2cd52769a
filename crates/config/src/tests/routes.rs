//! `[[scopes]]` and `[[routes]]`.

use super::*;
use domain::role::Role;
use domain::route::{Access, AccessRule};
use domain::scope::ScopeName;

#[test]
fn the_example_of_the_documentation_is_read() {
    let config = from_file(
        r#"
[server]
listen = "127.0.0.1:8080"          # 0.0.0.0 opens it to the network
public_url = "http://127.0.0.1:8080"
trusted_proxies = []               # whose X-Forwarded-For is believed
[database]
url = "sqlite:data/doorcode.db"
[branding]
name = "Doorcode"
[tokens]
prefix = "dc"
default_expiry = "90d"
max_expiry = "never"
[device]
code_lifetime = "10m"
interval = "5s"
[operator]
token_file = "data/operator_token"
actor_header = "X-Actor-User-Id"
[[scopes]]
name = "app:deploy"
description = "Deploy builds and roll back"
min_role = "member"
[[routes]]
match = "POST /v1/projects/{project}/deploys"
scope = "app:deploy"
[[routes]]
match = "* /v1/status"
operator = true
"#,
    )
    .unwrap();
    assert_eq!(config.server.public_url, PublicUrl::default());
    assert_eq!(config.tokens.max_expiry, Lifetime::Never);
    assert_eq!(config.device.interval, duration::SECOND * 5);
    let scope = config.scopes.iter().find(|scope| scope.min_role.is_some());
    assert_eq!(scope.unwrap().description, "Deploy builds and roll back");
    let (route, access_rule) = config.routes.find("GET", "/v1/status").unwrap();
    assert_eq!(route.pattern.to_string(), "* /v1/status");
    assert_eq!(access_rule, AccessRule::Operator);
}

#[test]
fn each_access_rule_of_a_route_has_its_key() {
    let text = r#"
[[routes]]
match = "GET /health"
public = true
[[routes]]
match = "GET /v1/scopes"
authenticated = true
[[routes]]
match = "* /v1/status"
operator = true
[[routes]]
match = "* /v1/orgs/{organization}/**"
scope = "orgs:read"
idempotency_key = true
max_age = "5m"
[[routes]]
match = "GET /v1/servers/"
role = "admin"
"#;
    let config = from_file(text).unwrap();
    let written = config.describe().replace("\n\n[[routes]]", "\n[[routes]]");
    assert!(written.ends_with(&text[1..]), "{written}");
    let accesses: Vec<_> = config.routes.iter().map(|route| &route.access).collect();
    let scope = ScopeName::parse("orgs:read");
    assert_eq!(
        accesses,
        [
            &Access::Public,
            &Access::Token(None),
            &Access::Operator,
            &Access::Token(scope),
            &Access::Role(Role::Admin)
        ]
    );
    let demanding: Vec<_> = config
        .routes
        .iter()
        .map(|route| route.idempotency_key)
        .collect();
    assert_eq!(demanding, [false, false, false, true, false]);
    let ages = config.routes.iter().filter_map(|route| route.max_age);
    assert_eq!(ages.collect::<Vec<_>>(), [duration::MINUTE * 5]);
    assert_eq!(from_file("routes = []").unwrap().routes.iter().count(), 0);
}
