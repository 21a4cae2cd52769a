//! Permissions that change between the page, the decision and the token.

use super::{POLL, assert_refused};
use crate::support::device::Device;
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::domain::role::Role;

const SETTINGS: &str = "[[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy builds\"\n\
    min_role = \"admin\"\n";
const BOTH: [&str; 2] = ["tokens:read", "app:deploy"];

/// A device whose request for [`BOTH`] was approved.
async fn approved(test: &TestApp) -> Device {
    let device = test.device(&BOTH.join(" ")).await;
    test.user().await.approve(&device.user_code, &BOTH).await;
    device
}

fn set_role(test: &TestApp, role: &str) {
    test.database
        .execute(&format!("UPDATE membership SET role = '{role}'"));
}

fn set_client_scopes(test: &TestApp, scopes: &str) {
    test.database.execute(&format!(
        "UPDATE client SET scopes = '{scopes}' WHERE id = 'cli'"
    ));
}

async fn assert_refused_for_good(test: &TestApp, device: &Device) {
    assert_refused(&test.poll(device).await, 400, "access_denied");
    assert_refused(&test.poll(device).await, 400, "access_denied");
    assert_eq!(test.count("token", "1 = 1"), 0);
    assert_eq!(test.events("device.refused"), 1);
}

/// DEV-33, CONTRACT 4: the token has the scopes that stayed ticked.
#[actix_web::test]
async fn user_can_grant_fewer_scopes_but_not_more() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for (ticked, granted) in [
        (&["orgs:read"][..], "orgs:read"),
        (&[], ""),
        (&["tokens:read", "orgs:read"], "orgs:read tokens:read"),
        (
            &["tokens:read", "tokens:write", "audit:read"],
            "tokens:read",
        ),
        (&["tokens:read", "no:such", "*", "\"", ""], "tokens:read"),
    ] {
        let device = test.device("tokens:read orgs:read").await;
        let page = browser.approve(&device.user_code, ticked).await;
        for name in granted.split_whitespace() {
            assert!(page.contains(name));
        }
        let answer = test.poll(&device).await;
        assert_eq!(answer.body["scope"], granted, "{ticked:?}");
        assert_eq!(test.introspect(&answer.token()).await["scope"], granted);
    }
}

/// DEV-39. Scopes that the user's role does not allow are shown as withheld, and not granted even
/// if the form contains them.
#[actix_web::test]
async fn role_limits_what_can_be_approved() {
    let test = TestApp::with(SETTINGS).await;
    set_role(&test, "member");
    let device = test.device(&BOTH.join(" ")).await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    assert!(consent.contains("Not included, because your role does not allow it"));
    assert!(consent.contains(r#"value="tokens:read""#));
    assert!(!consent.contains(r#"value="app:deploy""#));
    browser.decide(&consent, "approve", &BOTH).await;
    assert_eq!(test.poll(&device).await.body["scope"], "tokens:read");
}

/// DEV-39, T-06: between the page and the decision.
#[actix_web::test]
async fn role_reduced_while_the_page_is_open_reduces_the_approval() {
    let test = TestApp::with(SETTINGS).await;
    let device = test.device(&BOTH.join(" ")).await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    assert!(consent.contains(r#"value="app:deploy""#));
    set_role(&test, "member");
    let page = browser.decide(&consent, "approve", &BOTH).await;
    assert!(page.contains("tokens:read") && !page.contains("app:deploy"));
    // Scopes that were not approved do not return with the role.
    set_role(&test, "owner");
    assert_eq!(test.poll(&device).await.body["scope"], "tokens:read");
}

/// DEV-39, T-06: between the decision and the token.
#[actix_web::test]
async fn scope_lost_before_redemption_is_not_in_the_token() {
    let test = TestApp::with(SETTINGS).await;
    let device = approved(&test).await;
    set_role(&test, "member");
    let answer = test.poll(&device).await;
    assert_eq!(answer.body["scope"], "tokens:read");

    set_role(&test, "owner");
    let device = approved(&test).await;
    set_client_scopes(&test, "app:deploy orgs:read");
    assert_eq!(test.poll(&device).await.body["scope"], "app:deploy");
}

/// DEV-39, T-06.
#[actix_web::test]
async fn no_token_is_issued_when_every_approved_scope_is_lost() {
    let test = TestApp::with(SETTINGS).await;
    let device = approved(&test).await;
    set_client_scopes(&test, "orgs:read");
    assert_refused_for_good(&test, &device).await;

    // The role ended with the membership.
    let test = TestApp::with(SETTINGS).await;
    let device = test.device("app:deploy").await;
    test.user()
        .await
        .approve(&device.user_code, &["app:deploy"])
        .await;
    test.database.execute("DELETE FROM membership");
    assert_refused_for_good(&test, &device).await;
}

/// DEV-39. A scope that has left the configuration is not granted to any user.
#[actix_web::test]
async fn scope_removed_from_the_catalogue_is_not_granted() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    test.database
        .execute("UPDATE device_grant SET granted_scopes = 'app:gone tokens:read'");
    test.database
        .execute("UPDATE client SET scopes = 'app:gone tokens:read' WHERE id = 'cli'");
    assert_eq!(test.poll(&device).await.body["scope"], "tokens:read");
}

/// DEV-42, T-06.
#[actix_web::test]
async fn approval_of_a_deactivated_user_gives_no_token() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    test.user()
        .await
        .approve(&device.user_code, &["tokens:read"])
        .await;
    test.database
        .execute("UPDATE users SET state = 'deactivated'");
    assert_refused_for_good(&test, &device).await;
    // Nor later, when the user is active again.
    test.database.execute("UPDATE users SET state = 'active'");
    assert_refused_for_good(&test, &device).await;
}

/// DEV-42: between the page and the decision.
#[actix_web::test]
async fn deactivated_user_cannot_decide() {
    let test = TestApp::start().await;
    test.add_user("bob@example.com", PASSWORD, Some(("Acme", Role::Admin)))
        .await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    test.database.execute(&format!(
        "UPDATE users SET state = 'deactivated' WHERE email = '{EMAIL}'"
    ));
    for decision in ["approve", "deny"] {
        let page = browser.decide(&consent, decision, &["tokens:read"]).await;
        assert_eq!(page.status, 303, "{}", page.body);
        assert!(page.location().starts_with("/login"));
    }
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
}

/// DEV-39, DEV-62, T-06: the client is deactivated at each step of the flow.
#[actix_web::test]
async fn deactivated_client_gets_nothing() {
    let test = TestApp::start().await;
    let switch = |state: &str| {
        let sql = format!("UPDATE client SET state = '{state}' WHERE id = 'cli'");
        test.database.execute(&sql);
    };
    let (typed, open, approved) = (
        test.device("tokens:read").await,
        test.device("tokens:read").await,
        test.device("tokens:read").await,
    );
    let mut browser = test.user().await;
    browser.approve(&approved.user_code, &["tokens:read"]).await;
    let consent = browser.type_code(&open.user_code).await;
    switch("disabled");
    let page = browser.type_code(&typed.user_code).await;
    assert_eq!(page.status, 400);
    assert!(page.contains("This code is wrong"));
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 404);
    let answer = test.oauth(POLL, &approved.poll_form("cli")).await;
    assert_refused(&answer, 401, "invalid_client");
    assert_eq!(test.count("token", "1 = 1"), 0);
    assert_eq!(test.events("device.approved"), 1);

    // Deny still works: a user can always refuse.
    assert_eq!(browser.decide(&consent, "deny", &[]).await.status, 200);
}
