//! No request scans what grows: the plan of each statement on the paths of requests.

use crate::statements;
use crate::support::database::Database;
use crate::support::device::GRANT;
use crate::support::tenant::{input, text_of};
use crate::support::{API, CLI, EMAIL, OPERATOR, PASSWORD, TestApp};
use std::collections::BTreeSet;

/// Tables that grow with users, organizations, tokens or requests.
const GROWING: [&str; 20] = [
    "users",
    "session",
    "account_link",
    "organization",
    "membership",
    "invitation",
    "project",
    "project_member",
    "client",
    "token",
    "policy_grace",
    "rotation_request",
    "device_grant",
    "device_count",
    "throttle",
    "idempotency_record",
    "sealed_text",
    "audit_event",
    "audit_record",
    "token_use",
];

/// Scans that end soon for another reason than [`is_first_rows`]: the statement, and the reason.
const BOUNDED: [(&str, &str); 2] = [
    (
        "SELECT EXISTS (SELECT `users`.`id` FROM `users`)",
        "ends at the first row",
    ),
    (
        "FROM `organization` WHERE (`organization`.`deleted_at` IS NULL) ORDER BY",
        "a page in the order of an index, without the few deleted ones",
    ),
];

/// The paths of the API that every caller can read.
const LISTS: [&str; 9] = [
    "/v1/me",
    "/v1/me/descendants",
    "/v1/scopes",
    "/v1/tokens",
    "/v1/orgs",
    "/v1/projects",
    "/v1/audit",
    "/v1/audit/uses",
    "/v1/tokens?limit=2&q=nothing",
];

/// Pages of a user.
const PAGES: [&str; 7] = [
    "/",
    "/tokens",
    "/tokens/new",
    "/devices",
    "/account",
    "/account/security",
    "/device",
];

/// Sends requests of each kind that callers send often.
async fn send_requests(test: &TestApp) {
    let device = test.device("tokens:read").await;
    let denied = test.device("tokens:read").await;
    let mut browser = test.user().await;
    for _ in 0..2 {
        test.poll(&device).await;
    }
    let consent = browser.type_code(&denied.user_code).await;
    browser.decide(&consent, "deny", &[]).await;
    browser.approve(&device.user_code, &["tokens:read"]).await;
    for device in [&denied, &device, &device] {
        test.poll(device).await;
    }
    let unknown = [
        ("grant_type", GRANT),
        ("client_id", CLI),
        ("device_code", "x"),
    ];
    test.oauth("/auth/device/token", &unknown).await;

    let owner = test.caller("grace@example.com").await;
    let organization = test.organization(&owner, "Tenant").await;
    let project = test.project(&organization, "Project").await;
    test.add_to(&project, &owner).await;
    let scopes = [
        "audit:read",
        "orgs:read",
        "projects:read",
        "tokens:read",
        "tokens:write",
    ];
    let token = test.token_of(&owner, input(&scopes)).await;
    let token = text_of(&token);
    let shared = input(&["tokens:read"]);
    let shared = test.organization_token(&organization, shared).await;
    for text in [token, text_of(&shared), OPERATOR] {
        for query in [
            "scope=tokens:read".to_owned(),
            format!("scope=tokens:read&organization={}", organization.slug),
            format!("scope=tokens:read&project={}", project.id),
        ] {
            let verify = test.at(&format!("/auth/verify?{query}"));
            test.anon()
                .get(verify)
                .bearer_auth(text)
                .send()
                .await
                .unwrap();
        }
        for path in LISTS {
            let request = test.anon().get(test.at(path)).bearer_auth(text);
            request.send().await.unwrap();
        }
    }
    for name in ["organization", "project"] {
        let id = match name {
            "organization" => organization.id.to_string(),
            _ => project.id.to_string(),
        };
        let form = [
            ("client_id", API),
            ("client_secret", test.api_secret.as_str()),
            ("token", token),
            (name, id.as_str()),
        ];
        test.oauth("/auth/introspect", &form).await;
    }
    test.introspect(token).await;
    for path in PAGES {
        browser.get(path).await;
    }
    for part in [
        "",
        "/settings/api-tokens",
        "/members",
        "/projects",
        "/audit",
    ] {
        browser.get(&format!("/o/acme{part}")).await;
    }
    test.browser().try_sign_in(EMAIL, "wrong").await;
    test.browser().try_sign_in(EMAIL, PASSWORD).await;
    test.oauth("/auth/revoke", &[("client_id", CLI), ("token", token)])
        .await;
    test.anon().get(test.at("/readyz")).send().await.unwrap();
    test.settle().await;
}

/// The step of a plan that scans a growing table, if any.
fn find_scan(plan: &str) -> Option<&str> {
    plan.lines().find(|step| {
        let scanned = step.strip_prefix("SCAN ");
        let table = scanned.and_then(|scanned| scanned.split(' ').next());
        table.is_some_and(|table| GROWING.contains(&table))
    })
}

/// Whether a statement reads the first rows of an index, and no others: it has a limit, no
/// condition, and sorts nothing.
fn is_first_rows(sql: &str, plan: &str) -> bool {
    let is_sorted = plan.lines().any(|step| step.starts_with("USE TEMP B-TREE"));
    sql.ends_with("LIMIT ?") && !sql.contains(" WHERE ") && plan.contains(" INDEX ") && !is_sorted
}

#[actix_web::test]
async fn no_statement_of_a_request_scans_a_growing_table() {
    if Database::is_postgres() {
        // The statements are the same, and so are the indexes; only SQLite shows what runs.
        return;
    }
    statements::observe();
    let test = TestApp::start().await;
    let ((), seen) = statements::during(&test.database, send_requests(&test)).await;
    let reads = |sql: &str| {
        ["SELECT", "UPDATE", "DELETE", "INSERT"]
            .iter()
            .any(|verb| sql.starts_with(verb))
    };
    let seen: BTreeSet<_> = seen.into_iter().filter(|sql| reads(sql)).collect();
    // The requests reach most of what the store can do.
    assert!(seen.len() > 80, "{}", seen.len());
    let is_bounded = |sql: &str| BOUNDED.iter().any(|(part, _)| sql.contains(part));
    let mut scans = Vec::new();
    for sql in &seen {
        let plan = test.database.plan(sql);
        let is_fine = is_bounded(sql) || is_first_rows(sql, &plan);
        if let Some(step) = find_scan(&plan).filter(|_| !is_fine) {
            scans.push(format!("{step}\n    {sql}"));
        }
    }
    assert!(scans.is_empty(), "{}", scans.join("\n"));
}

/// The check finds what it looks for.
#[actix_web::test]
async fn a_scan_of_a_growing_table_is_found() {
    let test = TestApp::start().await;
    if Database::is_postgres() {
        return;
    }
    for (sql, is_scan) in [
        ("SELECT * FROM token WHERE name = ?", true),
        ("SELECT count(*) FROM device_grant WHERE state = ?", true),
        ("DELETE FROM session WHERE address = ?", true),
        ("SELECT * FROM token WHERE id = ?", false),
        ("SELECT * FROM audit_head", false),
        ("SELECT * FROM token ORDER BY name LIMIT ?", true),
        (
            "SELECT * FROM token WHERE name = ? ORDER BY created_at LIMIT ?",
            true,
        ),
        ("SELECT * FROM token ORDER BY created_at LIMIT ?", false),
    ] {
        let plan = test.database.plan(sql);
        let found = find_scan(&plan).filter(|_| !is_first_rows(sql, &plan));
        assert_eq!(found.is_some(), is_scan, "{sql}: {plan}");
    }
}
