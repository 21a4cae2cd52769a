//! Several invitations at once.

use super::{Company, after};
use crate::email::with_mail;
use crate::support::smtp::Sink;

const PATH: &str = "/o/acme/invitations";

/// Paste, role, send: each address has its result, once.
#[actix_web::test]
async fn five_people_are_invited_with_one_form() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.database
        .execute("UPDATE users SET email_verified_at = created_at");
    let mut owner = test.user().await;
    let members = owner.get("/o/acme/members").await;
    let nonce = members.field("form_nonce").unwrap();
    let addresses = "gita@example.com, hal@example.com\r\nivo@example.com\n\
                     ADA@example.com; not-an-address Hal@example.com jo@example.com kim@example.com";
    let fields = [
        ("email", addresses),
        ("role", "admin"),
        ("form_nonce", nonce.as_str()),
    ];
    let page = owner.post(PATH, &fields).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(
        page.contains("5 of 7 addresses get a message with a link."),
        "{}",
        page.body
    );
    assert_eq!(page.body.matches(">Sent<").count(), 5);
    assert_eq!(page.body.matches(">Already a member<").count(), 1);
    assert_eq!(page.body.matches(">Invalid<").count(), 1);
    assert!(!page.contains("/invite?link="), "the mail has the link");
    let mut sent: Vec<_> = (0..5).map(|_| sink.next().header("To")).collect();
    sent.sort();
    let names = ["gita", "hal", "ivo", "jo", "kim"];
    assert_eq!(sent, names.map(|name| format!("{name}@example.com")));
    assert_eq!(test.count("invitation", "role = 'admin'"), 5);

    // The same form again creates nothing.
    let again = owner.post(PATH, &fields).await;
    assert!(again.contains("cannot be shown again"), "{}", again.body);
    assert_eq!(test.count("invitation", "role = 'admin'"), 5);
    assert!(sink.is_empty());
    assert_eq!(test.events("invitation.created"), 5);
}

/// Each address counts in the limit of messages; the rest is said to be not sent.
#[actix_web::test]
async fn many_invitations_count_in_the_limit_of_messages() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut owner = test.user().await;
    owner.get("/o/acme/members").await;
    let list = |from: usize, to: usize| {
        let all = (from..to).map(|n| format!("user{n}@example.com"));
        all.collect::<Vec<_>>().join("\n")
    };
    let many = list(0, 21);
    let page = owner
        .post(PATH, &[("email", &many), ("role", "member")])
        .await;
    assert_eq!(page.status, 422);
    assert!(page.contains("Enter at most 20 email addresses at a time."));
    assert!(page.contains("user20@example.com"), "what was typed stays");
    let page = owner
        .post(PATH, &[("email", &list(0, 18)), ("role", "member")])
        .await;
    assert_eq!(page.body.matches(">Sent<").count(), 18, "{}", page.body);
    let page = owner
        .post(PATH, &[("email", &list(18, 22)), ("role", "member")])
        .await;
    assert_eq!(page.body.matches(">Sent<").count(), 2, "{}", page.body);
    assert_eq!(page.body.matches(">Not sent<").count(), 2);
}

/// Without a mail server the links are shown once, and work. Only owners invite owners.
#[actix_web::test]
async fn links_are_shown_once_without_a_mail_server() {
    let Company {
        test,
        mut admin,
        mut member,
        mut stranger,
        ..
    } = Company::new().await;
    let fields = [
        ("email", "eve@example.com x@example.com"),
        ("role", "member"),
    ];
    super::assert_role(&member.post(PATH, &fields).await, "admin");
    let page = admin.post(PATH, &fields).await;
    assert_eq!(page.body.matches(">Not sent<").count(), 2, "{}", page.body);
    let link = after(&page.body, "/invite?link=", '<');
    assert!(!test.database.dump().contains(&link));
    let joined = stranger.post("/invite", &[("link", &link)]).await;
    assert_eq!(joined.location(), "/o/acme?done=joined", "{}", joined.body);
    let text = super::audit::said(&admin.get("/o/acme/audit").await);
    assert!(
        text.contains("Ada accepted the invitation of Ada and joined as member"),
        "{text}"
    );
    let owners = [("email", "a@example.com b@example.com"), ("role", "owner")];
    super::assert_role(&admin.post(PATH, &owners).await, "owner");
}
