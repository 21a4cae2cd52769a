//! The mail of an invitation is lost: its recipient and its sender have it sent again.

use super::{link_of, path_in, try_join, with_mail};
use crate::support::browser::Browser;
use crate::support::device::Answer;
use crate::support::smtp::{Received, Sink};
use crate::support::{EMAIL, OPERATOR, TestApp, http};
use reqwest::Method;
use serde_json::{Value, json};

const EVE: &str = "eve@example.com";

/// A mail server that rejects the first message for good.
fn losing() -> Sink {
    Sink::start(&["550 no such mailbox"])
}

/// The owner invites Eve on the page. Returns the browser and the path of the link that it shows.
async fn invite(test: &TestApp) -> (Browser, String) {
    let mut owner = test.user().await;
    owner.get("/o/acme/members").await;
    let fields = [("role", "member"), ("email", EVE)];
    let page = owner.post("/o/acme/invitations", &fields).await;
    assert!(page.contains("It was sent to eve@example.com."));
    let (_, link) = page.body.split_once("/invite?link=").unwrap();
    let link = format!("/invite?link={}", &link[..64]);
    (owner, link)
}

/// The mailed path, with which no other user than its recipient can enter.
async fn mailed(test: &TestApp, letter: &Received) -> String {
    assert_eq!(letter.header("To"), EVE);
    assert_eq!(letter.header("Subject"), "Ada invites you to Acme");
    path_in(test, letter, "/invite")
}

/// Eve got the link from the inviter, as the page says, and the mail is lost. She has it sent again
/// and joins.
#[actix_web::test]
async fn recipient_has_a_lost_invitation_sent_again() {
    let sink = losing();
    let test = with_mail(&sink, "").await;
    let (_, shown) = invite(&test).await;
    let lost = mailed(&test, &sink.next()).await;
    let mut eve = test.browser();
    let page = eve.get(&shown).await;
    assert!(page.contains("Open the link in the mail to eve@example.com."));
    assert!(page.contains(">Send again</button>") && page.field("password").is_none());
    let fields = [("link", link_of(&shown)), ("email", EVE)];
    let sent = eve.post("/invite/account", &fields).await;
    assert!(sent.contains("The mail is on its way."), "{}", sent.body);
    let newest = mailed(&test, &sink.next()).await;
    assert_eq!(test.browser().get(&lost).await.status, 404);

    // Three times a day, and to no other address.
    let other = [("link", link_of(&shown)), ("email", "mallory@example.com")];
    assert_eq!(eve.post("/invite/account", &other).await.status, 422);
    for _ in 0..2 {
        assert_eq!(eve.post("/invite/account", &fields).await.status, 200);
        sink.next();
    }
    assert_eq!(eve.post("/invite/account", &fields).await.status, 429);
    assert_eq!(test.browser().get(&newest).await.status, 404);
    test.clock.advance(24 * 3_600);
    assert_eq!(eve.post("/invite/account", &fields).await.status, 200);
    let newest = mailed(&test, &sink.next()).await;
    let (_, joined) = try_join(&test, &newest, EVE).await;
    assert_eq!(joined.location(), "/o/acme?done=joined");
    let is_verified = format!("email = '{EVE}' AND email_verified_at IS NOT NULL");
    assert_eq!(test.count("users", &is_verified), 1);
    assert_eq!(test.events("invitation.mailed"), 4);
}

/// Sends an invitation again by the API, twice with the same key.
async fn send(test: &TestApp, id: &str, key: &str) -> Answer {
    let path = format!("/v1/orgs/acme/invitations/{id}/send");
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = http().request(Method::POST, test.at(&path));
        let request = request
            .bearer_auth(OPERATOR)
            .header("idempotency-key", key)
            .json(&json!({}));
        answers.push(Answer::of(request.send().await.unwrap()).await);
    }
    if answers[0].status == 202 {
        assert_eq!(answers[0].body, answers[1].body);
    }
    answers.remove(0)
}

/// The owner sends the mail again, on the page and by the API, within the limits of invitations.
#[actix_web::test]
async fn sender_sends_a_lost_invitation_again() {
    let sink = losing();
    let test = with_mail(&sink, "").await;
    let (mut owner, shown) = invite(&test).await;
    let lost = mailed(&test, &sink.next()).await;
    let page = owner.get("/o/acme/members").await;
    let (_, rest) = page.body.split_once("/o/acme/invitations/").unwrap();
    let id = &rest[..36];
    let form = format!("/o/acme/invitations/{id}/send");
    assert!(
        page.contains(&format!("action=\"{form}\"")),
        "{}",
        page.body
    );
    let sent = owner.post(&form, &[]).await;
    assert_eq!(sent.location(), "/o/acme/members?done=mailed");
    let page = owner.get(sent.location()).await;
    assert!(page.contains("The invitation was sent again."));
    let second = mailed(&test, &sink.next()).await;
    assert_eq!(test.browser().get(&lost).await.status, 404);

    let answer = send(&test, id, "first").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(answer.body["mail"], "sent");
    assert_eq!(answer.body["id"], id);
    let third = mailed(&test, &sink.next()).await;
    assert_eq!(test.browser().get(&second).await.status, 404);

    // An address gets three invitations a day. The link of the last mail still works.
    assert_eq!(owner.post(&form, &[]).await.status, 429);
    assert_eq!(send(&test, id, "second").await.status, 429);
    assert!(sink.is_empty());
    let (_, joined) = try_join(&test, &third, EVE).await;
    assert_eq!(joined.location(), "/o/acme?done=joined");
    assert_eq!(test.browser().get(&shown).await.status, 404);
    assert_eq!(owner.post(&form, &[]).await.status, 404);
}

/// Without an address or a mail server there is no mail to send, and the answer says what to do.
#[actix_web::test]
async fn invitation_without_mail_is_not_sent_again() {
    let sink = Sink::start(&[]);
    let with_mail = with_mail(&sink, "").await;
    let without_mail = TestApp::start().await;
    for (test, email, expected) in [
        (&with_mail, Value::Null, "Create one with the address"),
        (&without_mail, json!(EVE), "This server sends no mail."),
    ] {
        let request = http()
            .post(test.at("/v1/orgs/acme/invitations"))
            .bearer_auth(OPERATOR)
            .header("idempotency-key", "invite")
            .json(&json!({"role": "member", "email": email}));
        let made = Answer::of(request.send().await.unwrap()).await;
        let id = made.body["id"].as_str().unwrap();
        let answer = send(test, id, "send").await;
        assert_eq!(answer.status, 409, "{answer:?}");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{detail}");
        let mut owner = test.user().await;
        assert!(!owner.get("/o/acme/members").await.contains(">Send again<"));
    }
    assert!(sink.is_empty());
}

/// A name that mail programs turn into a link is not in the mail that a visitor requests.
#[actix_web::test]
async fn requested_mail_has_no_url_of_the_inviter() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let lure = "Your account is locked: https://evil.example";
    test.database.execute(&format!(
        "UPDATE users SET name = '{lure}' WHERE email = '{EMAIL}'"
    ));
    let invitation = super::invite(&test, None).await;
    let mut visitor = test.browser();
    visitor.get(&invitation).await;
    let fields = [("link", link_of(&invitation)), ("email", EVE)];
    let sent = visitor.post("/invite/account", &fields).await;
    assert!(sent.contains("The mail is on its way."), "{}", sent.body);
    let letter = sink.next();
    assert_eq!(
        letter.header("Subject"),
        "An admin of Acme invites you to Acme"
    );
    assert!(!letter.body().contains("evil.example"), "{letter:?}");
}
