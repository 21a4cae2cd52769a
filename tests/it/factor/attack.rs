//! Attacks on the second step.

use super::phone::{TOTP, enrol, first_step, link_of, second_step};
use super::{assert_signed_in, assert_wrong};
use crate::support::browser::Browser;
use crate::support::tenant::OPERATOR;
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::app::user::{self, Named};
use doorcode::domain::secret::Secret;

const NEW: &str = "yellow anvil sleeps under";

/// Secret of a reset link of the operator.
async fn reset_link(test: &TestApp) -> String {
    let named = Named::Email(EMAIL.to_owned());
    let made = user::create_reset(&test.req(&OPERATOR), named).await;
    made.unwrap().link.expose().to_owned()
}

async fn set_password(browser: &mut Browser, link: &str) -> crate::support::browser::Page {
    browser.get(&format!("/reset?link={link}")).await;
    let fields = [("link", link), ("new_password", NEW)];
    browser.post_only("/reset", &fields).await
}

/// TOTP reuse in one window: a value that was seen over a shoulder does not work again, nor does an
/// earlier one.
#[actix_web::test]
async fn value_of_the_app_is_not_used_twice_in_one_window() {
    let test = TestApp::start().await;
    let (phone, _) = enrol(&test, &mut test.user().await).await;
    let (mut user, mut thief) = (test.browser(), test.browser());
    let of_user = first_step(&mut user, EMAIL, PASSWORD).await;
    let of_thief = first_step(&mut thief, EMAIL, PASSWORD).await;
    // The value that added the app.
    assert_wrong(&second_step(&mut thief, &of_thief, &phone.value()).await);
    let before = phone.next_value();
    let seen = phone.next_value();
    assert_signed_in(&second_step(&mut user, &of_user, &seen).await);
    for value in [&seen, &before] {
        assert_wrong(&second_step(&mut thief, &of_thief, value).await);
    }
    // The window of the value is not over yet.
    test.clock.advance(30);
    assert_wrong(&second_step(&mut thief, &of_thief, &seen).await);
    assert_signed_in(&second_step(&mut thief, &of_thief, &phone.value()).await);
}

#[actix_web::test]
async fn second_step_is_not_skipped_by_another_url() {
    let test = TestApp::start().await;
    let mut owner = test.user().await;
    enrol(&test, &mut owner).await;
    let mut attacker = test.browser();
    let link = first_step(&mut attacker, EMAIL, PASSWORD).await;
    for path in [
        "/",
        "/tokens",
        "/tokens/new",
        "/account",
        TOTP,
        "/account/security/recovery-codes",
        "/o/acme",
        "/device",
        "/account/password/new",
        &format!("/tokens?link={link}"),
        &format!("/account?link={link}"),
    ] {
        let page = attacker.get(path).await;
        assert_eq!(page.status, 303, "{path}: {}", page.body);
        assert!(page.location().starts_with("/login?"), "{path}");
    }
    attacker.get(&format!("/login/factor?link={link}")).await;
    for (path, fields) in [
        ("/tokens/new", vec![("name", "x"), ("expires", "never")]),
        ("/account/security/totp/remove", vec![]),
        ("/account/security/recovery-codes", vec![]),
        ("/account/name", vec![("name", "x")]),
        ("/login/factor", vec![("link", &*link)]),
        ("/login/factor", vec![("link", &*link), ("code", "")]),
    ] {
        let page = attacker.post_only(path, &fields).await;
        let is_refused = page.status == 303 && page.location() != "/tokens";
        assert!(is_refused, "{path}: {} {}", page.status, page.location());
    }
    assert!(!attacker.cookies.contains_key("doorcode_session"));
    assert_eq!(test.count("session", "1 = 1"), 1);
    assert_eq!(test.count("token", "1 = 1"), 0);
    assert_eq!(test.count("authenticator", "1 = 1"), 1);
}

/// Second factor bypass through password reset: the link replaces the password alone.
#[actix_web::test]
async fn reset_link_does_not_replace_the_second_factor() {
    let test = TestApp::start().await;
    let mut owner = test.user().await;
    let (phone, _) = enrol(&test, &mut owner).await;
    let secret = reset_link(&test).await;
    let mut browser = test.browser();
    let link = link_of(&set_password(&mut browser, &secret).await);
    assert!(!browser.cookies.contains_key("doorcode_session"));
    assert_eq!(browser.get("/tokens").await.status, 303);
    assert_eq!(owner.get("/tokens").await.status, 303, "all sessions ended");
    let page = second_step(&mut browser, &link, &phone.next_value()).await;
    assert_eq!(
        (page.status, page.location()),
        (303, "/account/password/done")
    );
    // So does a password that the operator set.
    let named = Named::Email(EMAIL.to_owned());
    let new = Secret::new(PASSWORD);
    let set = user::set_temporary_password(&test.req(&OPERATOR), named, &new).await;
    set.unwrap();
    let mut browser = test.browser();
    let link = first_step(&mut browser, EMAIL, PASSWORD).await;
    assert_eq!(browser.get("/account/password/new").await.status, 303);
    assert_signed_in(&second_step(&mut browser, &link, &phone.next_value()).await);
    let page = browser.get("/tokens").await;
    assert_eq!(page.location(), "/account/password/new");
}

/// The right password does not clear the count of wrong ones before the second step.
#[actix_web::test]
async fn wrong_passwords_are_forgotten_only_after_the_second_step() {
    let test = TestApp::start().await;
    let (phone, _) = enrol(&test, &mut test.user().await).await;
    let mut browser = test.browser();
    let wrong = async |browser: &mut Browser| browser.try_sign_in(EMAIL, NEW).await.status;
    for _ in 0..4 {
        assert_eq!(wrong(&mut browser).await, 401);
    }
    let link = first_step(&mut browser, EMAIL, PASSWORD).await;
    assert_wrong(&second_step(&mut browser, &link, "000000").await);
    assert_eq!(wrong(&mut browser).await, 401);
    assert_eq!(wrong(&mut browser).await, 429);
    test.clock.advance(30);
    let link = first_step(&mut browser, EMAIL, PASSWORD).await;
    assert_signed_in(&second_step(&mut browser, &link, &phone.value()).await);
    let mut other = test.browser();
    for _ in 0..5 {
        assert_eq!(wrong(&mut other).await, 401);
    }
}

/// An attacker who registered the address of another does not keep that user out with an app.
#[actix_web::test]
async fn reset_for_an_unverified_address_removes_the_factors() {
    let test = TestApp::start().await;
    let mut squatter = test.user().await;
    enrol(&test, &mut squatter).await;
    test.database
        .execute("UPDATE users SET email_verified_at = NULL");
    let secret = reset_link(&test).await;
    let mut browser = test.browser();
    let page = set_password(&mut browser, &secret).await;
    assert_eq!(page.location(), "/account/password/done");
    assert_eq!(test.events("factor.reset"), 1);
    assert_eq!(test.count("authenticator", "1 = 1"), 0);
}

/// Login CSRF of the second step: what an attacker began does not sign the browser of a victim in.
#[actix_web::test]
async fn sign_in_of_another_browser_is_not_completed() {
    let test = TestApp::start().await;
    let eve = "eve@example.com";
    test.add_user(eve, PASSWORD, None).await;
    let mut attacker = test.browser();
    attacker.sign_in(eve, PASSWORD).await;
    let (phone, _) = enrol(&test, &mut attacker).await;
    let mut attacker = test.browser();
    let link = first_step(&mut attacker, eve, PASSWORD).await;
    attacker.get(&format!("/login/factor?link={link}")).await;
    let value = phone.next_value();
    let fields = [("link", link.as_str()), ("code", value.as_str())];

    for mut victim in [test.browser(), test.user().await] {
        let before = victim.cookies.get("doorcode_session").cloned();
        let page = victim.get(&format!("/login/factor?link={link}")).await;
        assert_eq!(page.status, 404, "{}", page.body);
        victim.get("/device").await;
        victim.get("/login").await;
        let page = victim.post_only("/login/factor", &fields).await;
        assert_eq!(victim.get(page.location()).await.status, 404);
        // With the form of the attacker.
        let mut with_csrf = fields.to_vec();
        let csrf = attacker.csrf.clone();
        with_csrf.push(("csrf", &csrf));
        let page = victim.post_bare("/login/factor", &with_csrf).await;
        assert_eq!(page.status, 403, "{}", page.body);
        victim.set_header("sec-fetch-site", "cross-site");
        let page = victim.post_bare("/login/factor", &with_csrf).await;
        assert_eq!(page.status, 403);
        assert_eq!(victim.cookies.get("doorcode_session").cloned(), before);
    }
    assert_signed_in(&second_step(&mut attacker, &link, &value).await);
}

#[actix_web::test]
async fn first_step_ends_with_its_use_its_time_and_the_password() {
    let test = TestApp::start().await;
    let (phone, _) = enrol(&test, &mut test.user().await).await;
    let mut browser = test.browser();
    let link = first_step(&mut browser, EMAIL, PASSWORD).await;
    assert_signed_in(&second_step(&mut browser, &link, &phone.next_value()).await);
    browser.cookies.remove("doorcode_session");
    // Back and send the form again, with the next value.
    let page = second_step(&mut browser, &link, &phone.next_value()).await;
    assert_eq!(page.status, 404, "{}", page.body);

    let mut late = test.browser();
    let link = first_step(&mut late, EMAIL, PASSWORD).await;
    test.clock.advance(600);
    let page = second_step(&mut late, &link, &phone.value()).await;
    assert_eq!(page.status, 404, "{}", page.body);

    let mut changed = test.browser();
    let link = first_step(&mut changed, EMAIL, PASSWORD).await;
    let secret = reset_link(&test).await;
    link_of(&set_password(&mut test.browser(), &secret).await);
    let page = second_step(&mut changed, &link, &phone.next_value()).await;
    assert_eq!(page.status, 404, "{}", page.body);

    let mut deactivated = test.browser();
    let link = first_step(&mut deactivated, EMAIL, NEW).await;
    test.deactivate(EMAIL).await;
    let page = second_step(&mut deactivated, &link, &phone.next_value()).await;
    assert_eq!(page.status, 404, "{}", page.body);
}
