//! The grace period of tokens that predate a stricter policy, and its removal when the policy is
//! relaxed.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::TestApp;
use crate::support::tenant::{input, text_of};
use doorcode::app::access::Caller;
use doorcode::app::token::{CreateToken, NewToken};
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Ada's organization, in which Bob has a role and a token without expiry.
struct Story {
    test: TestApp,
    ada: Caller,
    bob: Caller,
    org: Organization,
    token: NewToken,
}

impl Story {
    async fn new(role: Role) -> Self {
        let test = TestApp::start().await;
        let (ada, bob) = (
            test.caller("ada@x.example").await,
            test.caller("bob@x.example").await,
        );
        let org = test.organization(&ada, "Tight").await;
        test.add_member(&org, &bob, role).await;
        let never = CreateToken {
            expires: Some("never".into()),
            ..input(&EVERYTHING)
        };
        let token = test.token_of(&bob, never).await;
        Self {
            test,
            ada,
            bob,
            org,
            token,
        }
    }

    fn client(&self) -> Client<'_> {
        Client::new(&self.test, text_of(&self.token))
    }

    /// Sets the policy with a grace period in days.
    async fn tighten(&self, policy: Value, days: i64) {
        let owner = Client::of(&self.test, &self.ada).await;
        let change = json!({"policy": policy, "grace_seconds": days * DAY});
        expect(owner.patch(&self.at(), change).await, 200);
    }

    fn at(&self) -> String {
        format!("/v1/orgs/{}", self.org.slug)
    }

    /// The token as shown to another token of its owner.
    async fn shown(&self) -> Value {
        let other = CreateToken {
            expires: Some("30d".into()),
            ..input(&["tokens:read"])
        };
        let other = Client::with(&self.test, &self.bob, other).await;
        let path = format!("/v1/tokens/{}", self.token.token.id);
        let shown = expect(other.get(&path).await, 200);
        let list = expect(other.get("/v1/tokens").await, 200);
        let mut listed = list["items"].as_array().unwrap().iter();
        assert_eq!(listed.find(|item| item["id"] == shown["id"]), Some(&shown));
        shown
    }

    async fn exp(&self) -> Value {
        self.test.introspect(text_of(&self.token)).await["exp"].clone()
    }

    /// The time in a number of days, as introspection and as documents write it.
    fn in_days(&self, days: i64) -> (Value, Value) {
        let at = self.test.app.now() + chrono::Duration::days(days);
        let text = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        (json!(at.timestamp()), json!(text))
    }
}

/// The user chooses a token's own expiry; a policy that is relaxed again leaves no trace.
#[actix_web::test]
async fn token_is_active_again_when_the_policy_is_relaxed() {
    let story = Story::new(Role::Member).await;
    let client = story.client();
    let before = story.shown().await;
    assert_eq!(before["grace_ends_at"], json!(null));
    story.tighten(json!({"max_lifetime_days": 90}), 1).await;
    let (exp, end) = story.in_days(1);
    assert_eq!(story.exp().await, exp);
    let shown = story.shown().await;
    assert_eq!(shown["grace_ends_at"], end, "{shown}");
    assert_eq!(shown["expires_at"], json!(null));
    let me = expect(client.get("/v1/me").await, 200);
    assert_eq!(me["token"]["grace_ends_at"], end, "{me}");

    story.test.clock.advance(DAY - 1);
    expect(client.get(&story.at()).await, 200);
    story.test.clock.advance(1);
    refused(client.get(&story.at()).await, 403, "policy");
    refused(client.get("/v1/me").await, 403, "policy");
    let said = story.test.introspect(text_of(&story.token)).await;
    assert_eq!(said, json!({"active": false}));
    let shown = story.shown().await;
    assert_eq!(shown["violation"], "never_expires", "{shown}");
    assert_eq!(shown["grace_ends_at"], json!(null));
    assert_eq!(shown["expires_at"], json!(null));

    story.tighten(json!({"never_expires": true}), 0).await;
    expect(client.get(&story.at()).await, 200);
    assert_eq!(story.exp().await, json!(null));
    assert_eq!(story.shown().await, before);
}

#[actix_web::test]
async fn policy_change_reverted_in_time_ends_no_token() {
    let story = Story::new(Role::Member).await;
    story.tighten(json!({"max_lifetime_days": 90}), 1).await;
    story.tighten(json!({"never_expires": true}), 1).await;
    assert_eq!(story.test.count("policy_grace", "1 = 1"), 0);
    assert_eq!(story.exp().await, json!(null));
    story.test.clock.advance(400 * DAY);
    expect(story.client().get(&story.at()).await, 200);
}

/// The successor lives as long as a new token, not as long as the grace period.
#[actix_web::test]
async fn successor_does_not_inherit_the_grace_period() {
    let story = Story::new(Role::Member).await;
    story.tighten(json!({"max_lifetime_days": 90}), 1).await;
    let path = format!("/v1/tokens/{}/rotate", story.token.token.id);
    let new = expect(story.client().post(&path, json!({})).await, 201);
    assert_eq!(new["expires_at"], story.in_days(90).1);
    assert_eq!(new["grace_ends_at"], json!(null));
    let successor = Client::new(&story.test, new["token"].as_str().unwrap());
    story.test.clock.advance(DAY);
    expect(successor.get(&story.at()).await, 200);
    story.test.clock.advance(89 * DAY - 1);
    expect(successor.get(&story.at()).await, 200);
}

/// A grace period excuses only the policy change that started it, not every violation.
#[actix_web::test]
async fn grace_period_extends_only_the_earlier_policy() {
    let story = Story::new(Role::Admin).await;
    let client = story.client();
    story.tighten(json!({"personal_tokens": "admins"}), 7).await;
    story.tighten(json!({"max_lifetime_days": 90}), 7).await;
    expect(client.get(&story.at()).await, 200);
    story
        .test
        .add_member(&story.org, &story.bob, Role::Member)
        .await;
    refused(client.get(&story.at()).await, 403, "policy");
    let said = story.test.introspect(text_of(&story.token)).await;
    assert_eq!(said, json!({"active": false}));
    story
        .test
        .add_member(&story.org, &story.bob, Role::Admin)
        .await;
    expect(client.get(&story.at()).await, 200);
    story.test.clock.advance(7 * DAY);
    refused(client.get(&story.at()).await, 403, "policy");
}

/// The first policy stays in force until the earlier of the two deadlines.
#[actix_web::test]
async fn second_stricter_policy_does_not_extend_the_grace_period() {
    for (first, second) in [(2, 7), (7, 2)] {
        let story = Story::new(Role::Member).await;
        let client = story.client();
        story.tighten(json!({"max_lifetime_days": 90}), first).await;
        story
            .tighten(json!({"personal_tokens": "admins"}), second)
            .await;
        assert_eq!(story.exp().await, story.in_days(2).0);
        story.test.clock.advance(2 * DAY - 1);
        expect(client.get(&story.at()).await, 200);
        story.test.clock.advance(1);
        refused(client.get(&story.at()).await, 403, "policy");
    }
}

/// A token stays active as long as any of its organizations allows it.
#[actix_web::test]
async fn longest_of_several_grace_periods_is_shown() {
    let story = Story::new(Role::Member).await;
    let other = story.test.organization(&story.bob, "Other").await;
    story.tighten(json!({"max_lifetime_days": 90}), 1).await;
    assert_eq!(story.exp().await, json!(null), "the other admits it");
    let owner = Client::of(&story.test, &story.bob).await;
    let change = json!({"policy": {"max_lifetime_days": 90}, "grace_seconds": 3 * DAY});
    let at = format!("/v1/orgs/{}", other.slug);
    expect(owner.patch(&at, change).await, 200);
    assert_eq!(story.exp().await, story.in_days(3).0);
    story.test.clock.advance(DAY);
    let client = story.client();
    refused(client.get(&story.at()).await, 403, "policy");
    expect(client.get(&at).await, 200);
    assert_eq!(story.shown().await["grace_ends_at"], story.in_days(2).1);
}
