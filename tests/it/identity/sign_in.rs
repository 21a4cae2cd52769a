//! Sign-in with an honest provider.

use super::{RETURN, address_in, assert_refused};
use crate::support::device::Answer;
use crate::support::provider::{Desk, ID, Provider, Signing};
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use serde_json::json;

const ADA: &str = "ada@acme.example";

#[actix_web::test]
async fn new_user_of_the_provider_signs_in_without_a_password() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    let login = browser.get("/login?return_to=%2Faccount").await;
    assert!(login.contains("Sign in with Acme"));
    let begin = format!("/login/with/{ID}?{RETURN}");
    assert!(
        login.contains(&begin.replace('&', "&amp;")),
        "{}",
        login.body
    );
    let page = provider.sign_in_at(&mut browser, &begin).await;
    assert_eq!((page.status, page.location()), (303, "/account"));
    assert_eq!(address_in(&mut browser).await, ADA);
    assert_eq!(
        test.count(
            "users",
            &format!("email = '{ADA}' AND email_verified_at IS NOT NULL")
        ),
        1
    );
    let created = "action = 'user.created' AND actor_kind = 'system'";
    test.settle().await;
    assert_eq!(test.count("audit_record", created), 1);
    assert_eq!(test.events("identity.linked"), 1);

    // The next sign-in finds the user by the subject, also with another address.
    provider.is_asked_by("ada-at-acme", "ada.lovelace@acme.example");
    let mut other = test.browser();
    let page = provider.sign_in(&mut other).await;
    assert_eq!((page.status, page.location()), (303, "/tokens"));
    assert_eq!(address_in(&mut other).await, ADA);
    assert_eq!(test.count("identity", "1 = 1"), 1);
    assert_eq!(test.count("session", "issuer IS NOT NULL"), 2);
}

#[actix_web::test]
async fn token_of_a_user_of_the_provider_is_active_and_has_a_verified_address() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    let token = browser.new_token("Laptop", &["projects:read"], "30d").await;
    let seen = test.introspect(&token).await;
    assert_eq!(
        (&seen["active"], &seen["username"]),
        (&json!(true), &json!(ADA))
    );
    assert_eq!(seen["email_verified"], json!(true));
}

#[actix_web::test]
async fn unverified_address_is_not_taken_as_proven() {
    let provider = Provider::start();
    let test = provider.server("").await;
    for (n, is_verified) in [json!(false), json!(null), json!("yes")]
        .into_iter()
        .enumerate()
    {
        provider.is_asked_by(&format!("user-{n}"), &format!("user-{n}@acme.example"));
        provider.state("email_verified", is_verified);
        let page = provider.sign_in(&mut test.browser()).await;
        assert_eq!((page.status, page.location()), (303, "/tokens"));
    }
    assert_eq!(test.count("users", "email_verified_at IS NULL"), 3);
    // The provider states it later.
    provider.state("email_verified", json!(true));
    provider.sign_in(&mut test.browser()).await;
    assert_eq!(test.count("users", "email_verified_at IS NULL"), 2);
    assert_eq!(test.events("user.email_verified"), 1);
}

#[actix_web::test]
async fn each_algorithm_works_and_replaced_keys_are_found() {
    let provider = Provider::start();
    let test = provider.server("").await;
    for (signing, fetched) in [
        (Signing::Rs256, 1),
        (Signing::Es256, 1),
        (Signing::EdDsa, 1),
    ] {
        provider.desk().signing = signing;
        let page = provider.sign_in(&mut test.browser()).await;
        assert_eq!(page.location(), "/tokens", "{signing:?}");
        assert_eq!(provider.requests("/keys"), fetched);
    }
    // A new key: the server asks again, but not each time.
    test.clock.advance(31);
    provider.desk().key_id = "second".to_owned();
    for _ in 0..2 {
        let page = provider.sign_in(&mut test.browser()).await;
        assert_eq!(page.location(), "/tokens");
        assert_eq!(provider.requests("/keys"), 2);
    }
    assert_eq!(provider.requests("/.well-known/openid-configuration"), 1);
    let mut refused = 0;
    provider.desk().key_id = "third".to_owned();
    for _ in 0..5 {
        let page = provider.sign_in(&mut test.browser()).await;
        refused += usize::from(page.location().ends_with("provider-failed"));
    }
    assert_eq!(
        (refused, provider.requests("/keys")),
        (5, 2),
        "unbounded requests for keys"
    );
    test.clock.advance(31);
    assert_eq!(
        provider.sign_in(&mut test.browser()).await.location(),
        "/tokens"
    );
}

/// A provider may replace a key without an id, or sign with one of several.
#[actix_web::test]
async fn replaced_key_without_an_id_is_found() {
    let provider = Provider::start();
    let test = provider.server("").await;
    provider.desk().signing = Signing::Es256;
    let without_ids = |desk: &mut Desk| {
        let mut keys = desk.keys();
        for key in keys["keys"].as_array_mut().unwrap() {
            key.as_object_mut().unwrap().remove("kid");
        }
        desk.instead = Box::new(move |path, _| (path == "/keys").then(|| (200, keys.clone())));
    };
    without_ids(&mut provider.desk());
    provider.sign_in(&mut test.browser()).await;
    test.clock.advance(31);
    let another = Provider::start().desk().ec.clone();
    provider.desk().ec = another;
    without_ids(&mut provider.desk());
    let page = provider.sign_in(&mut test.browser()).await;
    assert_eq!(page.location(), "/tokens");
}

#[actix_web::test]
async fn old_answer_of_a_provider_is_not_used_for_more_than_a_day() {
    let provider = Provider::start();
    let test = provider.server("").await;
    provider.sign_in(&mut test.browser()).await;
    provider.desk().instead = Box::new(|_, _| Some((503, json!({}))));
    let begin = format!("/login/with/{ID}");
    for (passed, works) in [(82_800, true), (7_200, false), (1, false)] {
        test.clock.advance(passed);
        for _ in 0..2 {
            let page = test.browser().get(&begin).await;
            let at_provider = page.location().starts_with(&provider.url);
            assert_eq!(at_provider, works, "{passed}: {}", page.location());
        }
    }
}

#[actix_web::test]
async fn flag_of_the_address_is_asked_for_if_domains_are_limited() {
    let provider = Provider::start();
    let test = provider.server("email_domains = [\"acme.example\"]").await;
    provider.alter(|claims| drop(claims.remove("email_verified")));
    let page = provider.sign_in(&mut test.browser()).await;
    assert_eq!(page.location(), "/tokens");
}

#[actix_web::test]
async fn userinfo_completes_the_claims() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let info = json!({"email": ADA, "email_verified": true});
    {
        let mut desk = provider.desk();
        desk.user.remove("email");
        desk.user.remove("email_verified");
        desk.info = info.as_object().unwrap().clone();
    }
    let mut browser = test.browser();
    assert_eq!(provider.sign_in(&mut browser).await.location(), "/tokens");
    assert_eq!(address_in(&mut browser).await, ADA);
    // Of another user: nothing of it counts.
    provider.desk().info.insert("sub".to_owned(), json!("eve"));
    let page = provider.sign_in(&mut test.browser()).await;
    assert!(
        page.location().ends_with("provider-failed"),
        "{}",
        page.location()
    );
    provider.desk().info.clear();
    provider.state("sub", json!("without-an-address"));
    let page = provider.sign_in(&mut test.browser()).await;
    assert!(
        page.location().ends_with("provider-no-email"),
        "{}",
        page.location()
    );
}

#[actix_web::test]
async fn only_listed_domains_and_groups_enter() {
    let provider = Provider::start();
    let keys = "email_domains = [\"ACME.example\"]\nallowed_groups = [\"staff\"]";
    let test = provider.server(keys).await;
    for (email, is_verified, groups) in [
        ("ada@acme.example", false, json!(["staff"])),
        ("ada@sub.acme.example", true, json!(["staff"])),
        ("ada@acme.example.evil.example", true, json!(["staff"])),
        ("ada@acme.example", true, json!(["guests"])),
        ("ada@acme.example", true, json!("Staff")),
        ("ada@acme.example", true, json!(null)),
    ] {
        provider.is_asked_by("eve", email);
        provider.state("email_verified", json!(is_verified));
        provider.state("groups", groups);
        let page = provider.sign_in(&mut test.browser()).await;
        assert_refused(&test, &page, "provider-not-admitted");
    }
    provider.is_asked_by("ada", "ada@acme.example");
    provider.state("groups", json!(["guests", "staff"]));
    assert_eq!(
        provider.sign_in(&mut test.browser()).await.location(),
        "/tokens"
    );
}

#[actix_web::test]
async fn new_users_can_be_refused_and_the_first_one_needs_the_setup_link() {
    let provider = Provider::start();
    let test = provider.server("create_users = false").await;
    let page = provider.sign_in(&mut test.browser()).await;
    assert_refused(&test, &page, "provider-not-admitted");

    let test = TestApp::empty(&provider.settings("")).await;
    provider.follow(&test);
    let page = provider.sign_in(&mut test.browser()).await;
    assert_refused(&test, &page, "provider-not-admitted");
    assert_eq!(test.count("users", "1 = 1"), 0);
}

#[actix_web::test]
async fn deactivated_user_does_not_enter() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    test.deactivate(ADA).await;
    let page = provider.sign_in(&mut test.browser()).await;
    assert!(
        page.location().ends_with("provider-not-admitted"),
        "{}",
        page.location()
    );
    assert_eq!(browser.get("/tokens").await.status, 303);
    test.settle().await;
    assert_eq!(test.events("session.refused"), 1);
}

/// BRT-03 for a user who has no password: no password is right, and the answer is that of any other
/// address.
#[actix_web::test]
async fn user_without_a_password_cannot_sign_in_with_one() {
    let provider = Provider::start();
    let test = provider.server("").await;
    provider.sign_in(&mut test.browser()).await;
    for password in ["", " ", PASSWORD] {
        let page = test.browser().try_sign_in(ADA, password).await;
        assert_eq!(page.status, 401, "{password:?}");
    }
}

#[actix_web::test]
async fn disabled_provider_admits_nobody_also_not_by_an_earlier_session() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    let begin = browser.get(&format!("/login/with/{ID}")).await;
    let back = provider.approve(begin.location());
    for settings in [provider.settings("enabled = false"), String::new()] {
        let disabled = test.second_server(&settings).await;
        let mut there = browser.at(&disabled.url);
        assert!(!there.get("/login").await.contains("Sign in with Acme"));
        assert_eq!(there.get(&format!("/login/with/{ID}")).await.status, 404);
        assert_eq!(there.get(&back).await.status, 404);
        assert_eq!(
            there.get("/tokens").await.location(),
            "/login?return_to=%2Ftokens"
        );
    }
    // The session is gone, also once the provider is enabled again.
    assert_eq!(browser.get("/tokens").await.status, 303);
    assert_eq!(test.count("session", "1 = 1"), 0);
    assert_eq!(provider.sign_in(&mut browser).await.location(), "/tokens");
}

#[actix_web::test]
async fn without_passwords_only_providers_and_reset_links_sign_in() {
    let provider = Provider::start();
    let settings = format!("[sign_in]\npasswords = \"off\"\n{}", provider.settings(""));
    let test = TestApp::with(&settings).await;
    provider.follow(&test);
    let mut browser = test.browser();
    let login = browser.get("/login").await;
    assert!(login.contains("Sign in with Acme") && login.field("password").is_none());
    assert_eq!(browser.get("/forgot").await.location(), "/login");
    // The form of a server that still has passwords.
    let other = test.second_server(&provider.settings("")).await;
    let mut there = browser.at(&other.url);
    there.get("/login").await;
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    let page = there.at(&test.url).post("/login", &fields).await;
    assert!(
        page.contains("This site has no passwords."),
        "{}",
        page.body
    );
    assert_eq!(test.count("session", "1 = 1"), 0);
    assert_eq!(provider.sign_in(&mut browser).await.location(), "/tokens");

    // The operator's link lets an owner in if the provider fails.
    let id = test
        .database
        .text(&format!("SELECT id FROM users WHERE email = '{EMAIL}'"));
    let made = test
        .anon()
        .post(test.at(&format!("/v1/users/{id}/password-reset")))
        .bearer_auth(OPERATOR)
        .header("idempotency-key", "one")
        .json(&json!({}));
    let made = Answer::of(made.send().await.unwrap()).await;
    let url = made.body["url"].as_str().unwrap();
    let mut owner = test.browser();
    let page = owner.get(url.strip_prefix(&test.url).unwrap()).await;
    let link = page.field("link").unwrap();
    let fields = [
        ("link", link.as_str()),
        ("new_password", "marble ocean bicycle seven"),
    ];
    assert_eq!(owner.post_only("/reset", &fields).await.status, 303);
    assert_eq!(owner.get("/o/acme/members").await.status, 200);
}

#[actix_web::test]
async fn first_sign_ins_at_once_create_one_user() {
    let provider = Provider::start();
    let test = provider.server("").await;
    let mut returning = Vec::new();
    for _ in 0..20 {
        let mut browser = test.browser();
        let begin = browser.get(&format!("/login/with/{ID}")).await;
        let back = provider.approve(begin.location());
        returning.push(async move { browser.get(&back).await });
    }
    for page in futures_util::future::join_all(returning).await {
        assert_eq!((page.status, page.location()), (303, "/tokens"));
    }
    assert_eq!(test.count("users", &format!("email = '{ADA}'")), 1);
    assert_eq!(test.count("identity", "1 = 1"), 1);
    assert_eq!(test.count("session", "issuer IS NOT NULL"), 20);
    assert_eq!(test.events("identity.linked"), 1);
}
