//! `/account/security`: sessions, notices, and users without a password.

use crate::email::{path_in, with_mail};
use crate::support::browser::Browser;
use crate::support::provider::{ID, Provider};
use crate::support::smtp::{Received, Sink};
use crate::support::{EMAIL, PASSWORD, TestApp};

const PAGE: &str = "/account/security";
const BRAND: &str = "[branding]\nname = \"Acme Cloud\"\n";

/// A browser of Ada with this name, from this address.
async fn browser(test: &TestApp, agent: &str, address: &str) -> Browser {
    let mut browser = test.browser();
    browser.set_header("user-agent", agent);
    browser.set_header("x-forwarded-for", address);
    browser.sign_in(EMAIL, PASSWORD).await;
    browser
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/account").await.status == 200
}

/// The place in words, beside the address.
#[actix_web::test]
async fn sessions_show_where_they_began() {
    let test = TestApp::with("[server]\ntrusted_proxies = [\"127.0.0.1\"]").await;
    let mut here = browser(&test, "Here/1.0", "203.0.113.7").await;
    browser(&test, "Near/1.0", "203.0.113.200").await;
    browser(&test, "Far/1.0", "198.51.100.3").await;
    let page = here.get(PAGE).await;
    for (agent, place) in [
        ("Here/1.0", "Your network now · 203.0.113.7 ·"),
        ("Near/1.0", "Your network now · 203.0.113.200 ·"),
        ("Far/1.0", "Another network · 198.51.100.3 ·"),
    ] {
        let (_, row) = page.body.split_once(agent).unwrap();
        let row = row.split("</li>").next().unwrap();
        assert!(row.contains(place), "{agent}: {row}");
        assert!(
            row.contains("last seen") && row.contains("signed in"),
            "{row}"
        );
    }
    // Without a configured proxy, an address may be that of one, and says nothing.
    let test = TestApp::start().await;
    let mut alone = browser(&test, "Here/1.0", "203.0.113.7").await;
    let page = alone.get(PAGE).await;
    assert!(!page.contains("Your network now"), "{}", page.body);
}

#[actix_web::test]
async fn all_other_sessions_are_signed_out_at_once() {
    let test = TestApp::start().await;
    let token = test.token(&["tokens:read"]).await;
    let mut here = test.user().await;
    let (mut one, mut two) = (test.user().await, test.user().await);
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    assert!(here.get(PAGE).await.contains("Sign out all others"));
    let done = here.post("/account/sessions/sign-out-others", &[]).await;
    assert_eq!(done.location(), "/account/security?done=sessions");
    let page = here.get(done.location()).await;
    assert!(page.contains("Your other sessions are signed out."));
    assert!(!page.contains("Sign out all others"), "none is left");
    assert!(is_signed_in(&mut here).await && is_signed_in(&mut bob).await);
    assert!(!is_signed_in(&mut one).await && !is_signed_in(&mut two).await);
    assert_eq!(test.me(&token).await.status(), 200, "terminals stay");
    assert_eq!(test.events("session.ended"), 1);
}

#[actix_web::test]
async fn password_managers_find_the_form() {
    let test = TestApp::start().await;
    let mut user = test.user().await;
    let known = user.get("/.well-known/change-password").await;
    assert_eq!((known.status, known.location()), (303, PAGE));
    assert!(user.get(PAGE).await.contains(r#"name="current_password""#));
    let mut stranger = test.browser();
    let known = stranger.get("/.well-known/change-password").await;
    assert_eq!((known.status, known.location()), (303, PAGE));
    let login = stranger.get(PAGE).await;
    assert_eq!(login.location(), "/login?return_to=%2Faccount%2Fsecurity");

    // After a while, the page asks for a new sign-in in place of the form.
    test.clock.advance(600);
    let stale = user.get(PAGE).await;
    assert!(!stale.contains(r#"name="current_password""#));
    let again = "/login?return_to=%2Faccount%2Fsecurity&#38;notice=again";
    assert!(stale.contains(again), "{}", stale.body);
}

/// The next message: its subject, and that it names the page and the brand.
fn notice(sink: &Sink, test: &TestApp) -> (String, Received) {
    let letter = sink.next();
    let text = letter.text();
    assert!(text.contains(&test.at(PAGE)), "{text}");
    assert!(
        text.contains("Acme Cloud") && !text.contains("Doorcode"),
        "{text}"
    );
    assert!(text.contains("If you did not change it"), "{text}");
    (letter.header("Subject"), letter)
}

/// Each change of how a user signs in is told to the user.
#[actix_web::test]
async fn security_changes_are_mailed() {
    let sink = Sink::start(&[]);
    let provider = Provider::start();
    let settings = format!("{BRAND}{}", provider.settings(""));
    let test = with_mail(&sink, &settings).await;
    provider.follow(&test);
    let verify = "UPDATE users SET email_verified_at = created_at";
    test.database.execute(verify);
    let mut user = test.user().await;
    test.user().await;
    let ended = "Sessions of your account on Acme Cloud were ended";
    let changed = "How you sign in to Acme Cloud was changed";

    user.get(PAGE).await;
    user.post("/account/sessions/sign-out-others", &[]).await;
    assert_eq!(notice(&sink, &test).0, ended);
    let begin = format!("/login/with/{ID}?connect=yes&return_to=%2Faccount");
    let page = provider.sign_in_at(&mut user, &begin).await;
    let link = user.get(page.location()).await.field("link").unwrap();
    user.post_only("/login/connect", &[("link", &link)]).await;
    let (subject, letter) = notice(&sink, &test);
    assert_eq!(subject, changed);
    assert!(letter.text().contains("Acme was connected to your account"));
    user.get(PAGE).await;
    let issuer = [("issuer", provider.url.as_str())];
    user.post("/account/identities/disconnect", &issuer).await;
    let (subject, letter) = notice(&sink, &test);
    assert_eq!(subject, changed);
    assert!(letter.text().contains("Acme was disconnected"));
    // One other session, and then this one, which its user ends in it.
    let mut other = test.user().await;
    let page = other.get(PAGE).await;
    let ids: Vec<_> = page.body.split("/account/sessions/").skip(1).collect();
    let own = page.body.split("This browser").nth(1).unwrap();
    let own = own.split("/account/sessions/").nth(1).unwrap();
    let id = |text: &str| text.split('/').next().unwrap().to_owned();
    let there = ids.iter().find(|one| id(one) != id(own)).unwrap();
    let path = format!("/account/sessions/{}/sign-out", id(there));
    other.post(&path, &[]).await;
    assert_eq!(notice(&sink, &test).0, ended);
    other.post("/logout", &[]).await;
    assert!(sink.is_empty(), "the user knows");
}

/// A user of a provider changes the address with a recent sign-in alone.
#[actix_web::test]
async fn user_without_a_password_changes_the_address() {
    let sink = Sink::start(&[]);
    let provider = Provider::start();
    let test = with_mail(&sink, &provider.settings("")).await;
    provider.follow(&test);
    let mut user = test.browser();
    provider.sign_in(&mut user).await;
    let page = user.get("/account").await;
    assert!(page.contains(r#"name="new_email""#) && !page.contains("email_password"));
    let fields = [("new_email", "new@acme.example")];
    let sent = user.post_only("/account/email", &fields).await;
    assert_eq!(sent.location(), "/account?done=email-link");
    let path = path_in(&test, &sink.next(), "/account/email/confirm");
    user.get(&path).await;
    let link = path.split_once('=').unwrap().1.to_owned();
    user.post("/account/email/confirm", &[("link", &link)])
        .await;
    assert_eq!(test.count("users", "email = 'new@acme.example'"), 1);
    // Not with an old one.
    test.clock.advance(600);
    user.get("/account").await;
    let late = user.post_only("/account/email", &fields).await;
    assert!(late.location().ends_with("&notice=again"), "{late:?}");
}

/// Without passwords, a user who never connected a provider gets in with a link of the operator, and
/// connects one.
#[actix_web::test]
async fn operator_lets_a_user_in_where_passwords_are_off() {
    let provider = Provider::start();
    let settings = format!("[sign_in]\npasswords = \"off\"\n{}", provider.settings(""));
    let test = TestApp::with(&settings).await;
    provider.follow(&test);
    provider.is_asked_by("ada-at-acme", EMAIL);
    let mut browser = test.browser();
    let page = provider.sign_in(&mut browser).await;
    let closed = browser.get(page.location()).await;
    assert!(
        closed.contains("ask the operator of this site for a link"),
        "{}",
        closed.body
    );
    let wrong = browser
        .post("/login", &[("email", EMAIL), ("password", PASSWORD)])
        .await;
    assert_ne!(wrong.location(), "/tokens", "passwords are off");

    let operator = test.req(&crate::support::tenant::OPERATOR);
    let named = doorcode::app::user::Named::Email(EMAIL.to_owned());
    let reset = doorcode::app::user::create_reset(&operator, named)
        .await
        .unwrap();
    let link = reset.link.expose().to_owned();
    test.canaries.add(&link);
    let mut user = test.browser();
    let page = user.get(&format!("/reset?link={link}")).await;
    assert!(page.contains("This link works once.") && !page.contains("new_password"));
    let done = user.post_only("/reset", &[("link", &link)]).await;
    assert_eq!((done.status, done.location()), (303, PAGE));
    let begin = format!("/login/with/{ID}?connect=yes&return_to=%2Faccount");
    let page = provider.sign_in_at(&mut user, &begin).await;
    let link_of_identity = user.get(page.location()).await.field("link").unwrap();
    let fields = [("link", link_of_identity.as_str())];
    let connected = user.post_only("/login/connect", &fields).await;
    assert_eq!(connected.location(), "/account");

    // From now on the provider suffices, and the link is used.
    let mut later = test.browser();
    assert_eq!(provider.sign_in(&mut later).await.location(), "/tokens");
    let again = test.browser().get(&format!("/reset?link={link}")).await;
    assert_eq!(again.status, 404);
    assert_eq!(test.count("identity", "1 = 1"), 1);
}
