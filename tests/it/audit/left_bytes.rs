//! How much each kind of unauthenticated request leaves in the database, in records and in the log,
//! as `docs/explanation/security-model.md` promises.

use super::floods::total;
use crate::support::browser::Browser;
use crate::support::database::{AUDIT, Database};
use crate::support::{CLI, TestApp, http, log};
use crate::throttle::BEHIND_PROXY;
use doorcode::app::client::Kind;
use doorcode::app::sweep;
use reqwest::RequestBuilder;
use std::ops::Range;

/// Requests of each kind. All come at the same time by the clock of the server.
const REQUESTS: u32 = 300;

/// Bytes for each request, at most, when so many come at once. Further ones leave less.
pub const PROMISED: [(&str, i64); 8] = [
    ("Invented token", 100),
    ("Revoked or expired token", 60),
    ("Unknown path", 0),
    ("Form without CSRF token, random organization", 100),
    ("Wrong client secret, random source", 250),
    ("Invented client, random source", 100),
    ("Failing sign-in, random user and source", 500),
    ("Device code that no user looks at, random source", 700),
];

/// Bytes that the database holds, without free pages.
fn stored(test: &TestApp) -> i64 {
    let sql = match Database::is_postgres() {
        true => {
            "SELECT CAST(SUM(pg_total_relation_size(oid)) AS TEXT) FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        }
        false => {
            "SELECT CAST((page_count - freelist_count) * page_size AS TEXT)
             FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        }
    };
    test.database.text(sql).parse().unwrap()
}

/// A source of its own for each number, in a network of its own.
fn source(n: u32) -> String {
    format!("2001:db8:{n:x}:1::1")
}

/// A request of a kind to a server.
fn request(url: &str, kind: &str, n: u32, revoked: &str) -> RequestBuilder {
    let at = |path: &str| format!("{url}{path}");
    let post = |path: &str, form: &[(&str, &str)]| http().post(at(path)).form(form);
    let get = |path: &str| http().get(at(path));
    let request = match kind {
        "Invented token" => get("/v1/me").bearer_auth("dc_unknown"),
        "Revoked or expired token" => get("/v1/me").bearer_auth(revoked),
        "Unknown path" => get(&format!("/{}", "x".repeat(4_000))),
        "Form without CSRF token, random organization" => {
            post(&format!("/o/org{n}/projects/new"), &[("name", "x")])
        }
        "Wrong client secret, random source" => {
            let form = [
                ("client_id", "reports"),
                ("client_secret", "x"),
                ("token", "x"),
            ];
            post("/auth/introspect", &form)
        }
        "Invented client, random source" => {
            let client_id = format!("client{n}");
            post("/auth/device", &[("client_id", &client_id)])
        }
        "Failing sign-in, random user and source" => unreachable!("needs a form of the browser"),
        _ => post("/auth/device", &[("client_id", CLI)]),
    };
    request.header("x-forwarded-for", source(n))
}

/// Sends requests of a kind with these numbers, each from a source of its own.
pub async fn send(url: &str, kind: &str, numbers: Range<u32>, revoked: &str) {
    if kind.starts_with("Failing sign-in") {
        let mut browser = Browser::new(url);
        browser.get("/login").await;
        for n in numbers {
            browser.set_header("x-forwarded-for", &source(n));
            let email = format!("nobody{n}@example.com");
            let fields = [("email", email.as_str()), ("password", "yellow anvil")];
            assert_eq!(browser.post("/login", &fields).await.status, 401);
        }
        return;
    }
    for n in numbers {
        let answer = request(url, kind, n, revoked).send().await.unwrap();
        let status = answer.status().as_u16();
        let is_expected = match kind.starts_with("Device code") {
            true => status == 200,
            false => matches!(status, 400..=404),
        };
        assert!(is_expected, "{kind}: {status}");
    }
}

#[actix_web::test]
async fn each_kind_of_request_leaves_no_more_than_promised() {
    let documented = include_str!("../../../docs/explanation/security-model.md");
    for (kind, promised) in PROMISED {
        let row = format!("| {kind} | {promised} |");
        assert!(documented.contains(&row), "the page lacks: {row}");

        let test = TestApp::with(BEHIND_PROXY).await;
        test.add_client("reports", Kind::Confidential, &["tokens:read"])
            .await;
        let revoked = test.token(&["tokens:read"]).await;
        test.database.execute(
            "UPDATE token SET revoked_at = created_at, revoked_by = 'x', revoked_reason = 'owner'",
        );
        test.settle().await;
        let (bytes, records) = (stored(&test), test.count(AUDIT, "1 = 1"));
        send(&test.url, kind, 0..REQUESTS, &revoked).await;
        test.settle().await;
        if kind.starts_with("Device code") {
            // Two lifetimes later the codes are deleted.
            test.clock.advance(600);
            sweep::purge(&test.app).await.unwrap();
            test.clock.advance(601);
            sweep::purge(&test.app).await.unwrap();
            test.settle().await;
            assert_eq!(total(&test, "device.expired"), u64::from(REQUESTS));
        }
        let left = (stored(&test) - bytes) / i64::from(REQUESTS);
        let records = test.count(AUDIT, "1 = 1") - records;
        eprintln!("{kind}: {left} B, {records} records of {REQUESTS} requests");
        assert!(records <= 2 * 51 + 101, "{kind}: {records}");
        // PostgreSQL keeps the space of deleted rows until it cleans up.
        assert!(
            Database::is_postgres() || left <= promised,
            "{kind}: {left} B"
        );
    }
}

/// The log of a flood is bounded as well, and says what it left out.
#[actix_web::test]
async fn log_lines_of_strangers_are_limited() {
    let test = TestApp::start().await;
    let (token, mark) = (test.token(&["tokens:read"]).await, log::Mark::now());
    let started = std::time::Instant::now();
    const FLOOD: usize = 1_500;
    for _ in 0..FLOOD {
        assert_eq!(test.me("dc_unknown").await.status(), 401);
    }
    for _ in 0..20 {
        assert_eq!(test.me(&token).await.status(), 200);
    }
    let log = String::from_utf8(mark.since()).unwrap();
    let lines = |status: &str| {
        let lines = log.lines().filter(|line| line.contains("\"request\""));
        lines.filter(|line| line.contains(status)).count()
    };
    let allowed = 1_000 + 10 * (started.elapsed().as_secs() as usize + 1);
    let refused = lines("\"status\":401");
    assert!((900..=allowed.min(FLOOD)).contains(&refused), "{refused}");
    // Requests of known callers are all logged.
    assert_eq!(lines("\"status\":200"), 20);
}
