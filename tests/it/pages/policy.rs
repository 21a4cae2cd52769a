//! `/o/{org}/settings/policy`: an organization's rules for tokens.

use super::{Company, after, assert_role};
use crate::support::browser::Browser;
use crate::support::tenant::{OPERATOR, input};
use doorcode::app::token::CreateToken;

const PATH: &str = "/o/acme/settings/policy";

async fn post(browser: &mut Browser, rest: &str, fields: &[(&str, &str)]) -> super::Page {
    browser.post(&format!("{PATH}{rest}"), fields).await
}

/// Issue 3.1: affected tokens are shown before the change, and get a grace period.
#[actix_web::test]
async fn stricter_policy_shows_the_affected_tokens_and_gives_a_grace_period() {
    let Company {
        test,
        mut owner,
        mut member,
        ..
    } = Company::new().await;
    let token = member
        .new_token("their laptop", &["orgs:read"], "never")
        .await;
    let fields = [("personal_tokens", "admins"), ("max_lifetime", "90d")];
    let review = post(&mut owner, "", &fields).await;
    assert_eq!(review.status, 200);
    for words in [
        "This policy affects 1 active token<",
        "their laptop",
        "Stops working",
    ] {
        assert!(review.contains(words), "{words}: {}", review.body);
    }
    assert_eq!(test.count("organization", "personal_tokens = 'admins'"), 0);
    let back = format!("{PATH}?personal_tokens=admins&created_by=members&max_lifetime=90d");
    assert!(review.body.replace("&#38;", "&").contains(&back));
    let page = owner.get(&back).await;
    assert!(page.contains(r#"<option value="90d" selected>"#));

    let mut apply = fields.to_vec();
    apply.push(("grace", "soon"));
    let page = post(&mut owner, "/apply", &apply).await;
    assert_eq!(page.status, 422);
    assert!(page.contains(r#"id="grace-error""#) && page.contains("their laptop"));
    apply[2] = ("grace", "1d");
    let done = post(&mut owner, "/apply", &apply).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/o/acme/settings/policy?breaking=1")
    );
    assert!(
        owner
            .get(done.location())
            .await
            .contains("It affects 1 active token, which")
    );
    let list = member.get("/tokens").await;
    assert!(
        list.contains("Policy ends it on 23 November 2026"),
        "{}",
        list.body
    );
    test.clock.advance(86_400 - 1);
    assert_eq!(test.me(&token).await.status(), 200);
    test.clock.advance(1);
    assert_eq!(test.me(&token).await.status(), 403);

    // New tokens must follow it immediately, and the page gives the reason.
    let mut member = {
        let mut browser = test.browser();
        browser
            .sign_in("bob@example.com", crate::support::PASSWORD)
            .await;
        browser
    };
    let list = member.get("/tokens").await;
    for words in ["Blocked by policy", "/revoke"] {
        assert!(list.contains(words), "{words}: {}", list.body);
    }
    let id = after(&list.body, r#"href="/tokens/tok_"#, '"');
    let page = member.get(&format!("/tokens/tok_{id}")).await;
    assert!(
        page.contains("lets only admins and owners"),
        "{}",
        page.body
    );
    let form = member.get("/tokens/new").await;
    assert!(form.contains("Policy: only tokens of admins and owners have access"));
    let page = member
        .post("/tokens/new", &[("name", "x"), ("expires", "30d")])
        .await;
    assert_eq!(page.status, 403);
    assert!(page.contains("lets only admins and owners create personal tokens"));
    let device = test.device("orgs:read").await;
    let consent = member.type_code(&device.user_code).await;
    assert!(consent.contains("Acme does not allow this sign-in"));
    assert!(consent.contains("lets only <b>admins and owners</b>"));
    assert!(!consent.contains("Approve"), "{}", consent.body);
    // A form that was opened before the policy changed, and the one that is left.
    for decision in ["approve", "deny"] {
        let device = test.device("orgs:read").await;
        let consent = member.type_code(&device.user_code).await;
        let page = member.decide(&consent, decision, &["orgs:read"]).await;
        assert_eq!(page.status, 200);
        assert!(page.contains("This sign-in is not allowed"));
        let poll = test.poll(&device).await;
        assert_eq!(poll.body["error"], "access_denied");
        let why = poll.body["error_description"].as_str().unwrap();
        assert!(
            why.contains("lets only admins and owners use personal tokens"),
            "{why}"
        );
    }
}

/// A change that affects no token is saved immediately and limits the token form.
#[actix_web::test]
async fn policy_that_affects_no_token_is_saved_immediately() {
    let Company {
        test: _running,
        mut owner,
        mut member,
        ..
    } = Company::new().await;
    let fields = [("personal_tokens", "members"), ("max_lifetime", "30d")];
    let saved = post(&mut owner, "", &fields).await;
    assert_eq!(saved.location(), "/o/acme/settings/policy?done=saved");
    assert!(
        owner
            .get(saved.location())
            .await
            .contains("The policy is saved.")
    );
    let form = member.get("/tokens/new").await;
    assert!(
        form.contains(r#"name="expires" value="30d" checked"#),
        "{}",
        form.body
    );
    for choice in ["90d", "1y", "never"] {
        assert!(
            !form.contains(&format!(r#"<option value="{choice}""#)),
            "{choice}"
        );
        let fields = [("name", "x"), ("expires", choice)];
        let page = member.post("/tokens/new", &fields).await;
        assert_eq!(page.status, 422, "{choice}");
    }
    let page = member.get(PATH).await;
    assert!(page.contains("30 days") && !page.contains("<form class=\"panel\""));
}

/// AUZ and bad input.
#[actix_web::test]
async fn only_owners_set_a_policy_and_it_must_be_valid() {
    let Company {
        test,
        mut owner,
        mut admin,
        mut member,
        mut stranger,
        ..
    } = Company::new().await;
    let fields = [("personal_tokens", "admins"), ("max_lifetime", "none")];
    let before = test.unread();
    for rest in ["", "/apply"] {
        for browser in [&mut admin, &mut member] {
            assert_role(&post(browser, rest, &fields).await, "owner");
        }
        assert_eq!(post(&mut stranger, rest, &fields).await.status, 403);
        for (fields, field) in [
            (vec![("max_lifetime", "none")], "personal_tokens"),
            (
                vec![("personal_tokens", "all"), ("max_lifetime", "none")],
                "personal_tokens",
            ),
            (vec![("personal_tokens", "admins")], "max_lifetime"),
            (
                vec![("personal_tokens", "admins"), ("max_lifetime", "1w")],
                "max_lifetime",
            ),
            (
                vec![
                    ("personal_tokens", "admins"),
                    ("max_lifetime", "0d"),
                    ("grace", "1d"),
                ],
                "max_lifetime",
            ),
            (
                vec![
                    ("personal_tokens", "admins"),
                    ("max_lifetime", "7d"),
                    ("never", "yes"),
                ],
                "never",
            ),
        ] {
            let page = post(&mut owner, rest, &fields).await;
            assert_eq!(page.status, 422, "{rest} {fields:?}");
            assert!(
                page.contains(&format!(r#"id="{field}-error""#)),
                "{fields:?}"
            );
        }
    }
    assert!(before == test.unread());
}

/// A review names a hundred tokens and the number of further ones.
#[actix_web::test]
async fn review_of_many_tokens_names_a_hundred() {
    let Company {
        test, mut owner, ..
    } = Company::new().await;
    let acme = doorcode::app::org::find(&test.req(&OPERATOR), "acme").await;
    let acme = acme.unwrap().organization;
    for _ in 0..103 {
        let input = CreateToken {
            expires: Some("never".into()),
            ..input(&[])
        };
        test.organization_token(&acme, input).await;
    }
    let fields = [("personal_tokens", "members"), ("max_lifetime", "90d")];
    let review = post(&mut owner, "", &fields).await;
    assert!(review.contains("This policy affects 103 active tokens<"));
    assert!(review.contains("And 3 older ones."));
    assert_eq!(review.body.matches("of a test").count(), 100);
}
