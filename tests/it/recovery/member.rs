//! Reset links that admins send to members.

use super::{NEW, id_of, reset_link, set_with, text, with_mail};
use crate::support::browser::{Browser, Page};
use crate::support::database::AUDIT;
use crate::support::smtp::Sink;
use crate::support::{EMAIL, PASSWORD, TestApp};
use doorcode::domain::role::Role;
use serde_json::{Value, json};

const ADMIN: &str = "grace@example.com";
const MEMBER: &str = "bob@example.com";
const OWNER: &str = "lin@example.com";

/// A server with mail, and a browser of each user of Acme and of a stranger.
async fn company(sink: &Sink) -> (TestApp, [Browser; 4]) {
    let test = with_mail(sink, "").await;
    let stranger = "eve@example.com";
    for (email, organization, role) in [
        (ADMIN, "Acme", Role::Admin),
        ("other@example.com", "Acme", Role::Admin),
        (MEMBER, "Acme", Role::Member),
        (OWNER, "Acme", Role::Owner),
        (stranger, "Rival", Role::Owner),
    ] {
        test.add_user(email, PASSWORD, Some((organization, role)))
            .await;
    }
    let mut browsers = [(); 4].map(|()| test.browser());
    for (browser, email) in browsers.iter_mut().zip([EMAIL, ADMIN, MEMBER, stranger]) {
        browser.sign_in(email, PASSWORD).await;
        browser.get("/account").await;
    }
    (test, browsers)
}

async fn send(test: &TestApp, browser: &mut Browser, email: &str) -> Page {
    let path = format!("/o/acme/members/{}/password-reset", id_of(test, email));
    browser.post(&path, &[]).await
}

/// Only users above the member send a link, which goes to the member alone.
#[actix_web::test]
async fn admin_sends_a_link_that_only_the_member_sees() {
    let sink = Sink::start(&[]);
    let (test, [mut owner, mut admin, mut member, mut stranger]) = company(&sink).await;
    for (browser, emails) in [
        (&mut member, &[ADMIN, MEMBER][..]),
        (&mut admin, &[EMAIL, "other@example.com", ADMIN]),
        (&mut owner, &[OWNER, EMAIL]),
        (&mut stranger, &[MEMBER]),
    ] {
        for email in emails {
            let page = send(&test, browser, email).await;
            assert_eq!(page.status, 403, "{email}: {}", page.body);
        }
    }
    for (browser, buttons) in [(&mut owner, 3), (&mut admin, 1), (&mut member, 0)] {
        let page = browser.get("/o/acme/members").await;
        let shown = page.body.matches(">Send password reset</button>").count();
        assert_eq!(shown, buttons, "{}", page.body);
    }
    assert_eq!(test.count("account_link", "1 = 1"), 0);

    for (browser, email) in [(&mut admin, MEMBER), (&mut owner, ADMIN)] {
        let sent = send(&test, browser, email).await;
        assert_eq!(sent.location(), "/o/acme/members?done=reset-sent");
        let page = browser.get(sent.location()).await;
        assert!(page.contains("The member gets a link"));
        let letter = sink.next();
        assert_eq!(letter.header("To"), email);
        let words = text(&letter);
        assert!(words.starts_with("Ada sent you a link"), "{words}");
        let link = reset_link(&words);
        assert!(!sent.body.contains(&link) && !page.body.contains(&link));
        let set = set_with(&mut test.browser(), &link, NEW).await;
        assert_eq!(set.status, 303, "{}", set.body);
        let subject = sink.next().header("Subject");
        assert_eq!(subject, "Your password for Doorcode was changed");
    }
    let record = "action = 'user.password_reset_requested' AND organization_id IS NOT NULL";
    assert_eq!(test.count(AUDIT, record), 2);
}

/// A message goes only to a verified address of an active user, three times a day.
#[actix_web::test]
async fn unproven_address_gets_no_letter() {
    let sink = Sink::start(&[]);
    let (test, [mut owner, ..]) = company(&sink).await;
    for _ in 0..3 {
        assert_eq!(send(&test, &mut owner, ADMIN).await.status, 303);
        assert_eq!(sink.next().header("To"), ADMIN);
    }
    assert_eq!(send(&test, &mut owner, ADMIN).await.status, 429);
    let sql = format!("UPDATE users SET email_verified_at = NULL WHERE email = '{MEMBER}'");
    test.database.execute(&sql);
    let page = send(&test, &mut owner, MEMBER).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(page.contains("The email address of the member is not verified."));
    test.deactivate("other@example.com").await;
    assert_eq!(
        send(&test, &mut owner, "other@example.com").await.status,
        422
    );
    let nobody = "/o/acme/members/usr_00000000000000000000000000000000/password-reset";
    assert_eq!(owner.post(nobody, &[]).await.status, 404);
    test.app.stop().await;
    assert!(sink.is_empty());
}

/// The API answers without the link, and a repetition sends no second message.
#[actix_web::test]
async fn repeated_call_sends_one_letter() {
    let sink = Sink::start(&[]);
    let (test, [mut owner, mut admin, ..]) = company(&sink).await;
    let scopes = ["orgs:read", "orgs:write"];
    let token = admin.new_token("admin", &scopes, "90d").await;
    let call = async |token: &str, email: &str| {
        let path = format!(
            "/v1/orgs/acme/members/{}/password-reset",
            id_of(&test, email)
        );
        let request = test.anon().post(test.at(&path)).bearer_auth(token);
        let request = request.header("idempotency-key", format!("one {email}"));
        let response = request
            .body("{}")
            .header("content-type", "application/json");
        let response = response.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let first = call(&token, MEMBER).await;
    assert_eq!(first.0, 202, "{first:?}");
    assert_eq!(
        first.1,
        r#"{"expires_at":"2026-11-22T12:30:00Z","mail":"sent"}"#
    );
    assert_eq!(call(&token, MEMBER).await, first);
    assert_eq!(sink.next().header("To"), MEMBER);
    assert_eq!(call(&token, EMAIL).await.0, 403);
    assert_eq!(call(&token, "other@example.com").await.0, 403);
    let token = owner.new_token("owner", &scopes, "90d").await;
    let (status, body) = call(&token, OWNER).await;
    assert_eq!(status, 403);
    assert!(body.contains("operator_required"), "{body}");
    test.app.stop().await;
    assert!(sink.is_empty());
}

/// All tokens of an organization share one count.
#[actix_web::test]
async fn tokens_of_an_organization_send_three_letters_a_day() {
    let sink = Sink::start(&[]);
    let (test, [mut owner, ..]) = company(&sink).await;
    let scopes = ["orgs:read", "orgs:write", "tokens:write"];
    let token = owner.new_token("owner", &scopes, "90d").await;
    let call = async |path: &str, token: &str, key: usize, body: &Value| {
        let request = test.anon().post(test.at(path)).bearer_auth(token);
        let request = request.header("idempotency-key", key.to_string());
        let response = request.json(body).send().await.unwrap();
        (
            response.status().as_u16(),
            response.json::<Value>().await.unwrap(),
        )
    };
    let mut tokens = Vec::new();
    for key in 0..2 {
        let input = json!({"name": format!("CI {key}"), "scopes": ["orgs:write"]});
        let (status, made) = call("/v1/orgs/acme/tokens", &token, key, &input).await;
        assert_eq!(status, 201, "{made}");
        tokens.push(made["token"].as_str().unwrap().to_owned());
        test.canaries.add(&tokens[key]);
    }
    let path = format!(
        "/v1/orgs/acme/members/{}/password-reset",
        id_of(&test, MEMBER)
    );
    for key in 0..4 {
        let (status, body) = call(&path, &tokens[key % 2], 10 + key, &json!({})).await;
        let expected = if key < 3 { 202 } else { 429 };
        assert_eq!(status, expected, "{key}: {body}");
    }
    // A user of the organization has another count.
    assert_eq!(send(&test, &mut owner, MEMBER).await.status, 303);
}

/// Mail programs would make a link of a name.
#[actix_web::test]
async fn name_like_a_url_is_in_no_message() {
    let sink = Sink::start(&[]);
    let (test, [mut owner, ..]) = company(&sink).await;
    test.database
        .execute("UPDATE users SET name = 'Locked: https://evil.example/x'");
    for (organization, shown) in [("Acme", "Acme"), ("evil.example", "acme")] {
        test.database.execute(&format!(
            "UPDATE organization SET name = '{organization}' WHERE slug = 'acme'"
        ));
        let sent = send(&test, &mut owner, MEMBER).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let words = text(&sink.next());
        let start = format!("An admin of {shown} sent you a link to set a new password");
        assert!(words.starts_with(&start), "{words}");
        let fields = [("role", "member"), ("email", "new@example.com")];
        let page = owner.post("/o/acme/invitations", &fields).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let letter = sink.next();
        let subject = format!("An admin of {shown} invites you to {shown}");
        assert_eq!(letter.header("Subject"), subject);
        let words = text(&letter);
        assert!(words.contains(&format!("to join {shown} on")), "{words}");
        assert!(!words.contains("evil"), "{words}");
    }
}

#[actix_web::test]
async fn member_gets_no_link_without_a_mail_server() {
    let test = TestApp::start().await;
    test.add_user(MEMBER, PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut owner = test.user().await;
    let page = owner.get("/o/acme/members").await;
    assert!(!page.contains("Send password reset"), "{}", page.body);
    let page = send(&test, &mut owner, MEMBER).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(page.contains("This server sends no mail."));
    assert_eq!(test.count("account_link", "1 = 1"), 0);
}
