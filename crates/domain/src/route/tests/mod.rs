//! The route table: matching of requests and parsing of patterns.

use super::*;
use proptest::prelude::*;

fn route(pattern: &str, access: Access) -> Route {
    let pattern = Pattern::parse(pattern).unwrap();
    Route {
        pattern,
        access,
        organization: None,
        idempotency_key: false,
        max_age: None,
    }
}

fn scope(name: &str) -> Access {
    Access::Token(ScopeName::parse(name))
}

/// A table of routes, each with a scope named after its position.
fn numbered(patterns: &[&str]) -> RouteTable {
    let name = |at: usize| scope(&format!("scope:{at}"));
    let routes = patterns.iter().enumerate();
    RouteTable::new(routes.map(|(at, text)| route(text, name(at))).collect())
}

/// The access rule of a request.
fn access_rule(table: &RouteTable, method: &str, target: &str) -> Option<AccessRule> {
    table
        .find(method, target)
        .map(|(_, access_rule)| access_rule)
}

/// The position of the route that matches a request.
fn found(table: &RouteTable, method: &str, target: &str) -> Option<usize> {
    match access_rule(table, method, target)? {
        AccessRule::Token { scope, .. } => scope?.as_str().strip_prefix("scope:")?.parse().ok(),
        AccessRule::Public | AccessRule::Operator => None,
    }
}

#[test]
fn a_request_gets_the_access_rule_of_its_route() {
    let table = RouteTable::new(vec![
        route("GET /health", Access::Public),
        route("* /v1/status", Access::Operator),
        route("GET /v1/scopes", Access::Token(None)),
        route("POST /v1/projects/{project}/deploys", scope("app:deploy")),
        route("* /v1/orgs/{organization}/**", scope("orgs:read")),
        route("GET /v1/projects", scope("project:read")),
    ]);
    let token = |name: Option<&str>, resource| {
        let scope = name.and_then(ScopeName::parse);
        Some(AccessRule::Token {
            scope,
            role: None,
            resource,
            max_age: None,
        })
    };
    let project = |id: &str| Some(RouteResource::Project(id.to_owned()));
    let organization = |id: &str| Some(RouteResource::Organization(id.to_owned()));
    for (method, target, expected) in [
        ("GET", "/health", Some(AccessRule::Public)),
        ("HEAD", "/health?deep=1", Some(AccessRule::Public)),
        ("POST", "/health", None),
        ("PURGE", "/v1/status", Some(AccessRule::Operator)),
        ("GET", "/v1/scopes", token(None, None)),
        ("GET", "/v1/projects", token(Some("project:read"), None)),
        (
            "POST",
            "/v1/projects/prj_1/deploys",
            token(Some("app:deploy"), project("prj_1")),
        ),
        (
            "POST",
            "/v1/projects/prj%5f1/deploys?project=prj_2",
            token(Some("app:deploy"), project("prj_1")),
        ),
        (
            "DELETE",
            "/v1/orgs/acme%20ltd",
            token(Some("orgs:read"), organization("acme ltd")),
        ),
        (
            "GET",
            "/v1/orgs/acme/a/b",
            token(Some("orgs:read"), organization("acme")),
        ),
        ("GET", "/v1/orgs", None),
        ("GET", "/v1/unnamed", None),
    ] {
        assert_eq!(
            access_rule(&table, method, target),
            expected,
            "{method} {target}"
        );
    }
    assert_eq!(access_rule(&RouteTable::default(), "GET", "/"), None);
}

#[test]
fn the_first_route_that_matches_decides() {
    let table = numbered(&[
        "GET /",
        "GET /a/b",
        "POST /a/{id}",
        "* /a/{id}",
        "HEAD /c",
        "GET /c",
        "OPTIONS /**",
        "DELETE /d/**",
    ]);
    for (method, target, expected) in [
        ("GET", "/", Some(0)),
        ("HEAD", "/", Some(0)),
        ("GET", "/?a=b", Some(0)),
        ("GET", "/a/b", Some(1)),
        ("POST", "/a/b", Some(2)),
        ("GET", "/a/c", Some(3)),
        ("M-SEARCH", "/a/c", Some(3)),
        ("get", "/a/c", Some(3)),
        ("HEAD", "/c", Some(4)),
        ("GET", "/c", Some(5)),
        ("OPTIONS", "/", Some(6)),
        ("OPTIONS", "/a/b/c/d", Some(6)),
        ("DELETE", "/d", Some(7)),
        ("DELETE", "/d/e/f", Some(7)),
        ("DELETE", "/dd", None),
        ("GET", "/a", None),
        ("GET", "/a/b/c", None),
        ("PUT", "/", None),
    ] {
        assert_eq!(found(&table, method, target), expected, "{method} {target}");
    }
}

/// The route `/v1/admin` is stricter than its neighbours; no other spelling of it may match one
/// of them.
#[test]
fn ambiguous_requests_match_no_route() {
    let table = numbered(&[
        "GET /v1/admin",
        "GET /v1/run:all",
        "* /v1/{id}",
        "* /public/**",
    ]);
    assert_eq!(found(&table, "GET", "/v1/%61dmi%6E"), Some(0));
    assert_eq!(found(&table, "GET", "/v1/run:all"), Some(1));
    assert_eq!(found(&table, "GET", "/v1/run%3Aone"), Some(2));
    for (method, target) in [
        ("GET", "/v1/Admin"),
        ("GET", "/v1/%41dmin"),
        ("get", "/v1/admin"),
        ("Head", "/v1/admin"),
        ("GET", "/V1/x"),
        ("GET", "/v1/run%3Aall"),
        ("GET", "/v1/run%3aALL"),
        // Full-width letters, dots and slashes.
        ("GET", "/v1/%EF%BD%81dmin"),
        ("GET", "/v1/%EF%BC%A1%EF%BD%84min"),
        ("GET", "/public/%EF%BC%8E%EF%BC%8E%EF%BC%8Fv1%EF%BC%8Fadmin"),
        ("GET", "/public/..%ef%bc%8fv1"),
        ("GET", "/v1/admin/"),
        ("GET", "/v1//admin"),
        ("GET", "/v1/admin;x"),
        ("GET", "/v1%2Fadmin"),
        ("GET", "/public/../v1/admin"),
        ("GET", "/public/%2e%2E/v1/admin"),
        ("GET", "/public/..%2fv1/admin"),
        ("GET", "/public\\..\\v1\\admin"),
        ("GET", "/public/#/../../v1/admin"),
        ("GET", "http://api.example.com/public/x"),
        ("GET", "//public/x"),
        ("GET", "*"),
        ("", "/v1/x"),
        ("GET ", "/v1/x"),
        ("GET, POST", "/v1/x"),
        ("G\u{c9}T", "/v1/x"),
    ] {
        assert_eq!(
            access_rule(&table, method, target),
            None,
            "{method} {target}"
        );
    }
}

#[test]
fn a_pattern_is_a_method_and_a_path() {
    for text in [
        "GET /",
        "* /**",
        "M-SEARCH /a",
        "GET /v1/projects/{project}",
        "GET /{a}/{a}/{project_id_2}/x",
        "POST /v1/scans:cancel/a.b-c_d~e",
    ] {
        assert_eq!(Pattern::parse(text).unwrap().to_string(), text);
    }
    for (text, reason) in [
        ("", "has no path"),
        ("/v1", "has no path"),
        ("GET", "has no path"),
        ("get /v1", "no method in capital letters"),
        ("GET,POST /v1", "no method in capital letters"),
        (" /v1", "no method in capital letters"),
        ("GET  /v1", "does not begin with /"),
        ("GET v1", "does not begin with /"),
        ("GET http://api/v1", "does not begin with /"),
        ("GET //", "the segment \"\""),
        ("GET /v1//x", "the segment \"\""),
        ("GET /v1/..", "the segment \"..\""),
        ("GET /v1/%61", "the segment \"%61\""),
        ("GET /v1/a b", "the segment \"a b\""),
        ("GET /v1/é", "the segment \"é\""),
        ("GET /v1/a;b", "the segment \"a;b\""),
        ("GET /v1?a=b", "the segment \"v1?a=b\""),
        ("GET /v1#a", "the segment \"v1#a\""),
        ("GET /v1/*", "the segment \"*\""),
        ("GET /v1/a**", "the segment \"a**\""),
        ("GET /v1/{}", "the segment \"{}\""),
        ("GET /v1/{Id}", "the segment \"{Id}\""),
        ("GET /v1/{id", "the segment \"{id\""),
        ("GET /v1/x{id}", "the segment \"x{id}\""),
        ("GET /**/x", "has ** before the end"),
        ("GET /{project}/{project}", "more than one resource"),
        ("GET /{organization}/{project}", "more than one resource"),
    ] {
        let message = Pattern::parse(text).unwrap_err().message;
        assert!(message.contains(reason), "{text:?}: {message}");
    }
}

#[test]
fn a_pattern_covers_those_that_never_match_after_it() {
    let covers = |first: &str, later: &str| {
        let [first, later] = [first, later].map(|text| Pattern::parse(text).unwrap());
        first.covers(&later)
    };
    for (first, later) in [
        ("GET /a", "GET /a"),
        ("GET /a", "HEAD /a"),
        ("GET /a", "GET /A"),
        ("* /a", "* /a"),
        ("* /a", "POST /a"),
        ("GET /{id}", "GET /a"),
        ("GET /{id}", "GET /{project}"),
        ("GET /{project}", "GET /{organization}"),
        ("GET /**", "GET /"),
        ("GET /a/**", "GET /a"),
        ("GET /a/**", "GET /a/{id}/**"),
    ] {
        assert!(covers(first, later), "{first} covers {later}");
    }
    for (first, later) in [
        ("GET /a", "* /a"),
        ("GET /a", "POST /a"),
        ("HEAD /a", "GET /a"),
        ("GET /a", "GET /b"),
        ("GET /a", "GET /{id}"),
        ("GET /a", "GET /a/b"),
        ("GET /a/b", "GET /a"),
        ("GET /a", "GET /a/**"),
        ("GET /a/b/**", "GET /a/**"),
        ("GET /{id}/**", "GET /**"),
    ] {
        assert!(!covers(first, later), "{first} does not cover {later}");
    }
}

const PATTERNS: [&str; 6] = [
    "POST /v1/projects/{project}/deploys",
    "GET /v1/{id}/logs",
    "GET /v1/run:all",
    "* /v1/{organization}",
    "* /files/{id}/**",
    "GET /**",
];

/// A path as clients write it, which often matches a pattern.
const PATH: &str =
    "(/(v1|files|projects|deploys|logs|run:all|prj_[a-z0-9]{1,4}|[a-z~.-]{1,3})){0,5}";

/// Percent-encodes each character that `escaped` selects, in lower or upper case.
fn escape(path: &str, escaped: &[(bool, bool)]) -> String {
    let mut choices = escaped.iter().cycle();
    let write = |c: char| match choices.next() {
        Some((true, true)) if c != '/' => format!("%{:02X}", u32::from(c)),
        Some((true, false)) if c != '/' => format!("%{:02x}", u32::from(c)),
        _ => c.to_string(),
    };
    path.chars().map(write).collect()
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>(), method in any::<String>(), target in any::<String>()) {
        let _ = Pattern::parse(&text);
        let _ = Pattern::parse(&format!("GET /{text}"));
        let _ = numbered(&PATTERNS).find(&method, &target);
    }

    #[test]
    fn another_spelling_of_a_path_is_the_same_route_or_none(
        path in PATH,
        escaped in prop::collection::vec(any::<(bool, bool)>(), 1..40),
        is_post: bool,
    ) {
        let table = numbered(&PATTERNS);
        let method = if is_post { "POST" } else { "GET" };
        let plain = access_rule(&table, method, &path);
        let other = access_rule(&table, method, &escape(&path, &escaped));
        prop_assert!(other.is_none() || other == plain, "{:?} {:?}", plain, other);
        if !path.contains(':') {
            prop_assert_eq!(other, plain);
        }
        let query = format!("{path}?{}", escape(&path, &escaped));
        prop_assert_eq!(found(&table, method, &query), found(&table, method, &path));
    }

    #[test]
    fn a_covered_route_never_matches(method in "(GET|POST|HEAD)", path in PATH, first: usize, later: usize) {
        let [first, later] = [first, later].map(|at| PATTERNS[at % PATTERNS.len()]);
        let patterns = [first, later].map(|text| Pattern::parse(text).unwrap());
        if patterns[0].covers(&patterns[1]) {
            prop_assert_ne!(found(&numbered(&[first, later]), &method, &path), Some(1));
        }
    }
}

#[test]
fn a_slash_at_the_end_matches_where_the_pattern_has_one() {
    let table = numbered(&[
        "GET /a/",
        "GET /b",
        "GET /b/",
        "GET /c/{id}/",
        "GET /d/**/",
        "GET /e/**",
    ]);
    for (target, expected) in [
        ("/a", Some(0)),
        ("/a/", Some(0)),
        ("/a/?x=/", Some(0)),
        ("/a//", None),
        ("/b", Some(1)),
        // Servers that ignore the slash serve the first of them.
        ("/b/", None),
        ("/c/1", Some(3)),
        ("/c/1/", Some(3)),
        ("/c/", None),
        ("/d", Some(4)),
        ("/d/", Some(4)),
        ("/d/x/y/", Some(4)),
        ("/e/x", Some(5)),
        ("/e/x/", None),
        ("/e/", None),
    ] {
        assert_eq!(found(&table, "GET", target), expected, "{target}");
    }
    assert_eq!(Pattern::parse("GET /a/").unwrap().to_string(), "GET /a/");
    for wrong in ["GET /a//", "GET //", "GET /**//", "GET /a/**b/"] {
        assert!(Pattern::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_role_is_a_rule_of_its_own() {
    let table = RouteTable::new(vec![route(
        "GET /v1/orgs/{organization}",
        Access::Role(Role::Admin),
    )]);
    let expected = AccessRule::Token {
        scope: None,
        role: Some(Role::Admin),
        resource: Some(RouteResource::Organization("acme".to_owned())),
        max_age: None,
    };
    assert_eq!(access_rule(&table, "GET", "/v1/orgs/acme"), Some(expected));
}
