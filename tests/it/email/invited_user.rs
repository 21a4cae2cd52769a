//! Users that invitations create.

use super::{invite, link_of, path_in, try_join, with_mail};
use crate::support::browser::Browser;
use crate::support::smtp::Sink;
use crate::support::{EMAIL, OPERATOR, PASSWORD, TestApp};
use doorcode::domain::role::Role;
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

/// An invitation to `Acme` by the signed-in user of a browser.
async fn invite_as(browser: &mut Browser) -> String {
    browser.get("/o/acme/members").await;
    let page = browser
        .post("/o/acme/invitations", &[("role", "admin")])
        .await;
    let (_, rest) = page.body.split_once("/invite?link=").expect(&page.body);
    format!("/invite?link={}", &rest[..64])
}

/// The users that a user invites invite others: the organization has a limit too.
#[actix_web::test]
async fn invited_admins_do_not_multiply_the_limit() {
    let test = TestApp::with("[organizations]\nnew_users_per_day = 1").await;
    let verify = "UPDATE users SET email_verified_at = created_at";
    let mut inviter = test.user().await;
    for number in 0..10 {
        let invitation = invite_as(&mut inviter).await;
        let email = format!("user{number}@example.com");
        let (browser, joined) = try_join(&test, &invitation, &email).await;
        assert_eq!(joined.status, 303, "{number}: {}", joined.body);
        test.database.execute(verify);
        inviter = browser;
    }
    let invitation = invite_as(&mut inviter).await;
    let (_, refused) = try_join(&test, &invitation, "last@example.com").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.contains("this inviter or organization"));

    // Another organization has its own limit, and the operator has none.
    let made = invite_as_operator(&test, "1").await;
    let url = made["url"].as_str().unwrap();
    let (_, joined) = try_join(&test, &url[test.url.len()..], "last@example.com").await;
    assert_eq!(joined.status, 303, "{}", joined.body);
    let owner = Some(("Rival", Role::Owner));
    test.add_user("rival@example.com", PASSWORD, owner).await;
    let mut rival = test.browser();
    rival.sign_in("rival@example.com", PASSWORD).await;
    rival.get("/o/rival/members").await;
    let page = rival
        .post("/o/rival/invitations", &[("role", "member")])
        .await;
    let (_, rest) = page.body.split_once("/invite?link=").unwrap();
    let invitation = format!("/invite?link={}", &rest[..64]);
    let (_, joined) = try_join(&test, &invitation, "eve@example.com").await;
    assert_eq!(joined.status, 303, "{}", joined.body);
}

/// Invitations of a user without a verified address, and of tokens that the user created, are for
/// existing users.
#[actix_web::test]
async fn unverified_user_creates_no_users() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut owner = test.user().await;
    let scopes = ["orgs:read", "orgs:write", "tokens:write"];
    let token = owner.new_token("admin", &scopes, "90d").await;
    let call = async |path: &str, token: &str, body: &Value| -> Value {
        let request = test.anon().post(test.at(path)).bearer_auth(token);
        let request = request.header("idempotency-key", "one").json(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json().await.unwrap()
    };
    let input = json!({"name": "CI", "scopes": ["orgs:write"]});
    let made = call("/v1/orgs/acme/tokens", &token, &input).await;
    let of_organization = made["token"].as_str().expect("a token").to_owned();
    test.canaries.add(&of_organization);
    let earlier = invite(&test, None).await;
    test.database.execute(&format!(
        "UPDATE users SET email_verified_at = NULL WHERE email = '{EMAIL}'"
    ));

    for email in [Some("charles@example.com"), None] {
        let input = json!({"role": "member", "email": email});
        for token in [&token, &of_organization] {
            let request = test.anon().post(test.at("/v1/orgs/acme/invitations"));
            let request = request
                .bearer_auth(token)
                .header("idempotency-key", format!("{email:?}"))
                .json(&input);
            let made: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(made["may_create_user"], false, "{made}");
        }
    }
    owner.get("/o/acme/members").await;
    for (email, words) in [
        ("", "your own must be verified"),
        ("charles@example.com", "verify your own email first"),
    ] {
        let fields = [("role", "member"), ("email", email)];
        let page = owner.post("/o/acme/invitations", &fields).await;
        assert!(page.contains(words), "{}", page.body);
        let (_, rest) = page.body.split_once("/invite?link=").unwrap();
        let invitation = format!("/invite?link={}", &rest[..64]);
        let (_, refused) = try_join(&test, &invitation, "charles@example.com").await;
        assert_eq!(refused.status, 422);
        assert!(refused.contains("for existing users"), "{}", refused.body);
    }
    let (_, refused) = try_join(&test, &earlier, "charles@example.com").await;
    assert_eq!(refused.status, 422);
    assert_eq!(test.count("users", "email = 'charles@example.com'"), 0);

    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    bob.get(&earlier).await;
    let joined = bob.post("/invite", &[("link", link_of(&earlier))]).await;
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
