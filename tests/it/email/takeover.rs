//! An unverified address yields to a user who proves it.

use super::change::request_change;
use super::{GUEST, invite, is_proven, link_of, path_in, try_join, unverified, with_mail};
use crate::support::browser::Browser;
use crate::support::smtp::Sink;
use crate::support::{EMAIL, PASSWORD, TestApp};
use futures_util::future;

/// The password of the user who proves the address.
const OWN: &str = "marble ocean bicycle seven";

/// Heading of the form that creates an account.
const FORM: &str = "Or create an account";

fn id_of(test: &TestApp, email: &str) -> String {
    let sql = format!("SELECT id FROM users WHERE email = '{email}'");
    test.database.text(&sql)
}

/// Submits the form of an invitation with the guest's own name and password.
async fn accept(browser: &mut Browser, invitation: &str) -> crate::support::browser::Page {
    let fields = [
        ("link", link_of(invitation)),
        ("name", "Charles Babbage"),
        ("email", GUEST),
        ("password", OWN),
    ];
    browser.get("/login").await;
    browser.post("/invite/account", &fields).await
}

#[actix_web::test]
async fn mailed_invitation_takes_over_an_unverified_account() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut squatter = unverified(&test, GUEST).await;
    let token = squatter.new_token("kept", &["tokens:read"], "30d").await;
    let device = test.device("orgs:read").await;
    squatter.approve(&device.user_code, &["orgs:read"]).await;
    let user = id_of(&test, GUEST);
    // The squatter's account is a member of the organization of the invitation already.
    invite(&test, Some(GUEST)).await;
    let mailed = path_in(&test, &sink.next(), "/invite");

    let mut guest = test.browser();
    let page = guest.get(&mailed).await;
    assert_eq!(page.field("email").as_deref(), Some(GUEST));
    let joined = accept(&mut guest, &mailed).await;
    assert_eq!(joined.status, 303, "{}", joined.body);
    guest.get("/account").await;
    assert!(is_proven(&test, &mut guest, GUEST).await);
    assert_eq!(id_of(&test, GUEST), user);
    let named = "name = 'Charles Babbage'";
    assert_eq!(test.count("users", named), 1);
    assert_eq!(guest.get("/o/acme").await.status, 200);
    assert_eq!(test.browser().get(&mailed).await.status, 404);

    assert_eq!(squatter.get("/account").await.status, 303);
    assert_eq!(test.introspect(&token).await["active"], false);
    assert_eq!(test.poll(&device).await.error(), "access_denied");
    assert_eq!(test.count("account_link", "1 = 1"), 0);
    assert_eq!(
        test.browser().try_sign_in(GUEST, PASSWORD).await.status,
        401
    );
    test.browser().sign_in(GUEST, OWN).await;
    assert_eq!(test.events("user.password_reset"), 1);
    assert_eq!(test.events("user.email_verified"), 1);

    // A verified account is told to sign in, by the mailed link only.
    invite(&test, Some(GUEST)).await;
    let mailed = path_in(&test, &sink.next(), "/invite");
    let refused = accept(&mut test.browser(), &mailed).await;
    assert_eq!(refused.status, 422);
    assert!(refused.contains("You have an account with this email address. Sign in."));
}

/// An account that the operator deactivated stays as it is.
#[actix_web::test]
async fn deactivated_account_does_not_yield() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    unverified(&test, GUEST).await;
    test.deactivate(GUEST).await;
    invite(&test, Some(GUEST)).await;
    let mailed = path_in(&test, &sink.next(), "/invite");
    let refused = accept(&mut test.browser(), &mailed).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert_eq!(test.events("user.password_reset"), 0);
}

/// The inviter, who sees the other link, creates no account for the address and learns nothing.
#[actix_web::test]
async fn only_the_mailed_link_creates_a_user() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut answers = Vec::new();
    for email in [GUEST, "bob@example.com"] {
        let shown = invite(&test, Some(email)).await;
        let mailed = path_in(&test, &sink.next(), "/invite");
        let page = test.browser().get(&shown).await;
        assert!(page.field("password").is_none());
        assert!(page.contains("Open the link in the mail"), "{}", page.body);
        assert!(test.browser().get(&mailed).await.contains(FORM));
        let (_, answer) = try_join(&test, &shown, email).await;
        assert!(
            answer.contains("The mail is on its way."),
            "{}",
            answer.body
        );
        answers.push(answer.status);
        assert_eq!(sink.next().header("To"), email);
    }
    assert_eq!(answers, [200, 200]);
    assert_eq!(test.count("users", &format!("email = '{GUEST}'")), 0);

    // A user with the address joins with either link.
    let shown = invite(&test, Some("bob@example.com")).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get(&shown).await;
    let joined = bob.post("/invite", &[("link", link_of(&shown))]).await;
    assert_eq!(joined.status, 303, "{}", joined.body);
}

#[actix_web::test]
async fn confirmed_change_takes_an_unverified_address() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut squatter = unverified(&test, GUEST).await;
    let user = id_of(&test, GUEST);
    let mut owner = test.user().await;
    owner.get("/account").await;
    let sent = request_change(&mut owner, GUEST, PASSWORD).await;
    assert_eq!(sent.status, 303);
    let link = path_in(&test, &sink.next(), "/account/email/confirm");
    assert_eq!(squatter.get("/account").await.status, 200);
    owner.get(&link).await;
    let field = [("link", link_of(&link))];
    let changed = owner.post("/account/email/confirm", &field).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    assert_eq!(sink.next().header("To"), EMAIL);

    owner.get("/account").await;
    assert!(is_proven(&test, &mut owner, GUEST).await);
    let placeholder = format!("{user}@unverified.invalid");
    assert_eq!(id_of(&test, &placeholder), user);
    assert_eq!(squatter.get("/account").await.status, 303);
    for email in [GUEST, &placeholder] {
        let page = test.browser().try_sign_in(email, PASSWORD).await;
        assert_eq!(page.status == 303, email == GUEST, "{email}");
    }
    assert_eq!(test.count("account_link", "1 = 1"), 0);
    assert_eq!(test.events("user.email_changed"), 2, "one for each user");
    test.app.stop().await;
    assert!(sink.is_empty(), "the placeholder receives nothing");
}

/// Addresses with which a user could block the placeholder of another are refused.
#[actix_web::test]
async fn placeholders_cannot_be_registered() {
    let test = TestApp::start().await;
    let invitation = invite(&test, None).await;
    let (_, page) = try_join(&test, &invitation, "usr_1@unverified.invalid").await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"id="email-error""#));
}

/// Whether the new address is taken must not show in what happens to an earlier link.
#[actix_web::test]
async fn every_request_of_a_change_ends_the_earlier_link() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    for new in ["bob@example.com", "free@example.com"] {
        let mut owner = test.user().await;
        owner.get("/account").await;
        request_change(&mut owner, GUEST, PASSWORD).await;
        let link = path_in(&test, &sink.next(), "/account/email/confirm");
        assert_eq!(owner.get(&link).await.status, 200);
        request_change(&mut owner, new, PASSWORD).await;
        sink.next();
        assert_eq!(owner.get(&link).await.status, 404, "{new}");
        assert_eq!(test.count("account_link", "purpose = 'change'"), 1);
    }
}

/// Of concurrent proofs of one address, one wins, and the squatter keeps no session.
#[actix_web::test]
async fn concurrent_proofs_give_the_address_to_one_user() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut squatter = unverified(&test, GUEST).await;
    invite(&test, Some(GUEST)).await;
    let mailed = path_in(&test, &sink.next(), "/invite");
    let mut owner = test.user().await;
    owner.get("/account").await;
    request_change(&mut owner, GUEST, PASSWORD).await;
    let link = path_in(&test, &sink.next(), "/account/email/confirm");
    owner.get(&link).await;
    let field = [("link", link_of(&link))];
    let mut guest = test.browser();
    let (changed, joined) = future::join(
        owner.post("/account/email/confirm", &field),
        accept(&mut guest, &mailed),
    )
    .await;
    // Either the change takes the address first, or the guest verifies it first.
    let mut statuses = [changed.status, joined.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    let verified = format!("email = '{GUEST}' AND email_verified_at IS NOT NULL");
    assert_eq!(test.count("users", &verified), 1);
    assert_eq!(squatter.get("/account").await.status, 303);
}
