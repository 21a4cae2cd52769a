//! Requests that a rule forbids the user to approve.

use super::wait::held_during;
use super::{ASK, OPEN, assert_refused};
use crate::support::browser::{Browser, Page};
use crate::support::device::{Answer, Device};
use crate::support::tenant::OPERATOR;
use crate::support::{CLI, PASSWORD, TestApp};
use doorcode::app::access::Caller;
use doorcode::app::org::{self, UpdateOrganization, UpdatePolicy};
use doorcode::domain::org::Organization;
use doorcode::domain::policy::PersonalTokens;
use doorcode::domain::role::Role;
use serde_json::Value;

const BEN: &str = "ben@x.example";
const ADMINS_ONLY: &str = "The policy of the organization lets only admins and owners use \
    personal tokens. Ask an owner to change your role or the policy, then sign in again.";

/// A user who is a member of the organization Alpha.
struct World {
    test: TestApp,
    owner: Caller,
    ben: Caller,
    browser: Browser,
    alpha: Organization,
}

impl World {
    async fn new() -> Self {
        Self::with("").await
    }

    /// The same with settings.
    async fn with(settings: &str) -> Self {
        let test = TestApp::with(settings).await;
        let (owner, ben) = (test.caller("owner@x.example").await, test.caller(BEN).await);
        let alpha = test.organization(&owner, "Alpha").await;
        test.add_member(&alpha, &ben, Role::Member).await;
        let mut browser = test.browser();
        browser.sign_in(BEN, PASSWORD).await;
        Self {
            test,
            owner,
            ben,
            browser,
            alpha,
        }
    }

    /// Lets only admins and owners use personal tokens in an organization.
    async fn forbid(&self, organization: &Organization) {
        let policy = UpdatePolicy {
            personal_tokens: Some(PersonalTokens::Admins),
            ..UpdatePolicy::default()
        };
        let update = UpdateOrganization {
            policy: Some(policy),
            ..UpdateOrganization::default()
        };
        let (req, named) = (self.test.req(&OPERATOR), organization.id.as_str());
        let changed = org::update(&req, named, update, chrono::Duration::zero());
        changed.await.unwrap();
    }

    /// A device and its consent page.
    async fn device(&mut self) -> (Device, Page) {
        let device = self.test.device("orgs:read").await;
        let page = self.browser.type_code(&device.user_code).await;
        assert_eq!(page.status, 200, "{}", page.body);
        (device, page)
    }

    /// Approves, limited to an organization.
    async fn approve(&mut self, consent: &Page, organization: &str) -> Page {
        let ticket = consent.field("ticket").unwrap();
        let code = consent.field("user_code").unwrap();
        let fields = [
            ("ticket", ticket.as_str()),
            ("user_code", &code),
            ("decision", "approve"),
            ("scope", "orgs:read"),
            ("organization", organization),
        ];
        self.browser.post("/device/decide", &fields).await
    }

    /// Asserts that a device gets no token, with this reason.
    async fn assert_denied(&self, device: &Device, reason: &str) {
        for _ in 0..2 {
            assert_denied(&self.test.poll(device).await, reason);
        }
        assert_eq!(self.test.count("token", "1 = 1"), 0);
    }
}

#[track_caller]
fn assert_denied(answer: &Answer, reason: &str) {
    assert_refused(answer, 400, "access_denied");
    let description = answer.body["error_description"].as_str().unwrap();
    assert!(description.contains(reason), "{description}");
}

fn has_approve(page: &Page) -> bool {
    page.contains(r#"name="decision" value="approve""#)
}

#[actix_web::test]
async fn page_says_which_rule_forbids_it_and_who_can_change_that() {
    let mut world = World::new().await;
    world.forbid(&world.alpha).await;
    let (device, page) = world.device().await;
    assert!(!has_approve(&page), "{}", page.body);
    for words in [
        "<h1>Alpha does not allow this sign-in</h1>",
        "The policy of Alpha lets only <b>admins and owners</b> use personal tokens.",
        "Your role is <b>member</b>.",
        r#"<a href="/o/alpha/members">owner of Alpha</a>"#,
        &device.user_code,
        BEN,
        ">End this request</button>",
    ] {
        assert!(page.contains(words), "{words}: {}", page.body);
    }
    assert!(page.contains("owner@x.example"), "{}", page.body);
    let answer = world.test.poll(&device).await;
    assert_eq!(answer.error(), "authorization_pending");
}

/// The device learns the rule at once, also by a poll that waits.
#[actix_web::test]
async fn ended_request_gives_the_device_the_reason() {
    let mut world = World::new().await;
    world.forbid(&world.alpha).await;
    let (device, page) = world.device().await;
    let mut browser = world.browser.clone();
    let mut ended = None;
    let end = async {
        ended = Some(browser.decide(&page, "deny", &[]).await);
    };
    let answer = held_during(&world.test, &device, end).await;
    assert_denied(&answer, ADMINS_ONLY);
    world.assert_denied(&device, ADMINS_ONLY).await;

    let ended = ended.unwrap();
    assert_eq!(ended.status, 200);
    for words in ["This sign-in is not allowed", ADMINS_ONLY] {
        assert!(ended.contains(words), "{}", ended.body);
    }
    let again = browser.decide(&page, "deny", &[]).await;
    assert_eq!((again.status, &again.body), (200, &ended.body));
    assert_eq!(world.test.events("device.denied"), 1);
}

/// The page was opened before the policy changed.
#[actix_web::test]
async fn approval_with_an_old_page_is_not_allowed() {
    let mut world = World::new().await;
    let (device, consent) = world.device().await;
    assert!(has_approve(&consent));
    world.forbid(&world.alpha).await;
    let page = world.approve(&consent, "").await;
    assert!(
        page.contains("This sign-in is not allowed"),
        "{}",
        page.body
    );
    assert!(page.contains(ADMINS_ONLY));
    world.assert_denied(&device, ADMINS_ONLY).await;
    assert_eq!(world.test.events("device.approved"), 0);
    assert_eq!(world.test.events("device.denied"), 1);
}

/// A mistake in the form ends no request, whatever rule would forbid the rest.
#[actix_web::test]
async fn unknown_organization_is_a_mistake_and_no_rule() {
    let mut world = World::new().await;
    let (device, consent) = world.device().await;
    world.forbid(&world.alpha).await;
    let page = world.approve(&consent, "no-such").await;
    assert_eq!(page.status, 400);
    assert!(page.contains(">End this request</button>"), "{}", page.body);
    let answer = world.test.poll(&device).await;
    assert_eq!(answer.error(), "authorization_pending");
}

#[actix_web::test]
async fn policy_that_changes_after_the_approval_denies_the_token() {
    let mut world = World::new().await;
    let (device, consent) = world.device().await;
    let page = world.approve(&consent, "").await;
    assert!(page.contains(" is signed in</h1>"), "{}", page.body);
    world.forbid(&world.alpha).await;
    world.assert_denied(&device, ADMINS_ONLY).await;
    assert_eq!(world.test.events("device.refused"), 1);
}

#[actix_web::test]
async fn leaving_after_the_approval_denies_the_token() {
    let mut world = World::new().await;
    let alpha = world.alpha.id.to_string();
    let (device, consent) = world.device().await;
    let page = world.approve(&consent, &alpha).await;
    assert!(page.contains("<dt>Limited to</dt><dd>Alpha</dd>"));
    world.test.unseat(&world.alpha, &world.ben).await;
    let reason = "You no longer have the permissions that were approved.";
    world.assert_denied(&device, reason).await;
}

/// Users whom an invitation created need an organization.
#[actix_web::test]
async fn user_without_an_organization_is_told_to_join_one() {
    let mut world = World::new().await;
    world.test.database.execute(&format!(
        "UPDATE users SET needs_organization = true WHERE email = '{BEN}'"
    ));
    world.test.unseat(&world.alpha, &world.ben).await;
    let (device, page) = world.device().await;
    let reason = "You belong to no organization that allows this token. Ask to be \
        invited to one, then sign in again.";
    assert!(
        !has_approve(&page) && page.contains(reason),
        "{}",
        page.body
    );
    let page = world.browser.decide(&page, "deny", &[]).await;
    assert!(page.contains("This sign-in is not allowed") && page.contains(reason));
    world.assert_denied(&device, reason).await;
}

/// Alpha forbids personal tokens and Beta does not.
#[actix_web::test]
async fn organization_that_forbids_is_not_offered() {
    let mut world = World::new().await;
    let beta = world.test.organization(&world.owner, "Beta").await;
    world.test.add_member(&beta, &world.ben, Role::Member).await;
    world.forbid(&world.alpha).await;
    let (alpha, beta) = (world.alpha.id.to_string(), beta.id.to_string());
    let option = |id: &str| format!(r#"<option value="{id}""#);

    let (device, consent) = world.device().await;
    assert!(has_approve(&consent));
    assert!(consent.contains(&option(&beta)), "{}", consent.body);
    assert!(!consent.contains(&option(&alpha)), "{}", consent.body);
    assert!(consent.contains(">All of mine</option>"));
    world.approve(&consent, "").await;
    let token = world.test.poll(&device).await.token();
    let unlimited = world.test.introspect(&token).await;
    assert_eq!(unlimited["organization"], Value::Null);

    let (device, consent) = world.device().await;
    world.approve(&consent, &beta).await;
    let token = world.test.poll(&device).await.token();
    let limited = world.test.introspect(&token).await;
    assert_eq!(limited["organization"], beta.as_str());

    // The device requests the one that forbids.
    let project = world.test.project(&world.alpha, "Shop").await;
    world.test.add_to(&project, &world.ben).await;
    for (name, value) in [("organization", "alpha"), ("project", project.id.as_str())] {
        let form = [("client_id", CLI), (name, value)];
        let device = Device::of(&world.test.oauth(ASK, &form).await);
        let consent = world.browser.type_code(&device.user_code).await;
        let sentence = format!("access limited to the {name} {value}. Your account cannot");
        assert!(consent.contains(&sentence), "{}", consent.body);
        assert!(consent.contains(OPEN));
        let has_box = format!(r#"id="project-{}""#, project.id);
        assert!(!consent.contains(&has_box), "{}", consent.body);
    }

    let (device, consent) = world.device().await;
    let page = world.approve(&consent, &alpha).await;
    assert!(page.contains(ADMINS_ONLY), "{}", page.body);
    assert_denied(&world.test.poll(&device).await, ADMINS_ONLY);
}

/// What counts where a request names no organization forbids; organizations of users do not.
#[actix_web::test]
async fn user_must_choose_a_limit_if_only_limited_tokens_are_allowed() {
    let mut world = World::with("[organizations]\nmade_by = \"users\"\n").await;
    world.forbid(&world.alpha).await;
    let made = world.test.organization_by(&world.ben, "Made").await;
    let (device, consent) = world.device().await;
    assert!(has_approve(&consent) && consent.contains(OPEN));
    assert!(
        !consent.contains(">All of mine</option>"),
        "{}",
        consent.body
    );
    assert!(consent.contains(&format!(r#"<option value="{}""#, made.id)));
    let page = world.approve(&consent, made.id.as_str()).await;
    assert!(
        page.contains("<dt>Limited to</dt><dd>Made</dd>"),
        "{}",
        page.body
    );
    world.test.poll(&device).await.token();
    let is_limited = format!("limit_organization_id = '{}'", made.id);
    assert_eq!(world.test.count("token", &is_limited), 1);
}
