//! A decision sent again with its ticket: a double click, or a reload of the result page.

use crate::support::browser::Page;
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;

const BOB: &str = "bob@example.com";

/// The end of the access on a result page.
fn access_ends(page: &Page) -> String {
    page.attribute("datetime")
        .unwrap_or_else(|| panic!("{} {}", page.status, page.body))
}

/// DEV-40, T-03: a double click, or a reload of the result, also after the device has its token.
#[actix_web::test]
async fn repeated_decision_gets_the_same_page() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for (decision, action) in [("approve", "device.approved"), ("deny", "device.denied")] {
        let device = test.device("tokens:read orgs:read").await;
        let consent = browser.type_code(&device.user_code).await;
        let first = browser.decide(&consent, decision, &["tokens:read"]).await;
        assert_eq!(first.status, 200, "{}", first.body);
        for _ in 0..2 {
            let again = browser.decide(&consent, decision, &["tokens:read"]).await;
            assert_eq!((again.status, &again.body), (200, &first.body));
        }
        let answer = test.poll(&device).await;
        if decision == "approve" {
            assert_eq!(answer.body["scope"], "tokens:read");
            assert_eq!(access_ends(&first), ends(&test));
        }
        test.clock.advance(3600);
        let late = browser.decide(&consent, decision, &["tokens:read"]).await;
        assert_eq!(late.status, 200, "{}", late.body);
        if decision == "approve" {
            assert_eq!(access_ends(&late), access_ends(&first));
        }
        assert_eq!(test.events(action), 1);
    }
    assert_eq!(test.count("token", "1 = 1"), 1);
}

/// When the only token expires.
fn ends(test: &TestApp) -> String {
    let at = test.database.text("SELECT expires_at FROM token");
    format!("{}Z", at.get(..19).unwrap().replace(' ', "T"))
}

/// DEV-40: the codes have expired, or the user lost a right, since the approval. An approval that
/// the device did not fetch in time gave it no access.
#[actix_web::test]
async fn approval_is_repeated_whatever_happened_since() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let device = test.device("tokens:read orgs:read").await;
    let consent = browser.type_code(&device.user_code).await;
    let both = ["tokens:read", "orgs:read"];
    let first = browser.decide(&consent, "approve", &both).await;
    assert_eq!(first.status, 200);
    test.database
        .execute("UPDATE client SET scopes = 'tokens:read' WHERE id = 'cli'");
    let again = browser.decide(&consent, "approve", &both).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    for scopes in [&["tokens:read"][..], &["orgs:read"], &[]] {
        let other = browser.decide(&consent, "approve", scopes).await;
        assert_eq!(other.status, 409, "{scopes:?}");
    }

    test.clock.advance(3600);
    let late = browser.decide(&consent, "approve", &both).await;
    assert!(late.status == 410 && late.contains("The device has no access."));
    assert_eq!(test.poll(&device).await.error(), "expired_token");
    let late = browser.decide(&consent, "approve", &both).await;
    assert!(late.status == 410 && late.contains("The device has no access."));
    assert_eq!(browser.decide(&consent, "deny", &[]).await.status, 410);
    assert_eq!(test.events("device.approved"), 1);
    assert_eq!(test.count("token", "1 = 1"), 0);
}

/// DEV-40: an approval that the server withdrew is not shown as approved.
#[actix_web::test]
async fn withdrawn_approval_is_not_repeated() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let device = test.device("tokens:read").await;
    let consent = browser.type_code(&device.user_code).await;
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 200);
    test.database
        .execute("UPDATE client SET scopes = 'orgs:read' WHERE id = 'cli'");
    assert_eq!(test.poll(&device).await.error(), "access_denied");
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert!(page.status == 200 && !page.contains("is signed in</h1>"));
    assert!(page.contains("no access"), "{}", page.body);
    let page = browser.decide(&consent, "deny", &[]).await;
    assert_eq!(page.status, 409);
}

/// DEV-38, DEV-40: another session, or another user, who also has the page open.
#[actix_web::test]
async fn decision_with_another_ticket_is_no_repetition() {
    let test = TestApp::start().await;
    test.add_user(BOB, PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let (mut here, mut there, mut bob) = (test.user().await, test.user().await, test.browser());
    bob.sign_in(BOB, PASSWORD).await;
    for decision in ["approve", "deny"] {
        let device = test.device("tokens:read").await;
        let seen_here = here.type_code(&device.user_code).await;
        let seen_there = there.type_code(&device.user_code).await;
        let seen_by_bob = bob.type_code(&device.user_code).await;
        let scopes = ["tokens:read"];
        let page = here.decide(&seen_here, decision, &scopes).await;
        assert_eq!(page.status, 200);
        let page = there.decide(&seen_there, decision, &scopes).await;
        assert_eq!(page.status, 409);
        let page = bob.decide(&seen_by_bob, decision, &scopes).await;
        assert_eq!(page.status, 409);
    }
}
