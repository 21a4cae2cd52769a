//! `/devices`: browsers and terminals that are signed in, and signing them out.

use crate::support::browser::{Browser, Page};
use crate::support::device::Device;
use crate::support::{CLI, EMAIL, PASSWORD, TestApp};
use doorcode::domain::role::Role;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

/// A new sign-in of Ada's with this user agent.
async fn browser(test: &TestApp, user_agent: &str) -> Browser {
    let mut browser = test.browser();
    browser.set_header("user-agent", user_agent);
    browser.sign_in(EMAIL, PASSWORD).await;
    browser
}

/// Signs a device in with this name. Returns its token.
async fn terminal(test: &TestApp, browser: &mut Browser, name: &str) -> String {
    let form = [
        ("client_id", CLI),
        ("scope", "tokens:read tokens:write"),
        ("device_name", name),
    ];
    let device = Device::of(&test.oauth("/auth/device", &form).await);
    let scopes = ["tokens:read", "tokens:write"];
    browser.approve(&device.user_code, &scopes).await;
    test.poll(&device).await.token()
}

/// The names in the list, from top to bottom.
fn names(page: &Page) -> Vec<&str> {
    assert_eq!(page.status, 200);
    let rows = page.body.split(r#"<span class="name">"#);
    // The first name is that of the user, in the account menu.
    let rows = rows.skip(2);
    rows.map(|row| row.split_once('<').unwrap().0).collect()
}

/// The path of the question page of the device with this name.
fn question(page: &Page, name: &str) -> String {
    let label = format!(r#"" aria-label="Sign out {name}"#);
    let (before, _) = page.body.split_once(&label).expect("a device");
    before.rsplit_once("href=\"").unwrap().1.to_owned()
}

async fn is_active(test: &TestApp, token: &str) -> bool {
    test.me(token).await.status() == 200
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/devices").await.status == 200
}

/// A user finds the phone that was lost and signs it out; the other devices go on.
#[actix_web::test]
async fn lost_phone_is_found_and_signed_out() {
    let test = TestApp::start().await;
    let mut phone = browser(&test, IPHONE).await;
    test.clock.advance(600);
    let mut desk = browser(&test, FIREFOX).await;
    let laptop = terminal(&test, &mut desk, "ada-laptop").await;

    let page = desk.get("/devices").await;
    assert_eq!(
        names(&page),
        ["Firefox on Linux", "ada-laptop", "Safari on iPhone"]
    );
    assert_eq!(page.body.matches("This browser").count(), 1);
    for fact in [
        "127.0.0.1",
        "The cli · approved",
        "2 scopes",
        "Console session",
        "Never used",
    ] {
        assert!(page.contains(fact), "{fact}");
    }

    let path = question(&page, "Safari on iPhone");
    let asked = desk.get(&path).await;
    assert!(asked.contains("Sign out “Safari on iPhone”?"));
    assert!(is_signed_in(&mut phone).await, "a question changes nothing");
    let done = desk.post_only(&path, &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/devices?done=browser")
    );
    let page = desk.get("/devices?done=browser").await;
    assert!(page.contains("That browser is signed out."));
    assert_eq!(names(&page), ["Firefox on Linux", "ada-laptop"]);
    assert!(!is_signed_in(&mut phone).await);
    assert!(is_active(&test, &laptop).await);
    assert_eq!(test.events("session.ended"), 1);

    // Sent twice, the form says the same.
    let again = desk.post_only(&path, &[]).await;
    assert_eq!(
        (again.status, again.location()),
        (303, "/devices?done=browser")
    );
    assert_eq!(test.events("session.ended"), 1);
}

/// Two sign-ins on one terminal are one device, which ends with what was created on it. Tokens of
/// the console are no devices.
#[actix_web::test]
async fn terminal_is_signed_out_with_all_its_tokens() {
    let test = TestApp::start().await;
    let mut desk = browser(&test, FIREFOX).await;
    let own = desk
        .new_token("Build server", &["tokens:read"], "90d")
        .await;
    let first = terminal(&test, &mut desk, "ada-laptop").await;
    let second = terminal(&test, &mut desk, "ada-laptop").await;
    let other = terminal(&test, &mut desk, "build-runner").await;
    let created = test
        .anon()
        .post(test.at("/v1/tokens"))
        .bearer_auth(&second)
        .header("idempotency-key", "1")
        .json(&serde_json::json!({"name": "child", "scopes": ["tokens:read"], "expires": "30d"}))
        .send()
        .await
        .unwrap();
    assert_eq!(created.status(), 201);
    let created: serde_json::Value = created.json().await.unwrap();
    let child = created["secret"].as_str().or(created["token"].as_str());
    let child = child.expect("a secret").to_owned();

    let page = desk.get("/devices").await;
    let mut listed = names(&page);
    listed.sort_unstable();
    assert_eq!(listed, ["Firefox on Linux", "ada-laptop", "build-runner"]);
    assert!(page.contains("· 2 tokens"));

    let path = question(&page, "ada-laptop");
    assert!(desk.get(&path).await.contains("Its 2 tokens are revoked"));
    let done = desk.post_only(&path, &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/devices?done=terminal")
    );
    for (token, expected) in [
        (&first, false),
        (&second, false),
        (&child, false),
        (&other, true),
        (&own, true),
    ] {
        assert_eq!(is_active(&test, token).await, expected);
    }
    let reason = |reason: &str| test.count("token", &format!("revoked_reason = '{reason}'"));
    assert_eq!((reason("signed_out"), reason("creator_revoked")), (2, 1));

    // Again, it changes nothing; the question has no object any more.
    let records = test.events("token.revoked");
    assert_eq!(desk.post_only(&path, &[]).await.status, 303);
    assert_eq!(test.events("token.revoked"), records);
    assert_eq!(desk.get(&path).await.status, 404);
}

/// After a leak, one press leaves this browser alone. A device that is approved and has no token
/// yet gets none.
#[actix_web::test]
async fn all_others_are_signed_out() {
    let test = TestApp::start().await;
    let mut phone = browser(&test, IPHONE).await;
    test.clock.advance(600);
    let mut desk = browser(&test, FIREFOX).await;
    let own = desk
        .new_token("Build server", &["tokens:read"], "90d")
        .await;
    let laptop = terminal(&test, &mut desk, "ada-laptop").await;
    let waiting = test.device("tokens:read").await;
    desk.approve(&waiting.user_code, &["tokens:read"]).await;

    let asked = desk.get("/devices/sign-out-others").await;
    assert!(asked.contains("Sign out all 2 other devices?"));
    assert_eq!(names(&asked), ["ada-laptop", "Safari on iPhone"]);
    let done = desk.post_only("/devices/sign-out-others", &[]).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/devices?done=others")
    );
    let page = desk.get("/devices?done=others").await;
    assert_eq!(names(&page), ["Firefox on Linux"]);
    assert!(
        !page.contains("/devices/sign-out-others"),
        "there is no other"
    );
    assert!(!is_signed_in(&mut phone).await);
    assert!(!is_active(&test, &laptop).await);
    assert!(is_active(&test, &own).await);
    assert_eq!(test.poll(&waiting).await.error(), "access_denied");
    let activity = desk.get("/account/activity").await;
    assert!(activity.contains("signed out of other browsers"));
    let nothing = desk.get("/devices/sign-out-others").await;
    assert!(nothing.contains("No other device is signed in"));
}

/// Two browsers press at once: one of them stays signed in, and the other has to sign in.
#[actix_web::test]
async fn of_two_browsers_that_sign_out_all_others_one_stays() {
    let test = TestApp::start().await;
    let mut one = browser(&test, FIREFOX).await;
    let mut two = browser(&test, IPHONE).await;
    for browser in [&mut one, &mut two] {
        browser.get("/devices/sign-out-others").await;
    }
    let (first, second) = tokio::join!(
        one.post_only("/devices/sign-out-others", &[]),
        two.post_only("/devices/sign-out-others", &[]),
    );
    assert_eq!((first.status, second.status), (303, 303));
    let stays = [is_signed_in(&mut one).await, is_signed_in(&mut two).await];
    assert_eq!(stays.iter().filter(|stays| **stays).count(), 1, "{stays:?}");
    assert_eq!(test.count("session", "1 = 1"), 1);
}

/// A device belongs to its user alone.
#[actix_web::test]
async fn devices_of_another_user_are_not_found() {
    let test = TestApp::start().await;
    let mut ada = browser(&test, FIREFOX).await;
    let mut phone = browser(&test, IPHONE).await;
    let laptop = terminal(&test, &mut ada, "ada-laptop").await;
    let page = ada.get("/devices").await;
    let paths = ["ada-laptop", "Safari on iPhone"].map(|name| question(&page, name));
    let member = Some(("Acme", Role::Member));
    test.add_user("bob@example.com", PASSWORD, member).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    assert!(!bob.get("/devices").await.contains("ada-laptop"));
    for path in &paths {
        assert_eq!(bob.get(path).await.status, 404, "{path}");
        bob.get("/devices/sign-out-others").await;
        bob.post_only(path, &[]).await;
    }
    assert!(is_active(&test, &laptop).await && is_signed_in(&mut phone).await);
    for path in [
        "/devices/browsers/x/sign-out",
        "/devices/terminals/x/sign-out",
    ] {
        assert_eq!(ada.get(path).await.status, 404, "{path}");
    }
    let stranger = test.browser().get(&paths[0]).await;
    assert_eq!(stranger.status, 303);
    assert!(
        stranger
            .location()
            .starts_with("/login?return_to=%2Fdevices")
    );
}
