//! Authenticator apps.

use super::phone::{Phone, TOTP, enrol, first_step, second_step};
use super::{WRONG, assert_signed_in, assert_wrong};
use crate::support::{EMAIL, PASSWORD, TestApp};

#[actix_web::test]
async fn app_is_asked_for_after_the_password() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let page = browser.get(TOTP).await;
    assert!(
        page.contains("<svg ") && page.contains("Turn on"),
        "{}",
        page.body
    );
    let (phone, done) = enrol(&test, &mut browser).await;
    assert!(
        done.contains("Store your recovery codes now"),
        "{}",
        done.body
    );
    assert_eq!(test.events("factor.added"), 1);
    assert_eq!(test.events("factor.recovery_codes_created"), 1);
    assert!(browser.get(TOTP).await.contains("Remove app"));

    let mut other = test.browser();
    let sessions = test.count("session", "1 = 1");
    let link = first_step(&mut other, EMAIL, PASSWORD).await;
    assert!(!other.cookies.contains_key("doorcode_session"));
    let page = other.get(&format!("/login/factor?link={link}")).await;
    assert!(page.contains(EMAIL) && page.contains(">Sign in</button>"));
    let wrong = second_step(&mut other, &link, "135790").await;
    assert_wrong(&wrong);
    assert!(!wrong.contains("135790"), "a typed code comes back");
    assert_eq!(test.count("session", "1 = 1"), sessions);
    assert_signed_in(&second_step(&mut other, &link, &phone.next_value()).await);
    assert_eq!(other.get("/tokens").await.status, 200);
    assert_eq!(test.count("session", "1 = 1"), sessions + 1);
    test.settle().await;
    let with_factor = "action = 'session.started' AND detail LIKE '%\"factor\":\"totp\"%'";
    assert_eq!(test.count("audit_record", with_factor), 1);
    let refused = "action = 'session.refused' AND detail LIKE '%wrong_factor%'";
    assert_eq!(test.count("audit_record", refused), 1);
}

/// The page that the sign-in was for is shown after the second step.
#[actix_web::test]
async fn second_step_leads_to_the_requested_page() {
    let test = TestApp::start().await;
    let (phone, _) = enrol(&test, &mut test.user().await).await;
    let mut browser = test.browser();
    browser.get("/login?return_to=%2Faccount").await;
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("return_to", "/account"),
    ];
    let page = browser.post("/login", &fields).await;
    let link = super::phone::link_of(&page);
    let page = second_step(&mut browser, &link, &phone.next_value()).await;
    assert_eq!((page.status, page.location()), (303, "/account"));
}

#[actix_web::test]
async fn app_is_added_only_with_its_current_value() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    let page = browser.get(TOTP).await;
    let (phone, sealed) = (Phone::scan(&test, &page), page.field("sealed").unwrap());
    for (sealed, code, error) in [
        (sealed.as_str(), "000000", "not the current code"),
        (&sealed, "", "not the current code"),
        ("", &phone.value(), "took too long"),
        (&sealed.replace('a', "b"), &phone.value(), "took too long"),
    ] {
        let page = browser
            .post(TOTP, &[("sealed", sealed), ("code", code)])
            .await;
        assert_eq!(page.status, 422, "{}", page.body);
        assert!(page.contains(error), "{}", page.body);
    }
    // The secret of another browser and user.
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get("/account").await;
    let fields = [("sealed", sealed.as_str()), ("code", &phone.value())];
    assert_eq!(bob.post(TOTP, &fields).await.status, 422);
    assert_eq!(test.count("authenticator", "1 = 1"), 0);
    // After a wrong code the page has the same secret.
    let page = browser
        .post(TOTP, &[("sealed", &sealed), ("code", "000000")])
        .await;
    assert_eq!(page.field("sealed").as_deref(), Some(sealed.as_str()));
    assert_eq!(browser.post(TOTP, &fields).await.status, 200);
    // In another tab.
    let page = browser.post(TOTP, &fields).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert_eq!(test.count("authenticator", "1 = 1"), 1);
}

#[actix_web::test]
async fn removed_app_is_not_asked_for() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    enrol(&test, &mut browser).await;
    browser.get(TOTP).await;
    let page = browser.post_only(&format!("{TOTP}/remove"), &[]).await;
    assert_eq!((page.status, page.location()), (303, TOTP));
    let page = browser.post_only(&format!("{TOTP}/remove"), &[]).await;
    assert_eq!((page.status, page.location()), (303, TOTP), "sent twice");
    assert_eq!(test.events("factor.removed"), 1);
    assert_eq!(test.count("recovery_code", "1 = 1"), 0);
    test.browser().sign_in(EMAIL, PASSWORD).await;
}

/// The secret is encrypted under a key that is not in the database.
#[actix_web::test]
async fn secret_is_not_in_the_database() {
    let test = TestApp::start().await;
    enrol(&test, &mut test.user().await).await;
    let stored = test.database.text("SELECT secret FROM authenticator");
    assert_eq!(stored.len(), 2 * (12 + 32 + 16), "{stored}");
    // The test ends with a search for the secret and the recovery codes.
}

/// Guesses are limited like those of passwords. Only those in a browser that the user knows count
/// there: an attacker who knows the password does not lock the user out.
#[actix_web::test]
async fn guesses_are_limited_without_locking_the_user_out() {
    let test = TestApp::start().await;
    let mut known = test.user().await;
    let (phone, _) = enrol(&test, &mut known).await;
    known.cookies.remove("doorcode_session");

    let mut attacker = test.browser();
    let link = first_step(&mut attacker, EMAIL, PASSWORD).await;
    for _ in 0..5 {
        assert_wrong(&second_step(&mut attacker, &link, "000000").await);
    }
    // Also from another browser, and with the right value.
    let mut other = test.browser();
    let again = first_step(&mut other, EMAIL, PASSWORD).await;
    for (browser, link) in [(&mut attacker, &link), (&mut other, &again)] {
        let page = second_step(browser, link, &phone.value()).await;
        assert_eq!(page.status, 429, "{}", page.body);
        assert!(!page.contains(WRONG));
    }
    let link = first_step(&mut known, EMAIL, PASSWORD).await;
    assert_signed_in(&second_step(&mut known, &link, &phone.next_value()).await);
}
