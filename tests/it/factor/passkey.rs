//! Passkeys, and attacks on them.

use super::phone::{first_step, second_step};
use super::software::{Authenticator, LOCALHOST, PASSKEYS, add, borrowed, sign_in};
use super::{assert_signed_in, assert_wrong};
use crate::support::browser::Page;
use crate::support::{EMAIL, PASSWORD, TestApp};
use futures_util::future::join_all;
use serde_json::json;

/// Asserts that a passkey was refused.
#[track_caller]
fn assert_refused(page: &Page) {
    assert_eq!(page.status, 303, "{}", page.body);
    let location = page.location();
    assert!(location.ends_with("notice=passkey-failed"), "{location}");
}

#[actix_web::test]
async fn passkey_signs_in_without_a_password() {
    let test = TestApp::with(LOCALHOST).await;
    let mut browser = test.user().await;
    assert!(
        browser
            .get(PASSKEYS)
            .await
            .contains("You have no passkey yet.")
    );
    let (mut passkey, done) = add(&test, &mut browser, 1).await;
    assert!(
        done.contains("Store your recovery codes now"),
        "{}",
        done.body
    );
    let page = browser.get(PASSKEYS).await;
    assert!(page.contains("Laptop") && page.contains("not used yet"));

    let mut other = test.browser();
    let login = other.get("/login").await;
    assert!(login.contains("Sign in with a passkey") && login.contains("username webauthn"));
    assert_signed_in(&sign_in(&mut other, &mut passkey).await);
    assert_eq!(other.get("/tokens").await.status, 200);
    assert!(browser.get(PASSKEYS).await.contains("last used"));
    test.settle().await;
    let begun = "action = 'session.started' AND detail LIKE '%\"factor\":\"passkey\"%'";
    assert_eq!(test.count("audit_record", begun), 1);
    // Authenticators that do not count state zero.
    let (mut second, done) = add(&test, &mut browser, 2).await;
    assert!(done.contains("<h1>Passkeys</h1>"), "{}", done.body);
    second.user.clear();
    for _ in 0..2 {
        let mut third = test.browser();
        let fields = second.get_uncounted(&third.get("/login").await);
        assert_signed_in(&third.post_only("/login", &borrowed(&fields)).await);
    }
}

/// About a user without a password, only the provider decides.
#[actix_web::test]
async fn passkey_alone_signs_in_no_user_without_a_password() {
    let test = TestApp::with(LOCALHOST).await;
    let (mut passkey, _) = add(&test, &mut test.user().await, 1).await;
    test.database.execute("UPDATE users SET password_hash = ''");
    assert_refused(&sign_in(&mut test.browser(), &mut passkey).await);
    test.settle().await;
    let refused = "action = 'session.refused' AND detail LIKE '%no_password%'";
    assert_eq!(test.count("audit_record", refused), 1);
}

/// The state of a ceremony is spelled in another way, so that it does not look used.
#[actix_web::test]
async fn used_response_is_refused_in_another_spelling() {
    let test = TestApp::with(LOCALHOST).await;
    let (passkey, _) = add(&test, &mut test.user().await, 1).await;
    let mut browser = test.browser();
    let mut fields = passkey.get_uncounted(&browser.get("/login").await);
    assert_signed_in(&browser.post_only("/login", &borrowed(&fields)).await);
    for (name, value) in &mut fields {
        if *name == "state" {
            let (salt, sealed) = value.split_at(64);
            *value = format!("{salt}{}", sealed.to_uppercase());
        }
    }
    assert_refused(&browser.post_only("/login", &borrowed(&fields)).await);
}

#[actix_web::test]
async fn passkey_is_the_second_step_after_the_password() {
    let test = TestApp::with(LOCALHOST).await;
    let (mut passkey, _) = add(&test, &mut test.user().await, 1).await;
    // A touch is enough.
    passkey.flags = 0x01;
    let mut browser = test.browser();
    let link = first_step(&mut browser, EMAIL, PASSWORD).await;
    let page = browser.get(&format!("/login/factor?link={link}")).await;
    assert!(page.contains("Use a passkey"), "{}", page.body);
    let response = passkey.get(&page);
    let mut fields = borrowed(&response);
    fields.push(("link", &link));
    assert_signed_in(&browser.post_only("/login/factor", &fields).await);
    // A touch alone is one factor.
    assert_refused(&sign_in(&mut test.browser(), &mut passkey).await);
    // The passkey of another user is no second factor.
    let bob = "bob@example.com";
    test.add_user(bob, PASSWORD, None).await;
    let mut other = test.browser();
    other.sign_in(bob, PASSWORD).await;
    let (mut of_bob, _) = add(&test, &mut other, 9).await;
    let mut browser = test.browser();
    let link = first_step(&mut browser, EMAIL, PASSWORD).await;
    let page = browser.get(&format!("/login/factor?link={link}")).await;
    let response = of_bob.get(&page);
    let mut fields = borrowed(&response);
    fields.push(("link", &link));
    assert_wrong_passkey(&browser.post("/login/factor", &fields).await);
    assert_wrong(&second_step(&mut browser, &link, "000000").await);
}

#[track_caller]
fn assert_wrong_passkey(page: &Page) {
    assert_eq!(page.status, 401, "{}", page.body);
    assert!(
        page.contains("The passkey was not accepted."),
        "{}",
        page.body
    );
}

#[actix_web::test]
async fn passkey_is_renamed_and_removed() {
    let test = TestApp::with(LOCALHOST).await;
    let mut browser = test.user().await;
    let (mut passkey, _) = add(&test, &mut browser, 1).await;
    let id = test.database.text("SELECT id FROM passkey");
    let path = format!("{PASSKEYS}/{id}");
    let page = browser.get(&path).await;
    assert!(page.contains("Save name") && page.contains("Remove passkey"));
    let page = browser.post(&format!("{path}/name"), &[("name", "")]).await;
    assert_eq!(page.status, 422, "{}", page.body);
    let page = browser
        .post_only(&format!("{path}/name"), &[("name", "Phone")])
        .await;
    assert_eq!((page.status, page.location()), (303, PASSKEYS));
    assert!(browser.get(PASSKEYS).await.contains("Phone"));
    // Another user has no part in it.
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get("/account").await;
    assert_eq!(bob.get(&path).await.status, 404);
    bob.get("/account").await;
    bob.post(&format!("{path}/remove"), &[]).await;
    assert_eq!(test.count("passkey", "name = 'Phone'"), 1);

    browser.get(&path).await;
    let page = browser.post_only(&format!("{path}/remove"), &[]).await;
    assert_eq!((page.status, page.location()), (303, PASSKEYS));
    assert_refused(&sign_in(&mut test.browser(), &mut passkey).await);
    test.browser().sign_in(EMAIL, PASSWORD).await;
    assert_eq!(test.count("recovery_code", "1 = 1"), 0);
}

/// A response counts for its ceremony, browser, origin, host and user alone.
#[actix_web::test]
async fn responses_to_other_ceremonies_are_refused() {
    let test = TestApp::with(LOCALHOST).await;
    let (mut passkey, _) = add(&test, &mut test.user().await, 1).await;
    type Change = fn(&mut Authenticator);
    let changes: [(&str, Change); 8] = [
        ("type", |one| {
            one.alter = |data| data["type"] = json!("webauthn.create")
        }),
        ("challenge", |one| {
            one.alter = |data| data["challenge"] = json!("AAAA")
        }),
        ("origin", |one| {
            one.origin = "http://evil.localhost:8080".to_owned()
        }),
        ("cross origin", |one| {
            one.alter = |data| data["crossOrigin"] = json!(true)
        }),
        ("host", |one| one.host = "evil.localhost".to_owned()),
        ("presence", |one| one.flags = 0x04),
        ("user", |one| {
            one.user = "usr_00000000000000000000000000000000".to_owned()
        }),
        ("credential", |one| one.id = vec![7; 32]),
    ];
    for (what, change) in changes {
        let (alter, flags) = (passkey.alter, passkey.flags);
        let kept = (
            passkey.origin.clone(),
            passkey.host.clone(),
            passkey.user.clone(),
            passkey.id.clone(),
        );
        change(&mut passkey);
        let page = sign_in(&mut test.browser(), &mut passkey).await;
        assert!(page.location().ends_with("notice=passkey-failed"), "{what}");
        (passkey.alter, passkey.flags) = (alter, flags);
        (passkey.origin, passkey.host, passkey.user, passkey.id) = kept;
    }
    // The key of another passkey, and a response that was sent in another browser.
    let mut forged = Authenticator::new(1);
    forged.user.clone_from(&passkey.user);
    forged.counter = 100;
    assert_refused(&sign_in(&mut test.browser(), &mut forged).await);
    let mut browser = test.browser();
    let fields = passkey.get(&browser.get("/login").await);
    let mut other = test.browser();
    other.get("/login").await;
    assert_refused(&other.post_only("/login", &borrowed(&fields)).await);
    // Too late, and twice.
    test.clock.advance(600);
    assert_refused(&browser.post_only("/login", &borrowed(&fields)).await);
    let fields = passkey.get(&browser.get("/login").await);
    assert_signed_in(&browser.post_only("/login", &borrowed(&fields)).await);
    browser.cookies.remove("doorcode_session");
    browser.get("/login").await;
    assert_refused(&browser.post_only("/login", &borrowed(&fields)).await);
}

/// Passkey clone: a counter that does not rise is that of another device.
#[actix_web::test]
async fn counter_that_does_not_rise_is_refused_and_recorded() {
    let test = TestApp::with(LOCALHOST).await;
    let (mut passkey, _) = add(&test, &mut test.user().await, 1).await;
    passkey.counter = 40;
    assert_signed_in(&sign_in(&mut test.browser(), &mut passkey).await);
    for counter in [41, 3, 0] {
        passkey.counter = counter;
        let mut browser = test.browser();
        let fields = passkey.get_uncounted(&browser.get("/login").await);
        assert_refused(&browser.post_only("/login", &borrowed(&fields)).await);
    }
    assert_eq!(test.events("passkey.clone_detected"), 3);
    assert_eq!(test.count("passkey", "counter = 41"), 1);
    passkey.counter = 41;
    assert_signed_in(&sign_in(&mut test.browser(), &mut passkey).await);
}

#[actix_web::test]
async fn one_response_signs_in_once_also_50_at_once() {
    let test = TestApp::with(LOCALHOST).await;
    let (mut passkey, _) = add(&test, &mut test.user().await, 1).await;
    let mut browser = test.browser();
    let fields = passkey.get(&browser.get("/login").await);
    let uses = (0..50).map(|_| {
        let (mut browser, fields) = (browser.clone(), fields.clone());
        async move { browser.post_only("/login", &borrowed(&fields)).await }
    });
    let pages = join_all(uses).await;
    let entered = pages.iter().filter(|page| page.location() == "/tokens");
    assert_eq!(entered.count(), 1);
    let refused = pages
        .iter()
        .filter(|page| page.location().ends_with("passkey-failed"));
    assert_eq!(refused.count(), 49);
    assert_eq!(test.count("session", "1 = 1"), 2);
}

/// Only the user adds passkeys, each once.
#[actix_web::test]
async fn passkey_is_added_once_and_only_by_its_user() {
    let test = TestApp::with(LOCALHOST).await;
    let mut browser = test.user().await;
    let page = browser.get(PASSKEYS).await;
    let mut passkey = Authenticator::new(1);
    let response = passkey.create(&page);
    let mut fields = borrowed(&response);
    fields.push(("name", "Laptop"));
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get(PASSKEYS).await;
    let page = bob.post(PASSKEYS, &fields).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert_eq!(browser.post(PASSKEYS, &fields).await.status, 200);
    let page = browser.post(PASSKEYS, &fields).await;
    assert_eq!(page.status, 422, "{}", page.body);
    // The same credential again.
    let response = passkey.create(&browser.get(PASSKEYS).await);
    let mut fields = borrowed(&response);
    fields.push(("name", "Laptop"));
    let page = browser.post(PASSKEYS, &fields).await;
    assert!(page.contains("was added before"), "{}", page.body);
    assert_eq!(test.count("passkey", "1 = 1"), 1);
}

/// Browsers accept no passkeys for an address.
#[actix_web::test]
async fn server_without_a_name_offers_no_passkeys() {
    let test = TestApp::start().await;
    let page = test.browser().get("/login").await;
    assert!(!page.contains("passkey"), "{}", page.body);
    let page = test.user().await.get(PASSKEYS).await;
    assert!(
        page.contains("https and for a host with a name"),
        "{}",
        page.body
    );
}
