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

/// What a visitor without a login sees of an attempt to enter with an address.
async fn attempt(test: &TestApp, invitation: &str, email: &str) -> (u16, String, String) {
    let mut browser = test.browser();
    browser.get(invitation).await;
    let fields = [
        ("link", link_of(invitation)),
        ("name", "Charles"),
        ("email", email),
        ("password", "marble ocean bicycle seven"),
    ];
    let page = browser.post("/invite/account", &fields).await;
    let location = match page.status {
        303 => page.location().replace(link_of(invitation), "LINK"),
        _ => String::new(),
    };
    let next = browser.get(invitation).await;
    let body = next.body.replace(link_of(invitation), "LINK");
    (page.status, location, visible(&body, email))
}

/// A page without its token and the address.
fn visible(body: &str, email: &str) -> String {
    let (before, rest) = body
        .split_once("name=\"csrf\" value=\"")
        .unwrap_or((body, "\""));
    let (_, after) = rest.split_once('"').unwrap();
    format!("{before}{after}").replace(email, "EMAIL")
}

/// Security finding 6: with a link that anyone may have, status, page, cost and the state of the
/// invitation are the same whether or not a user has the address. Without mail, the visitor signs
/// in, with the password of the account, and joins.
#[actix_web::test]
async fn answer_does_not_reveal_whether_an_address_has_a_user() {
    let test = TestApp::start().await;
    for email in ["bob@example.com", "gone@example.com"] {
        test.add_user(email, PASSWORD, None).await;
    }
    test.deactivate("gone@example.com").await;
    for limited in [false, true] {
        let mut seen = Vec::new();
        for email in ["bob@example.com", "gone@example.com", "new@example.com"] {
            let invitation = invite(&test, limited.then_some(email)).await;
            let before = test.entropy.draws();
            let first = attempt(&test, &invitation, email).await;
            assert_eq!(first.0, 303, "{first:?}");
            assert!(first.1.starts_with("/login?return_to="), "{first:?}");
            let draws = test.entropy.draws() - before;
            // The invitation is limited to the address.
            let other = attempt(&test, &invitation, "eve@example.com").await;
            assert_eq!(other.0, 422);
            let again = attempt(&test, &invitation, email).await;
            assert_eq!(again, first);
            seen.push((email, invitation, first, draws));
        }
        let (_, _, first, draws) = &seen[0];
        for (_, _, other, _) in &seen[1..] {
            assert_eq!(other, first);
        }
        // A new user has an id, and the audit record for it; a hash needs its salt in any case. The
        // ids of requests are drawn together, now and then.
        assert!(seen.iter().all(|one| one.3.abs_diff(*draws) <= 3));
        // The user of the address joins; so does the new user.
        for (email, password) in [
            ("bob@example.com", PASSWORD),
            ("new@example.com", "marble ocean bicycle seven"),
        ] {
            let (_, invitation, ..) = seen.iter().find(|one| one.0 == email).unwrap();
            let mut browser = test.browser();
            browser.sign_in(email, password).await;
            browser.get(invitation).await;
            let field = [("link", link_of(invitation))];
            let joined = browser.post("/invite", &field).await;
            match limited {
                false => assert_eq!(joined.location(), "/o/acme?done=joined"),
                true => assert!(joined.contains("You are already a member of Acme")),
            }
        }
    }
    assert_eq!(test.count("users", "email = 'eve@example.com'"), 0);
}

/// Where the server sends mail, the address receives a link; only there does it matter whether a
/// user has it.
#[actix_web::test]
async fn address_that_a_visitor_enters_receives_a_link() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "").await;
    test.add_user("bob@example.com", PASSWORD, None).await;
    let mut seen = Vec::new();
    for email in ["bob@example.com", "new@example.com"] {
        let invitation = invite(&test, None).await;
        let page = test.browser().get(&invitation).await;
        assert!(page.contains(">Send link</button>") && page.field("password").is_none());
        seen.push(attempt(&test, &invitation, email).await);
        let letter = sink.next();
        assert_eq!(letter.header("To"), email);
        let mailed = path_in(&test, &letter, "/invite");
        let (mut browser, page) = try_join(&test, &mailed, email).await;
        if email == "new@example.com" {
            assert_eq!(page.location(), "/o/acme?done=joined");
            continue;
        }
        assert_eq!(page.status, 422);
        assert!(page.contains("You have an account with this email address. Sign in."));
        browser.sign_in(email, PASSWORD).await;
        browser.get(&mailed).await;
        let joined = browser.post("/invite", &[("link", link_of(&mailed))]).await;
        assert_eq!(joined.location(), "/o/acme?done=joined");
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].0 == 200 && seen[0].2.contains("Open the link in the mail"));
    let verified =
        "email IN ('new@example.com', 'bob@example.com') AND email_verified_at IS NOT NULL";
    assert_eq!(test.count("users", verified), 2);

    // An address receives three links a day, whether or not a user has it.
    for email in ["bob@example.com", "flood@example.com"] {
        let sent = usize::from(email == "bob@example.com");
        for _ in sent..3 {
            let invitation = invite(&test, None).await;
            assert_eq!(attempt(&test, &invitation, email).await, seen[0]);
            assert_eq!(sink.next().header("To"), email);
        }
        let invitation = invite(&test, None).await;
        assert_eq!(attempt(&test, &invitation, email).await.0, 429);
    }
    test.app.stop().await;
    assert!(sink.is_empty());
}

/// Security finding 6: attempts are counted before the hash, by invitation and by source.
#[actix_web::test]
async fn attempts_with_an_invitation_are_counted_before_the_hash() {
    let test = TestApp::start().await;
    let invitation = invite(&test, None).await;
    for _ in 0..10 {
        assert_eq!(attempt(&test, &invitation, EMAIL).await.0, 303);
    }
    let before = test.entropy.draws();
    assert_eq!(attempt(&test, &invitation, EMAIL).await.0, 429);
    let other = invite(&test, None).await;
    assert_eq!(attempt(&test, &other, EMAIL).await.0, 303);
    let third = invite(&test, None).await;
    test.database
        .execute("UPDATE throttle SET attempts = 50 WHERE key = 'password:127.0.0.1'");
    assert_eq!(attempt(&test, &third, EMAIL).await.0, 429);
    assert!(test.entropy.draws() > before);
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
