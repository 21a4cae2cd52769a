//! Users that invitations create.

use super::{invite, link_of, path_in, try_join, with_mail};
use crate::support::smtp::Sink;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use serde_json::{Value, json};

/// An invitation to `Acme` that the operator creates.
async fn invite_as_operator(test: &TestApp, key: &str) -> Value {
    let request = test.anon().post(test.at("/v1/orgs/acme/invitations"));
    let request = request
        .bearer_auth(OPERATOR)
        .header("idempotency-key", key)
        .json(&json!({"role": "member"}));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 201);
    answer.json().await.unwrap()
}

/// Security finding 6: an invitation reveals only of few addresses whether they have a user, and
/// such an attempt costs no password hash.
#[actix_web::test]
async fn attempts_with_taken_addresses_are_cheap_and_limited() {
    let test = TestApp::start().await;
    let invitation = invite(&test, None).await;
    let mut browser = test.browser();
    browser.get(&invitation).await;
    let attempt = async |email: &str, password: &str| {
        let fields = [
            ("link", link_of(&invitation)),
            ("name", "Charles"),
            ("email", email),
            ("password", password),
        ];
        let before = test.entropy.draws();
        let page = browser.clone().post("/invite/account", &fields).await;
        (page, test.entropy.draws() - before)
    };
    let (rejected, without_hash) = attempt(EMAIL, "short").await;
    assert_eq!(rejected.status, 422);
    for _ in 0..10 {
        let (page, draws) = attempt(EMAIL, PASSWORD).await;
        assert_eq!(page.status, 422);
        assert!(page.contains("No account can be created with this email address."));
        assert!(page.contains(r#"id="email-error""#));
        assert_eq!(draws, without_hash, "a hash needs a salt");
    }
    for email in [EMAIL, "charles@example.com"] {
        let (page, draws) = attempt(email, PASSWORD).await;
        assert_eq!((page.status, draws), (429, without_hash), "{email}");
    }
    // Another invitation has its own count, and a success takes none away.
    let other = invite(&test, None).await;
    let (_, joined) = try_join(&test, &other, "charles@example.com").await;
    assert_eq!(joined.status, 303, "{}", joined.body);
    assert_eq!(
        test.count("throttle", "key LIKE 'invitation:%' AND attempts > 0"),
        1
    );
}

#[actix_web::test]
async fn link_that_the_inviter_sees_does_not_reveal_users() {
    let test = TestApp::start().await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let invitation = invite(&test, Some("bob@example.com")).await;
    let (_, page) = try_join(&test, &invitation, "bob@example.com").await;
    assert_eq!(page.status, 422);
    assert!(page.contains("No account can be created with this email address."));
    assert!(!page.contains("You have an account"));
}

#[actix_web::test]
async fn invitations_of_one_user_create_few_users_a_day() {
    let test = TestApp::with("[organizations]\nnew_users_per_day = 2").await;
    for email in ["one@example.com", "two@example.com"] {
        let invitation = invite(&test, None).await;
        let (_, joined) = try_join(&test, &invitation, email).await;
        assert_eq!(joined.status, 303, "{}", joined.body);
    }
    let invitation = invite(&test, None).await;
    let page = test.browser().get(&invitation).await;
    assert_eq!(page.status, 200);
    assert!(page.contains("open the link again tomorrow") && page.field("password").is_none());
    let (_, refused) = try_join(&test, &invitation, "three@example.com").await;
    assert_eq!(refused.status, 422);
    assert!(refused.contains("Try again tomorrow"));
    assert_eq!(test.count("users", "email = 'three@example.com'"), 0);

    // Existing users still join, and the operator's invitations have no limit.
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get(&invitation).await;
    let joined = bob.post("/invite", &[("link", link_of(&invitation))]).await;
    assert_eq!(joined.status, 303);
    for (key, email) in [
        ("1", "four@x.example"),
        ("2", "five@x.example"),
        ("3", "six@x.example"),
    ] {
        let made = invite_as_operator(&test, key).await;
        assert_eq!(made["may_create_user"], true);
        let url = made["url"].as_str().unwrap();
        let path = url.strip_prefix(&test.url).unwrap();
        let (_, joined) = try_join(&test, path, email).await;
        assert_eq!(joined.status, 303, "{}", joined.body);
    }
    let invitation = invite(&test, None).await;
    test.clock.advance(86_400);
    let (_, joined) = try_join(&test, &invitation, "three@example.com").await;
    assert_eq!(joined.status, 303, "{}", joined.body);
}

/// Two acceptances at once do not exceed the limit; the refused one uses nothing.
#[actix_web::test]
async fn concurrent_acceptances_keep_the_limit() {
    let test = TestApp::with("[organizations]\nnew_users_per_day = 1").await;
    let (one, two) = (invite(&test, None).await, invite(&test, None).await);
    let joins = [(&one, "one@example.com"), (&two, "two@example.com")]
        .map(|(invitation, email)| try_join(&test, invitation, email));
    let mut statuses: Vec<_> = futures_util::future::join_all(joins)
        .await
        .into_iter()
        .map(|(_, page)| page.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    assert_eq!(test.events("invitation.accepted"), 1);
}

/// The page of a new invitation states who can use it.
#[actix_web::test]
async fn page_of_an_invitation_says_who_can_use_it() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    let mut owner = test.user().await;
    owner.get("/o/acme/members").await;
    let page = owner
        .post("/o/acme/invitations", &[("role", "member")])
        .await;
    assert!(page.contains("Anyone with the link can join"));
    let fields = [("role", "member"), ("email", "charles@example.com")];
    let page = owner.post("/o/acme/invitations", &fields).await;
    assert!(page.contains("Only an account with this email can use it."));
    assert!(page.contains("Only the link in the mail creates an account."));
    let mailed = path_in(&test, &sink.next(), "/invite");
    assert!(
        !page.contains(link_of(&mailed)),
        "the inviter must not see it"
    );
}
