//! Verification of email addresses, by a mailed invitation and by a mailed link.

use super::{GUEST, invite, is_proven, join, link_of, path_in, unverified, with_mail};
use crate::support::browser::Browser;
use crate::support::smtp::Sink;
use crate::support::tenant::{input, text_of};
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use doorcode::domain::role::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};

/// Security finding 3: an address that was only typed is no `username`.
#[actix_web::test]
async fn address_is_no_username_until_it_is_proven() {
    let test = TestApp::start().await;
    let invitation = invite(&test, None).await;
    let mut guest = join(&test, &invitation, "ceo@victim.example").await;
    assert!(!is_proven(&test, &mut guest, "ceo@victim.example").await);
    // Without mail, the operator marks it as verified.
    assert!(
        !guest
            .get("/account")
            .await
            .contains("Send verification link")
    );
    let sent = guest.post("/account/email/verification", &[]).await;
    assert_eq!(sent.status, 422);
    assert!(sent.contains("This server sends no mail."));
    // The addresses of users that the operator creates are verified.
    let mut owner = test.user().await;
    assert!(is_proven(&test, &mut owner, EMAIL).await);

    let page = owner.get("/o/acme/members").await;
    assert_eq!(page.body.matches(">Not verified</span>").count(), 1);
    let page = guest.get("/o/acme/members").await;
    assert!(!page.contains(">Not verified</span>"), "it is for admins");
    let members = test.anon().get(test.at("/v1/orgs/acme/members"));
    let members: Value = members
        .bearer_auth(OPERATOR)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let items = members["items"].as_array().unwrap();
    let verified: Vec<_> = items.iter().map(|item| &item["email_verified"]).collect();
    assert_eq!(verified, [&json!(true), &json!(false)]);

    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Machines").await;
    let token = test.organization_token(&org, input(&["tokens:read"])).await;
    let introspected = test.introspect(text_of(&token)).await;
    assert_eq!(introspected["active"], true);
    for member in ["username", "email_verified"] {
        assert!(introspected.get(member).is_none(), "{introspected}");
    }
}

/// The inviter knows the link of the page, so only the mailed one verifies the address.
#[actix_web::test]
async fn mailed_invitation_proves_the_address_and_the_shown_one_does_not() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let eve = "eve@example.com";
    test.add_user(eve, PASSWORD, None).await;
    test.database.execute(&format!(
        "UPDATE users SET email_verified_at = NULL WHERE email = '{eve}'"
    ));
    for (email, is_mailed) in [(GUEST, true), (eve, false)] {
        let shown = invite(&test, Some(email)).await;
        let mailed = path_in(&test, &sink.next(), "/invite");
        assert_ne!(shown, mailed);
        let (mut guest, other) = match is_mailed {
            true => (join(&test, &mailed, email).await, &shown),
            false => {
                let mut guest = test.browser();
                guest.sign_in(email, PASSWORD).await;
                guest.get(&shown).await;
                let joined = guest.post("/invite", &[("link", link_of(&shown))]).await;
                assert_eq!(joined.status, 303, "{}", joined.body);
                (guest, &mailed)
            }
        };
        assert_eq!(is_proven(&test, &mut guest, email).await, is_mailed);
        assert_eq!(
            test.browser().get(other).await.status,
            404,
            "one use ends both"
        );
    }
    assert_eq!(test.events("user.email_verified"), 1);
    test.app.stop().await;
    assert!(sink.is_empty());
}

#[actix_web::test]
async fn mailed_invitation_proves_the_address_of_a_user_who_exists() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut guest = unverified(&test, GUEST).await;
    assert!(!is_proven(&test, &mut guest, GUEST).await);
    test.add_user("bob@example.com", PASSWORD, Some(("Rival", Role::Owner)))
        .await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get("/o/rival/members").await;
    let fields = [("role", "member"), ("email", GUEST)];
    assert_eq!(bob.post("/o/rival/invitations", &fields).await.status, 200);
    let mailed = path_in(&test, &sink.next(), "/invite");
    guest.get(&mailed).await;
    let joined = guest.post("/invite", &[("link", link_of(&mailed))]).await;
    assert_eq!(joined.status, 303, "{}", joined.body);
    assert!(is_proven(&test, &mut guest, GUEST).await);
}

/// A guest with an unverified address, and the link of the message to it.
async fn unproven(test: &TestApp, sink: &Sink) -> (Browser, String) {
    let mut guest = unverified(test, GUEST).await;
    let sent = guest.post("/account/email/verification", &[]).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let link = path_in(test, &sink.next(), "/account/email/verify");
    (guest, link)
}

#[actix_web::test]
async fn verification_link_works_once_and_only_for_its_user() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let (mut guest, first) = unproven(&test, &sink).await;
    let sent = guest.post("/account/email/verification", &[]).await;
    assert_eq!(
        (sent.status, sent.location()),
        (303, "/account?done=verification")
    );
    assert!(
        guest
            .get(sent.location())
            .await
            .contains("We sent a link to your address.")
    );
    let link = path_in(&test, &sink.next(), "/account/email/verify");
    assert_eq!(
        guest.get(&first).await.status,
        404,
        "a new link replaces the first"
    );

    // Neither a mail program that opens links nor another user verifies the address.
    let visitor = test.browser().get(&link).await;
    assert_eq!(visitor.status, 303);
    assert!(
        visitor
            .location()
            .starts_with("/login?return_to=%2Faccount%2Femail%2Fverify")
    );
    let mut other = test.user().await;
    other.get("/account").await;
    let field = [("link", link_of(&link))];
    assert_eq!(other.get(&link).await.status, 404);
    assert_eq!(
        other.post("/account/email/verify", &field).await.status,
        404
    );
    let page = guest.get(&link).await;
    assert_eq!(page.status, 200);
    assert!(page.contains(">Confirm address</button>") && page.contains(GUEST));
    assert_eq!(page.field("link").as_deref(), Some(field[0].1));
    assert!(!is_proven(&test, &mut guest, GUEST).await);

    // It verifies only the address that it was sent to.
    test.database
        .execute("UPDATE users SET email = 'x@example.com' WHERE email = 'charles@example.com'");
    assert_eq!(
        guest.post("/account/email/verify", &field).await.status,
        404
    );
    test.database
        .execute("UPDATE users SET email = 'charles@example.com' WHERE email = 'x@example.com'");
    let proven = guest.post("/account/email/verify", &field).await;
    assert_eq!(
        (proven.status, proven.location()),
        (303, "/account?done=email-verified")
    );
    assert!(is_proven(&test, &mut guest, GUEST).await);
    let again = guest.post("/account/email/verify", &field).await;
    assert_eq!(again.status, 404);
    assert!(again.contains("Your address is verified already."));
    let sent = guest.post("/account/email/verification", &[]).await;
    assert_eq!(sent.status, 422);
    assert_eq!(test.events("user.email_verified"), 1);
    assert_eq!(test.events("user.email_link_requested"), 2);
}

#[actix_web::test]
async fn verification_link_expires_and_letters_are_limited() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let (mut guest, link) = unproven(&test, &sink).await;
    test.clock.advance(30 * 60 - 1);
    assert_eq!(guest.get(&link).await.status, 200);
    test.clock.advance(1);
    assert_eq!(guest.get(&link).await.status, 404);
    let field = [("link", link_of(&link))];
    assert_eq!(
        guest.post("/account/email/verify", &field).await.status,
        404
    );
    for _ in 0..2 {
        assert_eq!(
            guest.post("/account/email/verification", &[]).await.status,
            303
        );
        sink.next();
    }
    let limited = guest.post("/account/email/verification", &[]).await;
    assert_eq!(limited.status, 429, "three letters a day");
    test.clock.advance(86_400);
    guest.sign_in(GUEST, PASSWORD).await;
    guest.get("/account").await;
    assert_eq!(
        guest.post("/account/email/verification", &[]).await.status,
        303
    );
    sink.next();
    test.app.stop().await;
    assert!(sink.is_empty());
}

#[actix_web::test]
async fn one_of_fifty_uses_of_a_verification_link_succeeds() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let (guest, link) = unproven(&test, &sink).await;
    let uses = (0..50).map(|_| {
        let (mut guest, link) = (guest.clone(), link_of(&link));
        async move {
            guest
                .post("/account/email/verify", &[("link", link)])
                .await
                .status
        }
    });
    let mut statuses = join_all(uses).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 303);
    assert!(
        statuses[1..].iter().all(|status| *status == 404),
        "{statuses:?}"
    );
    assert_eq!(test.events("user.email_verified"), 1);
}
