//! A sender of many messages reaches limits, answers say so, and others' messages arrive.

use crate::email::{path_in, with_mail};
use crate::support::browser::Page;
use crate::support::device::Answer;
use crate::support::smtp::Sink;
use crate::support::tenant::{input, text_of};
use crate::support::{PASSWORD, TestApp, http};
use doorcode::domain::role::Role;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

const VICTIM: &str = "victim@example.com";
const LURE: &str = "Security alert: sign in at https://evil.example/reset within 24 hours";

/// Invites an address by the API with a new Idempotency-Key, or with that of an earlier call.
async fn invite(test: &TestApp, path: &str, token: &str, email: Option<&str>) -> Value {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let key = format!("key-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = http()
            .post(test.at(path))
            .bearer_auth(token)
            .header("idempotency-key", &key)
            .json(&json!({"email": email, "role": "member"}));
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert!(
            answer.body["url"]
                .as_str()
                .unwrap()
                .contains("/invite?link=")
        );
        answers.push(answer.body);
    }
    // A repetition gets the same answer, and sends nothing.
    assert_eq!(answers[0], answers[1]);
    answers.remove(0)
}

async fn invite_on_page(test: &TestApp, email: &str) -> Page {
    let mut owner = test.browser();
    owner.sign_in("owner@example.com", PASSWORD).await;
    owner.get("/o/zenith/members").await;
    let fields = [("role", "member"), ("email", email)];
    owner.post("/o/zenith/invitations", &fields).await
}

/// Mallory, who has only an organization of their own, uses the server as a mail relay.
#[actix_web::test]
async fn flood_of_invitations_is_limited() {
    let sink = Sink::start(&[]);
    let test = with_mail(&sink, "[organizations]\nmade_by = \"users\"").await;
    let mallory = test.caller("mallory@example.com").await;
    test.database.execute(&format!(
        "UPDATE users SET name = '{LURE}' WHERE email = 'mallory@example.com'"
    ));
    let evil = test.organization_by(&mallory, LURE).await;
    let token = test.token_of(&mallory, input(&["orgs:write"])).await;
    let token = text_of(&token);
    let path = format!("/v1/orgs/{}/invitations", evil.id);

    let mut sent = 0;
    for expected in ["sent", "sent", "sent", "not_sent", "not_sent"] {
        let answer = invite(&test, &path, token, Some(VICTIM)).await;
        assert_eq!(answer["mail"], expected);
        if expected == "not_sent" {
            // Who has the link can have it mailed.
            assert_eq!(answer["may_create_user"], true);
            continue;
        }
        sent += 1;
        let letter = sink.next();
        assert_eq!(letter.header("To"), VICTIM);
        for part in ["evil.example", "https://evil", "Security alert"] {
            assert!(!letter.header("Subject").contains(part), "{letter:?}");
            assert!(!letter.body().contains(part), "{letter:?}");
        }
    }
    let one = |n: usize| format!("someone{n}@example.com");
    for n in sent..20 {
        let answer = invite(&test, &path, token, Some(&one(n))).await;
        assert_eq!(answer["mail"], "sent", "{n}");
        assert_eq!(sink.next().header("To"), one(n));
    }
    let answer = invite(&test, &path, token, Some(&one(20))).await;
    assert_eq!(answer["mail"], "not_sent");
    let answer = invite(&test, &path, token, None).await;
    assert_eq!(answer["mail"], Value::Null);
    assert!(sink.is_empty());

    // The company still reaches the victim, whose invitation has its own limit.
    let owner = test.caller("owner@example.com").await;
    test.organization(&owner, "Zenith").await;
    let page = invite_on_page(&test, VICTIM).await;
    assert!(
        page.contains(&format!("It was sent to {VICTIM}.")),
        "{}",
        page.body
    );
    let mailed = path_in(&test, &sink.next(), "/invite");
    assert_eq!(test.browser().get(&mailed).await.status, 200);
    for _ in 0..2 {
        invite_on_page(&test, VICTIM).await;
        assert_eq!(sink.next().header("To"), VICTIM);
    }
    let page = invite_on_page(&test, VICTIM).await;
    assert!(page.contains("was not sent"), "{}", page.body);
    assert!(page.contains("/invite?link="), "{}", page.body);

    // An hour later Mallory may send again, and a day later the victim may get an invitation.
    test.clock.advance(3_600);
    let answer = invite(&test, &path, token, Some(&one(21))).await;
    assert_eq!(answer["mail"], "sent");
    assert_eq!(sink.next().header("To"), one(21));
    let answer = invite(&test, &path, token, Some(VICTIM)).await;
    assert_eq!(answer["mail"], "not_sent");
    test.clock.advance(24 * 3_600);
    let answer = invite(&test, &path, token, Some(VICTIM)).await;
    assert_eq!(answer["mail"], "sent");
    assert_eq!(sink.next().header("To"), VICTIM);
}

/// Without a mail server, and without an address, no message is sent.
#[actix_web::test]
async fn answer_says_that_no_mail_is_sent() {
    let test = TestApp::start().await;
    let owner = test.caller("owner@example.com").await;
    let zenith = test.organization(&owner, "Zenith").await;
    test.add_member(&zenith, &owner, Role::Owner).await;
    let token = test.token_of(&owner, input(&["orgs:write"])).await;
    let path = "/v1/orgs/zenith/invitations";
    let answer = invite(&test, path, text_of(&token), Some(VICTIM)).await;
    assert_eq!(answer["mail"], "not_sent");
    assert_eq!(answer["may_create_user"], true);
    let page = invite_on_page(&test, VICTIM).await;
    assert!(page.contains("Copy the link now"), "{}", page.body);
}
