//! What was created with a token ends with it.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::TestApp;
use crate::support::tenant::{OPERATOR, input, text_of, user_of};
use doorcode::app::access::Caller;
use doorcode::app::org;
use doorcode::app::token::{self, CreateToken, NewToken, OwnerRef};
use doorcode::domain::org::Organization;
use doorcode::domain::role::Role;
use doorcode::domain::secret::Secret;
use serde_json::{Value, json};

/// A user with an organization and a token that has every scope.
pub(super) struct Scene {
    pub(super) test: TestApp,
    pub(super) ada: Caller,
    pub(super) acme: Organization,
    pub(super) maker: NewToken,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let test = TestApp::start().await;
        let ada = test.caller("ada@x.example").await;
        let acme = test.organization(&ada, "Trees").await;
        let maker = test.token_of(&ada, never(&EVERYTHING)).await;
        Self {
            test,
            ada,
            acme,
            maker,
        }
    }

    pub(super) fn client(&self, text: &str) -> Client<'_> {
        Client::new(&self.test, text)
    }

    pub(super) fn own(&self) -> Client<'_> {
        self.client(text_of(&self.maker))
    }

    pub(super) fn tokens_of_acme(&self) -> String {
        format!("/v1/orgs/{}/tokens", self.acme.slug)
    }

    pub(super) fn invitations(&self) -> String {
        format!("/v1/orgs/{}/invitations", self.acme.slug)
    }

    pub(super) async fn is_open(&self, invitation: &Value) -> bool {
        let url = invitation["url"].as_str().unwrap();
        let link = Secret::new(url.split_once("link=").unwrap().1);
        org::look_at(&self.test.app, &link).await.is_ok()
    }
}

pub(super) fn never(scopes: &[&str]) -> CreateToken {
    CreateToken {
        expires: Some("never".to_owned()),
        ..input(scopes)
    }
}

pub(super) fn named(name: &str) -> Value {
    json!({"name": name, "scopes": EVERYTHING, "expires": "never"})
}

pub(super) fn text(made: &Value) -> &str {
    made["token"].as_str().unwrap()
}

pub(super) fn path(made: &Value) -> String {
    format!("/v1/tokens/{}", made["id"].as_str().unwrap())
}

/// The names of the announced descendants, sorted.
fn names(announced: &Value) -> Vec<&str> {
    let newest = announced["newest"].as_array().unwrap();
    let mut names: Vec<_> = newest
        .iter()
        .map(|token| token["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[actix_web::test]
async fn revocation_ends_personal_and_organization_tokens_and_invitations() {
    let scene = Scene::new().await;
    let own = scene.own();
    let child = expect(own.post("/v1/tokens", named("child")).await, 201);
    assert_eq!(child["made_by_token"], scene.maker.token.id.as_str());
    let of_child = scene.client(text(&child));
    let grandchild = expect(of_child.post("/v1/tokens", named("grandchild")).await, 201);
    let scopes = json!({"name": "machine", "scopes": ["orgs:read"]});
    let machine = expect(of_child.post(&scene.tokens_of_acme(), scopes).await, 201);
    let invitation = json!({"role": "member"});
    let by_own = expect(
        own.post(&scene.invitations(), invitation.clone()).await,
        201,
    );
    let by_child = expect(of_child.post(&scene.invitations(), invitation).await, 201);
    let unrelated = scene.test.token_of(&scene.ada, never(&EVERYTHING)).await;

    let console = scene.client(text_of(&unrelated));
    let at = format!("/v1/tokens/{}", scene.maker.token.id);
    let announced = expect(console.get(&format!("{at}/descendants")).await, 200);
    assert_eq!(
        (&announced["tokens"], &announced["invitations"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(names(&announced), ["child", "grandchild", "machine"]);
    assert_eq!(expect(own.get("/v1/me/descendants").await, 200), announced);
    let ended = expect(console.delete(&at).await, 200);
    assert_eq!(ended, json!({"revoked": 4, "withdrawn_invitations": 2}));
    for made in [&child, &grandchild, &machine] {
        assert!(!scene.client(text(made)).is_active().await, "{made}");
    }
    assert!(!scene.is_open(&by_own).await && !scene.is_open(&by_child).await);
    assert!(console.is_active().await, "created in the console");
    let found = expect(console.get(&path(&child)).await, 200);
    assert_eq!(found["revoked_reason"], "creator_revoked");
    // Repeating it has no further effect.
    expect(console.delete(&at).await, 204);
}

/// The number stays complete, so that the user knows what a revocation ends.
#[actix_web::test]
async fn names_of_an_organization_are_for_those_who_manage_it() {
    let scene = Scene::new().await;
    let own = scene.own();
    let scopes = json!({"name": "machine", "scopes": ["orgs:read"]});
    expect(own.post(&scene.tokens_of_acme(), scopes).await, 201);
    let at = "/v1/me/descendants";
    assert_eq!(names(&expect(own.get(at).await, 200)), ["machine"]);
    scene
        .test
        .database
        .execute("UPDATE membership SET role = 'member'");
    let announced = expect(own.get(at).await, 200);
    assert_eq!(
        announced,
        json!({"tokens": 1, "invitations": 0, "newest": []})
    );
}

#[actix_web::test]
async fn token_expires_no_later_than_its_creator() {
    let scene = Scene::new().await;
    let soon = CreateToken {
        expires: Some("30d".to_owned()),
        ..input(&EVERYTHING)
    };
    let soon = scene.test.token_of(&scene.ada, soon).await;
    let end = soon.token.expires_at.unwrap();
    let client = scene.client(text_of(&soon));
    scene.test.clock.advance(86_400);
    for path in ["/v1/tokens".to_owned(), scene.tokens_of_acme()] {
        for expires in [json!("never"), json!("90d"), json!("1y"), json!(null)] {
            let body = json!({"name": "n", "scopes": [], "expires": expires});
            let made = client.post(&path, body).await;
            let made = expect(made, 201);
            let found: doorcode::domain::Instant =
                made["expires_at"].as_str().unwrap().parse().unwrap();
            assert!(found <= end, "{path} {expires}: {made}");
        }
    }
    // Another token cannot be prolonged either by rotating it with this one.
    let other = scene
        .test
        .token_of(&scene.ada, never(&["tokens:read"]))
        .await;
    let rotate = format!("/v1/tokens/{}/rotate", other.token.id);
    let new = expect(client.post(&rotate, json!({})).await, 201);
    let found: doorcode::domain::Instant = new["expires_at"].as_str().unwrap().parse().unwrap();
    assert!(found <= end, "{new}");
    scene.test.clock.advance(30 * 86_400);
    assert!(!scene.client(text(&new)).is_active().await);
}

#[actix_web::test]
async fn rotation_passes_descendants_to_the_successor() {
    let scene = Scene::new().await;
    let own = scene.own();
    let child = expect(own.post("/v1/tokens", named("child")).await, 201);
    let invited = own
        .post(&scene.invitations(), json!({"role": "member"}))
        .await;
    let invited = expect(invited, 201);
    let rotate = format!("/v1/tokens/{}/rotate", scene.maker.token.id);
    let new = expect(
        own.post(&rotate, json!({"overlap_seconds": 3600})).await,
        201,
    );
    assert_eq!(
        new["made_by_token"],
        json!(null),
        "a token is not its own creator"
    );
    let successor = scene.client(text(&new));
    let found = expect(successor.get(&path(&child)).await, 200);
    assert_eq!(found["made_by_token"], new["id"]);

    // Revoking the old token ends nothing else.
    let old = format!("/v1/tokens/{}", scene.maker.token.id);
    expect(successor.delete(&old).await, 204);
    assert!(scene.client(text(&child)).is_active().await);
    assert!(scene.is_open(&invited).await);
    let console = scene.test.token_of(&scene.ada, never(&EVERYTHING)).await;
    let console = scene.client(text_of(&console));
    let ended = expect(console.delete(&path(&new)).await, 200);
    assert_eq!(ended, json!({"revoked": 2, "withdrawn_invitations": 1}));
    assert!(!scene.client(text(&child)).is_active().await);
}

/// An attacker who rotates another token with a leaked one has the successor.
#[actix_web::test]
async fn successor_ends_with_the_token_that_rotated_it() {
    let scene = Scene::new().await;
    let victim = scene.test.token_of(&scene.ada, never(&EVERYTHING)).await;
    let rotate = format!("/v1/tokens/{}/rotate", victim.token.id);
    let stolen = expect(scene.own().post(&rotate, json!({})).await, 201);
    assert_eq!(stolen["made_by_token"], scene.maker.token.id.as_str());
    let console = scene.test.token_of(&scene.ada, never(&EVERYTHING)).await;
    let console = scene.client(text_of(&console));
    let at = format!("/v1/tokens/{}", scene.maker.token.id);
    expect(console.delete(&at).await, 200);
    assert!(!scene.client(text(&stolen)).is_active().await);
}

#[actix_web::test]
async fn every_explicit_revocation_includes_descendants() {
    let invite = json!({"role": "member"});
    for way in ["revoke-all", "operator", "rfc7009"] {
        let scene = Scene::new().await;
        let own = scene.own();
        let machine = json!({"name": "machine", "scopes": ["orgs:write"]});
        let machine = expect(own.post(&scene.tokens_of_acme(), machine).await, 201);
        let by_machine = scene.client(text(&machine));
        let invited = by_machine.post(&scene.invitations(), invite.clone()).await;
        let invited = expect(invited, 201);
        match way {
            "revoke-all" => {
                let ended = own.post("/v1/tokens/revoke-all", json!({})).await;
                let ended = expect(ended, 200);
                assert_eq!(ended, json!({"revoked": 2, "withdrawn_invitations": 1}));
            }
            "operator" => {
                let id = user_of(&scene.ada);
                let path = format!("/v1/users/{id}/revoke-all");
                let operator = scene.client(crate::support::OPERATOR);
                let ended = expect(operator.post(&path, json!({})).await, 200);
                assert_eq!(ended, json!({"revoked": 2, "withdrawn_invitations": 1}));
            }
            _ => {
                let fields = [("token", text_of(&scene.maker)), ("client_id", "cli")];
                let request = scene.test.anon().post(scene.test.at("/auth/revoke"));
                let answer = request.form(&fields).send().await.unwrap();
                assert_eq!(answer.status(), 200);
            }
        }
        assert!(!by_machine.is_active().await, "{way}");
        assert!(!scene.is_open(&invited).await, "{way}");
    }
}

/// An invitation outlives neither its token's owner nor a revocation of all, also if the token
/// expired before.
#[actix_web::test]
async fn revoking_all_ends_invitations_of_expired_tokens() {
    let scene = Scene::new().await;
    let rotate = format!("/v1/tokens/{}/rotate", scene.maker.token.id);
    let own = scene.own();
    expect(
        own.post(&rotate, json!({"overlap_seconds": 3600})).await,
        201,
    );
    let invited = own
        .post(&scene.invitations(), json!({"role": "admin"}))
        .await;
    let invited = expect(invited, 201);
    scene.test.clock.advance(7200);
    assert!(!own.is_active().await);
    assert!(scene.is_open(&invited).await, "expiry ends tokens only");
    let all = scene.test.token_of(&scene.ada, never(&EVERYTHING)).await;
    let all = scene.client(text_of(&all));
    expect(all.post("/v1/tokens/revoke-all", json!({})).await, 200);
    assert!(!scene.is_open(&invited).await);
}

/// Leaving ends personal tokens. Organization tokens stay, and the admins see the tokens that
/// created them.
#[actix_web::test]
async fn organization_token_stays_when_its_creator_leaves() {
    let scene = Scene::new().await;
    let bob = scene.test.caller("bob@x.example").await;
    scene.test.add_member(&scene.acme, &bob, Role::Admin).await;
    let his = Client::of(&scene.test, &bob).await;
    let child = expect(his.post("/v1/tokens", named("child")).await, 201);
    let machine = json!({"name": "machine", "scopes": []});
    let machine = expect(his.post(&scene.tokens_of_acme(), machine).await, 201);
    scene.test.unseat(&scene.acme, &bob).await;
    assert!(!scene.client(text(&child)).is_active().await);
    assert!(scene.client(text(&machine)).is_active().await);
    let req = scene.test.req(&scene.ada);
    let of_acme = OwnerRef::Organization(scene.acme.slug.clone());
    let search = token::TokenSearch::default();
    let listed = token::search(&req, &of_acme, search).await.unwrap().tokens;
    let creator = listed[0].creator.as_ref().unwrap();
    assert!(creator.has_ended, "{creator:?}");
}

#[actix_web::test]
async fn owners_are_made_in_the_console_alone() {
    let scene = Scene::new().await;
    let owner = json!({"role": "owner"});
    let refusal = scene.own().post(&scene.invitations(), owner.clone()).await;
    let refusal = refused(refusal, 403, "forbidden");
    let detail = refusal["detail"].as_str().unwrap();
    assert!(detail.contains("in the console"), "{detail}");
    let bob = scene.test.caller("bob@x.example").await;
    scene.test.add_member(&scene.acme, &bob, Role::Admin).await;
    let member = format!("/v1/orgs/{}/members/{}", scene.acme.slug, user_of(&bob));
    let refusal = scene.own().put(&member, owner.clone()).await;
    refused(refusal, 403, "forbidden");
    let operator = scene.client(crate::support::OPERATOR);
    expect(operator.put(&member, owner.clone()).await, 200);
    expect(operator.post(&scene.invitations(), owner).await, 201);
    let of_owner = org::CreateInvitation {
        email: None,
        role: Role::Owner,
        form_nonce: None,
    };
    for caller in [&scene.ada, &OPERATOR] {
        let req = scene.test.req(caller);
        assert!(
            org::invite(&req, &scene.acme.slug, of_owner.clone())
                .await
                .is_ok()
        );
    }
}
