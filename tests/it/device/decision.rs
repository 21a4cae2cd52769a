//! One decision for each device grant, by the user who saw the consent page.

use super::{ASK, BEHIND_PROXY};
use crate::support::browser::Browser;
use crate::support::database::AUDIT;
use crate::support::device::{Answer, Device};
use crate::support::{CLI, EMAIL, PASSWORD, TestApp};
use doorcode::domain::role::Role;

const BOB: &str = "bob@example.com";

/// Signs out and signs in as Bob in the same browser.
async fn become_bob(test: &TestApp, browser: &mut Browser) {
    test.add_user(BOB, PASSWORD, Some(("Acme", Role::Member)))
        .await;
    assert_eq!(browser.post("/logout", &[]).await.status, 303);
    browser.sign_in(BOB, PASSWORD).await;
    browser.get("/device").await;
}

/// DEV-40, T-03: the first decision is final; others change nothing and leave no record.
#[actix_web::test]
async fn first_decision_is_final() {
    let test = TestApp::start().await;
    let mut browser = test.user().await;
    for (first, title, others) in [
        ("approve", "The cli is signed in", ["deny", "approve"]),
        ("deny", "Denied", ["approve", "approve"]),
    ] {
        let device = test.device("tokens:read orgs:read").await;
        let consent = browser.type_code(&device.user_code).await;
        let page = browser.decide(&consent, first, &["tokens:read"]).await;
        assert!(page.contains(&format!(">{title}</h1>")));
        for other in others {
            let page = browser.decide(&consent, other, &["orgs:read"]).await;
            assert_eq!(page.status, 409);
            assert!(page.contains("Already decided") && page.contains("Nothing was changed."));
        }
        let state = if first == "approve" {
            "approved"
        } else {
            "denied"
        };
        assert_eq!(test.count("device_grant", &format!("state = '{state}'")), 1);
        let answer = test.poll(&device).await;
        match first {
            "approve" => assert_eq!(answer.body["scope"], "tokens:read"),
            _ => assert_eq!(answer.error(), "access_denied"),
        }
        // A device grant whose token was fetched cannot be decided either.
        for late in others {
            let page = browser.decide(&consent, late, &["orgs:read"]).await;
            assert_eq!(page.status, 409);
        }
    }
    assert_eq!(test.count("device_grant", "state = 'redeemed'"), 1);
    assert_eq!(test.events("device.approved"), 1);
    assert_eq!(test.events("device.denied"), 1);
    assert_eq!(test.count("token", "revoked_at IS NULL"), 1);
}

/// T-03: two tabs of one browser, both with the page open.
#[actix_web::test]
async fn one_of_two_tabs_decides() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let first = browser.type_code(&device.user_code).await;
    let second = browser.type_code(&device.user_code).await;
    assert_eq!(browser.decide(&first, "deny", &[]).await.status, 200);
    let page = browser.decide(&second, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 409);
    assert_eq!(test.poll(&device).await.error(), "access_denied");
    assert_eq!(test.events("device.approved"), 0);
}

/// DEV-38, T-11: a page shown to Ada does not count for Bob.
#[actix_web::test]
async fn only_the_user_who_saw_the_page_decides() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let seen_by_ada = browser.type_code(&device.user_code).await;
    let csrf_of_ada = browser.csrf.clone();
    become_bob(&test, &mut browser).await;

    // Ada's open tab: its form belongs to a session that has ended.
    let csrf_of_bob = browser.csrf.clone();
    for decision in ["approve", "deny"] {
        browser.csrf.clone_from(&csrf_of_ada);
        let page = browser
            .decide(&seen_by_ada, decision, &["tokens:read"])
            .await;
        assert_eq!(page.status, 403);
        assert!(page.contains("You signed in again"));
    }
    // Even with Bob's CSRF token, Ada's ticket is invalid for Bob.
    browser.csrf = csrf_of_bob;
    for decision in ["approve", "deny"] {
        let page = browser
            .decide(&seen_by_ada, decision, &["tokens:read"])
            .await;
        assert_eq!(page.status, 400);
        assert!(page.contains("Review the request once more"));
        assert!(page.contains(BOB) && !page.contains(EMAIL));
        assert!(page.contains("I started this sign-in"));
    }
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");

    browser.approve(&device.user_code, &["tokens:read"]).await;
    let token = test.poll(&device).await.token();
    let me: serde_json::Value = test.me(&token).await.json().await.unwrap();
    assert_eq!(me["user"]["email"], BOB);
}

/// DEV-33: the code still counts as typed after a change of user.
#[actix_web::test]
async fn use_another_user_leads_back_to_the_code() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    let back = consent
        .field("return_to")
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let out = browser.post("/logout", &[("return_to", &back)]).await;
    assert!(
        out.location().starts_with("/login?return_to="),
        "{}",
        out.location()
    );
    browser.get(out.location()).await;
    test.add_user(BOB, PASSWORD, None).await;
    let fields = [("email", BOB), ("password", PASSWORD), ("return_to", &back)];
    let page = browser.post("/login", &fields).await;
    let page = browser.get(page.location()).await;
    assert_eq!(
        page.field("user_code").as_deref(),
        Some(device.user_code.as_str())
    );
    assert_eq!(page.field("via").as_deref(), Some("keyboard"));
}

/// DEV-38, T-11: another session of the same user has not seen the page either.
#[actix_web::test]
async fn ticket_is_valid_only_in_its_session() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let (mut here, mut there) = (test.user().await, test.user().await);
    let consent = here.type_code(&device.user_code).await;
    there.get("/device").await;
    let page = there.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 400);

    // A ticket for one device grant does not decide another.
    let other = test.device("tokens:read").await;
    let ticket = consent.field("ticket").unwrap();
    let elsewhere = here
        .type_code(&other.user_code)
        .await
        .field("ticket")
        .unwrap();
    let (id, _) = elsewhere.split_once('.').unwrap();
    let (_, mac) = ticket.split_once('.').unwrap();
    for forged in [
        format!("{id}.{mac}"),
        "x".into(),
        String::new(),
        format!("{id}.."),
    ] {
        let fields = [
            ("ticket", forged.as_str()),
            ("user_code", &other.user_code),
            ("decision", "approve"),
        ];
        assert_eq!(
            here.post("/device/decide", &fields).await.status,
            400,
            "{forged}"
        );
    }
    for device in [&device, &other] {
        assert_eq!(test.poll(device).await.error(), "authorization_pending");
    }
}

/// T-11: signed out in another tab, or the session has ended.
#[actix_web::test]
async fn signed_out_user_cannot_decide() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    let mut tab = browser.clone();
    tab.post("/logout", &[]).await;
    // The session has ended, whether or not the browser has dropped its cookie.
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 303);
    assert!(page.location().starts_with("/login?return_to=%2Fdevice"));
    browser.cookies = tab.cookies;
    let page = browser.decide(&consent, "approve", &["tokens:read"]).await;
    assert_eq!(page.status, 303);
    assert!(page.location().starts_with("/login?return_to=%2Fdevice"));
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
    assert_eq!(test.events("device.approved"), 0);
}

/// A decision other than the two buttons changes nothing.
#[actix_web::test]
async fn unknown_decision_is_rejected() {
    let test = TestApp::start().await;
    let device = test.device("tokens:read").await;
    let mut browser = test.user().await;
    let consent = browser.type_code(&device.user_code).await;
    for decision in ["", "Approve", "yes", "approve "] {
        assert_eq!(browser.decide(&consent, decision, &[]).await.status, 400);
    }
    assert_eq!(test.poll(&device).await.error(), "authorization_pending");
}

/// DEV-63, DEV-40: the record names device and user separately, and each once.
#[actix_web::test]
async fn audit_log_names_device_and_user_separately() {
    let test = TestApp::with(BEHIND_PROXY).await;
    let request = test
        .anon()
        .post(test.at(ASK))
        .header("x-forwarded-for", "203.0.113.9");
    let form = [("client_id", CLI), ("scope", "tokens:read")];
    let device = Device::of(&Answer::of(request.form(&form).send().await.unwrap()).await);
    let mut browser = test.user().await;
    browser.set_header("x-forwarded-for", "203.0.113.77");
    test.clock.advance(30);
    browser.approve(&device.user_code, &["tokens:read"]).await;
    test.poll(&device).await.token();
    for (action, actor, address) in [
        (
            "device.requested",
            "actor_kind = 'client' AND actor_id = 'cli'",
            "203.0.113.9",
        ),
        (
            "device.approved",
            "actor_kind = 'user' AND actor_id LIKE 'usr_%'",
            "203.0.113.77",
        ),
        (
            "device.redeemed",
            "actor_kind = 'client' AND actor_id = 'cli'",
            "127.0.0.1",
        ),
    ] {
        assert_eq!(test.events(action), 1);
        let full = format!("action = '{action}' AND {actor} AND address = '{address}'");
        assert_eq!(test.count(AUDIT, &full), 1, "{action}");
    }
    // Records are sealed in the order of their ids: the cause before its effect.
    let id = |action| format!("SELECT id FROM {AUDIT} WHERE action = '{action}'");
    let [redeemed, created] =
        ["device.redeemed", "token.created"].map(|action| test.database.text(&id(action)));
    assert!(redeemed < created);
}
