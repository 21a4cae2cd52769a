//! A password that the operator sets: it must be changed before anything else.

use super::NEW;
use crate::csrf::{addresses, urlencode};
use crate::support::device::Device;
use crate::support::smtp::Sink;
use crate::support::tenant::OPERATOR;
use crate::support::{CLI, EMAIL, PASSWORD, TestApp};
use doorcode::app::Error;
use doorcode::app::user::{self, Named};
use doorcode::domain::secret::Secret;

const TEMPORARY: &str = "copper lantern sandwich";
const PAGE: &str = "/account/password/new";

async fn set_temporary(test: &TestApp) {
    test.canaries.add(TEMPORARY);
    let named = Named::Email(EMAIL.to_owned());
    let password = Secret::new(TEMPORARY);
    let set = user::set_temporary_password(&test.req(&OPERATOR), named, &password).await;
    assert!(set.unwrap().must_change_password || test.count("session", "1 = 1") == 0);
}

#[actix_web::test]
async fn temporary_password_opens_nothing_but_its_change() {
    let test = TestApp::start().await;
    let mut elsewhere = test.user().await;
    let token = elsewhere.new_token("laptop", &["orgs:read"], "90d").await;
    set_temporary(&test).await;
    assert_eq!(elsewhere.get("/tokens").await.status, 303, "sessions end");
    assert_eq!(
        test.browser().try_sign_in(EMAIL, PASSWORD).await.status,
        401
    );

    let mut browser = test.browser();
    browser.sign_in(EMAIL, TEMPORARY).await;
    for path in addresses("read") {
        let page = browser.get(&path).await;
        // Documentation, the same for every visitor.
        if path == "/logout" {
            assert_eq!(page.location(), "/tokens", "which leads to the change");
            continue;
        }
        if path.starts_with("/problems") {
            assert!(!page.contains(EMAIL), "{path}");
            continue;
        }
        if path == PAGE {
            assert_eq!(page.status, 200, "{}", page.body);
            continue;
        }
        assert_eq!(page.status, 303, "{path}");
        assert!(
            page.location().starts_with(PAGE),
            "{path}: {}",
            page.location()
        );
    }
    browser.get(PAGE).await;
    let before = test.unread();
    for path in addresses("post") {
        if [PAGE, "/logout"].contains(&path.as_str()) {
            continue;
        }
        // Another sign-in is possible.
        if path == "/login" {
            continue;
        }
        let page = browser.post(&path, &[]).await;
        assert_eq!((page.status, page.location()), (303, PAGE), "{path}");
    }
    assert!(before == test.unread(), "a form had an effect");
    // Tokens do not depend on the password.
    assert_eq!(test.introspect(&token).await["active"], true);
    assert_eq!(test.me(&token).await.status(), 200);

    for (weak, reason) in [
        (TEMPORARY, "Choose another one."),
        ("too short", "Use at least 15 characters."),
    ] {
        let page = browser.post(PAGE, &[("new_password", weak)]).await;
        assert_eq!(page.status, 422, "{}", page.body);
        assert!(page.contains(reason), "{}", page.body);
    }
    let other = {
        let mut other = test.browser();
        other.sign_in(EMAIL, TEMPORARY).await;
        other
    };
    let old = browser.cookies["doorcode_session"].clone();
    let set = browser.post(PAGE, &[("new_password", NEW)]).await;
    assert_eq!(
        (set.status, set.location()),
        (303, "/account/password/done")
    );
    assert_ne!(browser.cookies["doorcode_session"], old);
    assert!(
        browser
            .get(set.location())
            .await
            .contains("1 token still works")
    );
    assert_eq!(browser.get("/tokens").await.status, 200);
    let mut other = other;
    assert_eq!(other.get("/tokens").await.status, 303);
    assert_eq!(
        test.browser().try_sign_in(EMAIL, TEMPORARY).await.status,
        401
    );
    let mut again = test.browser();
    again.sign_in(EMAIL, NEW).await;
    let page = again.get(PAGE).await;
    assert_eq!(
        (page.status, page.location()),
        (303, "/tokens"),
        "not again"
    );
    again.get("/account").await;
    let page = again.post(PAGE, &[("new_password", PASSWORD)]).await;
    assert_eq!((page.status, page.location()), (303, "/tokens"));
    again.sign_in(EMAIL, NEW).await;
    assert_eq!(test.events("user.password_set"), 1);
    assert_eq!(test.events("user.password_changed"), 1);
}

/// A user who opened the page with a device code continues with it.
#[actix_web::test]
async fn device_code_is_kept_while_the_password_is_changed() {
    let test = TestApp::start().await;
    set_temporary(&test).await;
    let asked = test.oauth("/auth/device", &[("client_id", CLI)]).await;
    let device = Device::of(&asked);
    let mut browser = test.browser();
    let code_page = format!("/device?user_code={}", device.user_code);
    let to_login = browser.get(&code_page).await;
    assert_eq!(to_login.status, 303);
    browser.get("/login").await;
    let fields = [
        ("email", EMAIL),
        ("password", TEMPORARY),
        ("return_to", &code_page),
    ];
    let signed_in = browser.post("/login", &fields).await;
    assert_eq!(signed_in.location(), code_page);
    let stopped = browser.get(&code_page).await;
    let expected = urlencode(&[("return_to", &code_page)]);
    let decoded = reqwest::Url::parse(&test.at(stopped.location())).unwrap();
    assert_eq!(decoded.path(), PAGE);
    let kept = decoded.query_pairs().next().unwrap();
    assert_eq!(urlencode(&[(&kept.0, &kept.1)]), expected);
    let form = browser.get(stopped.location()).await;
    let return_to = form.field("return_to").unwrap();
    let fields = [("new_password", NEW), ("return_to", &return_to)];
    let set = browser.post(PAGE, &fields).await;
    let done = browser.get(set.location()).await;
    assert!(
        done.contains(&format!(r#"href="{code_page}""#)),
        "{}",
        done.body
    );
    browser.approve(&device.user_code, &[]).await;
    test.poll(&device).await.token();
}

/// The sign-out stays possible.
#[actix_web::test]
async fn user_can_sign_out_instead() {
    let test = TestApp::start().await;
    set_temporary(&test).await;
    let mut browser = test.browser();
    browser.sign_in(EMAIL, TEMPORARY).await;
    browser.get(PAGE).await;
    let page = browser.post("/logout", &[]).await;
    assert_eq!(page.location(), "/login?notice=signed-out");
    assert_eq!(test.count("session", "1 = 1"), 0);
}

#[actix_web::test]
async fn weak_password_and_deactivated_user_are_refused() {
    let sink = Sink::start(&[]);
    let test = super::with_mail(&sink, "").await;
    let set = async |email: &str, password: &str| {
        let named = Named::Email(email.to_owned());
        let password = Secret::new(password);
        user::set_temporary_password(&test.req(&OPERATOR), named, &password).await
    };
    assert!(matches!(
        set(EMAIL, "too short").await,
        Err(Error::Invalid(_))
    ));
    let nobody = set("nobody@example.com", TEMPORARY).await;
    assert!(matches!(nobody, Err(Error::NotFound)));
    assert!(set(EMAIL, TEMPORARY).await.is_ok());
    let letter = sink.next();
    assert_eq!(
        letter.header("Subject"),
        "Your password for Doorcode was changed"
    );
    test.deactivate(EMAIL).await;
    assert!(matches!(
        set(EMAIL, TEMPORARY).await,
        Err(Error::Conflict(_))
    ));
    assert_eq!(test.events("user.password_set"), 1);
}
