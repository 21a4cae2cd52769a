//! Rejected requests are counted in records, and cannot fill the log.

use super::{sound, verify};
use crate::support::database::{AUDIT, Database};
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp, http};
use crate::throttle::BEHIND_PROXY;
use doorcode::domain::role::Role;
use serde_json::{Value, json};

/// The only record of an action, without its times.
fn only(test: &TestApp, action: &str) -> Value {
    assert_eq!(test.events(action), 1, "{action}");
    let column = |name: &str| {
        let sql = format!("SELECT COALESCE({name}, '-') FROM {AUDIT} WHERE action = '{action}'");
        test.database.text(&sql)
    };
    let mut detail: Value = serde_json::from_str(&column("detail")).unwrap();
    for moment in ["first_at", "last_at"] {
        let written = detail.as_object_mut().unwrap().remove(moment);
        assert!(written.unwrap().as_str().unwrap().starts_with("20"));
    }
    let columns = ["actor_kind", "actor_id", "organization_id", "address"];
    json!({ "by": columns.map(column), "detail": detail })
}

/// The sum of the counts in all records of an action.
fn sum_of_counts(test: &TestApp, action: &str) -> String {
    let count = match Database::is_postgres() {
        true => "CAST(CAST(detail AS JSON) ->> 'count' AS BIGINT)",
        false => "json_extract(detail, '$.count')",
    };
    test.database.text(&format!(
        "SELECT SUM({count}) FROM {AUDIT} WHERE action = '{action}'"
    ))
}

/// AUD-02: denied authorization. The organization's admins see it.
#[actix_web::test]
async fn denied_page_is_recorded_with_user_and_count() {
    let test = TestApp::start().await;
    let owner = test.caller("owner@example.com").await;
    let organization = test.organization(&owner, "Zenith").await;
    let member = test.caller("member@example.com").await;
    test.add_member(&organization, &member, Role::Member).await;
    let mut browser = test.browser();
    browser.sign_in("member@example.com", PASSWORD).await;
    for _ in 0..3 {
        assert_eq!(browser.get("/o/zenith/audit").await.status, 403);
    }
    assert_eq!(test.events("access.refused"), 0, "written one by one");
    test.settle().await;
    let id = member.user_id().unwrap().as_str();
    assert_eq!(
        only(&test, "access.refused"),
        json!({
            "by": ["user", id, organization.id.as_str(), "127.0.0.1"],
            "detail": {"reason": "forbidden", "route": "GET /o/{org}/audit", "count": 3},
        })
    );
    let mut browser = test.browser();
    browser.sign_in("owner@example.com", PASSWORD).await;
    let page = browser.get("/o/zenith/audit?action=access").await;
    assert!(page.contains("was denied access to"), "{}", page.body);
    sound(&verify(&test).await);
}

/// An invalid name blocks neither its own record nor those of other rejected requests.
#[actix_web::test]
async fn name_that_no_database_accepts_is_rejected_and_recorded() {
    let test = TestApp::start().await;
    let form = http()
        .post(test.at("/o/%00/projects/new"))
        .form(&[("x", "1")]);
    assert_eq!(form.send().await.unwrap().status(), 403);
    let call = |bearer: &str| http().get(test.at("/v1/orgs/%00")).bearer_auth(bearer);
    assert_eq!(call("dc_x").send().await.unwrap().status(), 401);
    assert_eq!(call(OPERATOR).send().await.unwrap().status(), 404);
    let mut browser = test.user().await;
    let nobody = browser.get("/o/nobody").await.status;
    assert_eq!(browser.get("/o/%00").await.status, nobody);
    test.settle().await;
    assert_eq!(test.events("form.refused"), 1);
    let told = "action = 'access.refused' AND detail LIKE '%invalid_token%'";
    assert_eq!(test.count(AUDIT, told), 1);
    sound(&verify(&test).await);
}

/// AUD-02: rejections by the CSRF protection.
#[actix_web::test]
async fn forms_that_fail_csrf_checks_are_recorded() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let mut foreign = browser.clone();
    foreign.set_header("sec-fetch-site", "cross-site");
    let page = foreign.post("/account/name", &[("name", "Eve")]).await;
    assert_eq!(page.status, 403);
    test.settle().await;
    let id = test.database.text("SELECT id FROM users");
    assert_eq!(
        only(&test, "form.refused"),
        json!({
            "by": ["user", id, "-", "127.0.0.1"],
            "detail": {"reason": "cross_site", "route": "POST /account/name", "count": 1},
        })
    );
    let stale = [("name", "Eve"), ("csrf", "of another session")];
    let page = browser.post_bare("/account/name", &stale).await;
    assert_eq!(page.status, 403);
    test.settle().await;
    assert_eq!(test.events("form.refused"), 2);
    let stale = r#"action = 'form.refused' AND detail LIKE '%"stale_form"%'"#;
    assert_eq!(test.count(AUDIT, stale), 1);
}

/// AUD-02: rejections by the rate limiter.
#[actix_web::test]
async fn rate_limited_attempts_are_recorded() {
    let test = TestApp::start().await;
    let mut browser = test.browser();
    for status in [401, 401, 401, 401, 401, 429, 429] {
        let page = browser
            .try_sign_in(EMAIL, "yellow anvil sleeps under")
            .await;
        assert_eq!(page.status, status);
    }
    test.settle().await;
    assert_eq!(
        only(&test, "request.limited"),
        json!({
            "by": ["anonymous", "-", "-", "127.0.0.1"],
            "detail": {"reason": "too_many_requests", "route": "POST /login", "count": 2},
        })
    );
}

/// AUD-02: invalid credentials. Denied requests of a known token are recorded as its uses alone.
#[actix_web::test]
async fn unknown_credentials_are_recorded_and_known_tokens_are_not_recorded_twice() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let forbidden = http().get(test.at("/v1/projects")).bearer_auth(&token);
    assert_eq!(forbidden.send().await.unwrap().status(), 403);
    let ask = http().get(test.at("/auth/verify?scope=orgs:write"));
    assert_eq!(ask.bearer_auth(&token).send().await.unwrap().status(), 403);
    test.database.execute(
        "UPDATE token SET revoked_at = created_at, revoked_by = 'x', revoked_reason = 'owner'",
    );
    assert_eq!(test.me(&token).await.status(), 401);
    test.settle().await;
    assert_eq!(test.events("access.refused"), 0);

    assert_eq!(test.me("dc_unknown").await.status(), 401);
    test.settle().await;
    assert_eq!(
        only(&test, "access.refused"),
        json!({
            "by": ["anonymous", "-", "-", "127.0.0.1"],
            "detail": {"reason": "invalid_token", "route": "GET /v1/me", "count": 1},
        })
    );
    let unknown = [("client_id", "nobody"), ("client_secret", "x")];
    assert_eq!(
        test.oauth("/auth/device", &unknown).await.error(),
        "invalid_client"
    );
    test.settle().await;
    let client = r#"action = 'access.refused' AND detail LIKE '%"invalid_client"%'"#;
    assert_eq!(test.count(AUDIT, client), 1);
}

/// A flood from many addresses creates few records, and they count all of it.
#[actix_web::test]
async fn flood_of_rejected_requests_does_not_fill_the_log() {
    let test = TestApp::with(BEHIND_PROXY).await;
    for n in 0..200 {
        let response = http()
            .get(test.at("/v1/me"))
            .bearer_auth("dc_unknown")
            .header("x-forwarded-for", format!("198.51.100.{n}"))
            .send();
        assert_eq!(response.await.unwrap().status(), 401);
    }
    test.settle().await;
    assert_eq!(test.events("access.refused"), 51);
    assert_eq!(sum_of_counts(&test, "access.refused"), "200");
    sound(&verify(&test).await);
}

/// Counts that cannot be written are kept and increased.
#[actix_web::test]
async fn rejections_survive_a_database_outage() {
    let test = TestApp::start().await;
    assert_eq!(test.me("dc_unknown").await.status(), 401);
    test.database
        .execute("ALTER TABLE audit_event RENAME TO audit_event_away");
    assert!(!doorcode::app::sweep::settle(&test.app).await.is_empty());
    assert_eq!(test.me("dc_unknown").await.status(), 401);
    test.database
        .execute("ALTER TABLE audit_event_away RENAME TO audit_event");
    test.settle().await;
    assert_eq!(sum_of_counts(&test, "access.refused"), "2");
}

/// AUD-02: display and expiry of a device grant are each recorded once.
#[actix_web::test]
async fn device_grant_that_is_shown_and_expires_is_recorded_once() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let polled = test.device("").await;
    let page = browser.type_code(&polled.user_code).await;
    assert_eq!(page.status, 200);
    assert_eq!(test.events("device.shown"), 1);
    let shown =
        r#"action = 'device.shown' AND actor_kind = 'user' AND detail LIKE '%"is_typed":true%'"#;
    assert_eq!(test.count(AUDIT, shown), 1);

    let (typed, left) = (test.device("").await, test.device("").await);
    let approved = test.device("").await;
    let page = browser.approve(&approved.user_code, &[]).await;
    assert_eq!(page.status, 200);
    test.clock.advance(600);
    for ended in 1..=2 {
        assert_eq!(test.poll(&polled).await.error(), "expired_token");
        assert_eq!(test.events("device.expired"), 1, "{ended}");
    }
    for _ in 0..2 {
        assert_eq!(browser.type_code(&typed.user_code).await.status, 400);
        assert_eq!(test.events("device.expired"), 2);
    }
    for _ in 0..2 {
        doorcode::app::sweep::purge(&test.app).await.unwrap();
        assert_eq!(test.events("device.expired"), 4);
    }
    assert_eq!(test.poll(&left).await.error(), "expired_token");
    assert_eq!(test.poll(&approved).await.error(), "expired_token");
    assert_eq!(test.events("device.expired"), 4);
    assert_eq!(test.events("device.shown"), 2);
}
