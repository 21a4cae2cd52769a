//! The trees of tokens that created each other: what keeps them complete and small.

use super::descendants::{Scene, named, never, path, text};
use super::{EVERYTHING, expect, refused};
use crate::support::tenant::{input, text_of};
use doorcode::app::token::{CreateToken, OwnerRef};
use doorcode::domain::lineage::LONGEST_LINE;
use doorcode::domain::role::Role;
use serde_json::json;

/// Otherwise the successor would leave the tree that a revocation ends.
#[actix_web::test]
async fn token_rotates_neither_its_creators_nor_tokens_of_others() {
    let scene = Scene::new().await;
    let own = scene.own();
    let child = expect(own.post("/v1/tokens", named("child")).await, 201);
    let of_child = scene.client(text(&child));
    let rotate = format!("/v1/tokens/{}/rotate", scene.maker.token.id);
    refused(of_child.post(&rotate, json!({})).await, 409, "conflict");
    let other = scene.test.token_of(&scene.ada, never(&EVERYTHING)).await;
    let other = scene.client(text_of(&other));
    let rotate = format!("{}/rotate", path(&child));
    let refusal = refused(other.post(&rotate, json!({})).await, 409, "conflict");
    assert!(
        refusal["detail"]
            .as_str()
            .unwrap()
            .contains("with another token")
    );
    let by_itself = expect(of_child.post(&rotate, json!({})).await, 201);
    assert_eq!(by_itself["made_by_token"], scene.maker.token.id.as_str());
    let at = format!("/v1/tokens/{}", scene.maker.token.id);
    expect(other.delete(&at).await, 200);
    assert!(!scene.client(text(&by_itself)).is_active().await);
    assert!(!of_child.is_active().await);
}

#[actix_web::test]
async fn line_of_tokens_is_bounded() {
    let scene = Scene::new().await;
    let mut last = scene.own();
    let mut length = 1;
    let refusal = loop {
        let answer = last.post("/v1/tokens", named("next")).await;
        if answer.status != 201 {
            break answer;
        }
        length += 1;
        last = scene.client(text(&answer.body));
    };
    refused(refusal, 409, "conflict");
    assert_eq!(length, LONGEST_LINE);
    assert!(last.is_active().await);
}

/// A rotation moves a line of tokens below the token that rotates, which must not lengthen it without
/// end: the length bounds the look-ups of a revocation.
#[actix_web::test]
async fn rotation_by_another_token_keeps_the_line_bounded() {
    let scene = Scene::new().await;
    let mut line = vec![scene.own()];
    for _ in 1..LONGEST_LINE {
        let made = line[line.len() - 1].post("/v1/tokens", named("next")).await;
        line.push(scene.client(text(&expect(made, 201))));
    }
    let other = scene.test.token_of(&scene.ada, never(&EVERYTHING)).await;
    let other = scene.client(text_of(&other));
    let rotate = format!("/v1/tokens/{}/rotate", scene.maker.token.id);
    let refusal = refused(other.post(&rotate, json!({})).await, 409, "conflict");
    let detail = refusal["detail"].as_str().unwrap();
    assert!(detail.contains("would be too long"), "{detail}");
    // A shorter one moves.
    let last = line[LONGEST_LINE - 1].get("/v1/me").await;
    let last = format!(
        "/v1/tokens/{}",
        expect(last, 200)["token"]["id"].as_str().unwrap()
    );
    expect(line[0].delete(&last).await, 204);
    scene.test.database.execute(&format!(
        "UPDATE token SET made_by_token = NULL WHERE id = '{}'",
        &last["/v1/tokens/".len()..]
    ));
    let new = expect(other.post(&rotate, json!({})).await, 201);
    assert!(scene.client(text(&new)).is_active().await);
    assert!(line[LONGEST_LINE - 2].is_active().await);
}

/// An emergency: all tokens until a moment, and what was created with them since.
#[actix_web::test]
async fn revocation_until_a_moment_includes_later_descendants() {
    for of_client in [false, true] {
        let scene = Scene::new().await;
        let maker = match of_client {
            false => text_of(&scene.maker).to_owned(),
            true => scene.test.token(&["orgs:write", "tokens:write"]).await,
        };
        let maker = scene.client(&maker);
        scene.test.clock.advance(60);
        let moment = scene.test.app.now().to_rfc3339();
        scene.test.clock.advance(60);
        let child = json!({"name": "child", "scopes": ["tokens:write"]});
        let child = expect(maker.post("/v1/tokens", child).await, 201);
        let organization = if of_client {
            "acme"
        } else {
            scene.acme.slug.as_str()
        };
        let invitations = format!("/v1/orgs/{organization}/invitations");
        let invited = maker.post(&invitations, json!({"role": "member"})).await;
        let invited = expect(invited, 201);
        let path = match of_client {
            false => "/v1/tokens/revoke-all",
            true => "/v1/clients/cli/revoke-all",
        };
        let operator = scene.client(crate::support::OPERATOR);
        let ended = operator.post(path, json!({"issued_before": moment})).await;
        let ended = expect(ended, 200);
        assert_eq!(ended["withdrawn_invitations"], 1, "{ended}");
        assert!(!scene.client(text(&child)).is_active().await);
        assert!(!scene.is_open(&invited).await);
    }
}

/// An ended invitation is closed for every server, also one whose clock is behind.
#[actix_web::test]
async fn ended_invitation_is_closed_for_an_earlier_clock() {
    let scene = Scene::new().await;
    scene.test.clock.advance(3600);
    let made = scene
        .own()
        .post(&scene.invitations(), json!({"role": "member"}))
        .await;
    let made = expect(made, 201);
    scene.test.clock.advance(60);
    let path = format!("{}/{}", scene.invitations(), made["id"].as_str().unwrap());
    expect(scene.own().delete(&path).await, 204);
    scene.test.clock.advance(-30);
    assert!(!scene.is_open(&made).await);
}

/// Former admins see and list nothing of the organization.
#[actix_web::test]
async fn former_admin_does_not_see_organization_tokens() {
    let scene = Scene::new().await;
    let bob = scene.test.caller("bob@x.example").await;
    let other = scene.test.organization(&bob, "Elsewhere").await;
    scene.test.add_member(&scene.acme, &bob, Role::Admin).await;
    let his = scene.test.token_of(&bob, never(&EVERYTHING)).await;
    let machine = json!({"name": "machine", "scopes": []});
    let by_his = scene.client(text_of(&his));
    expect(
        by_his.post(&scene.tokens_of_acme(), machine.clone()).await,
        201,
    );
    let path = format!("/v1/orgs/{}/tokens", other.slug);
    expect(by_his.post(&path, machine).await, 201);
    let shown = async || {
        let (req, id) = (scene.test.req(&bob), his.token.id.as_str());
        let found = doorcode::app::audit::uses::activity::of_token(&req, &OwnerRef::Own, id, None);
        found.await.unwrap().children.len()
    };
    assert_eq!(shown().await, 2);
    scene.test.add_member(&scene.acme, &bob, Role::Member).await;
    assert_eq!(shown().await, 1);
}

/// A successor that expires earlier than the old token bounds everything that was created with it.
#[actix_web::test]
async fn expiry_of_a_successor_bounds_all_descendants() {
    let scene = Scene::new().await;
    let soon = CreateToken {
        expires: Some("30d".to_owned()),
        ..input(&EVERYTHING)
    };
    let soon = scene.test.token_of(&scene.ada, soon).await;
    let mut line = vec![scene.own()];
    for _ in 0..3 {
        let made = line[line.len() - 1].post("/v1/tokens", named("next")).await;
        line.push(scene.client(text(&expect(made, 201))));
    }
    let machine = json!({"name": "machine", "scopes": [], "expires": "never"});
    let machine = line[3].post(&scene.tokens_of_acme(), machine).await;
    line.push(scene.client(text(&expect(machine, 201))));
    let rotate = format!("/v1/tokens/{}/rotate", scene.maker.token.id);
    let by = scene.client(text_of(&soon));
    let new = expect(by.post(&rotate, json!({})).await, 201);
    line[0] = scene.client(text(&new));
    for client in &line {
        assert!(client.is_active().await);
    }
    scene.test.clock.advance(30 * 86_400);
    for (at, client) in line.iter().enumerate() {
        assert!(!client.is_active().await, "{at}");
    }
}

/// The invitations of an organization's token belong to its successor: they stay open, and end with
/// it.
#[actix_web::test]
async fn rotation_of_an_organization_token_keeps_its_invitations() {
    let scene = Scene::new().await;
    for way in ["one", "all"] {
        let machine = json!({"name": "machine", "scopes": EVERYTHING});
        let machine = expect(
            scene.own().post(&scene.tokens_of_acme(), machine).await,
            201,
        );
        let by_machine = scene.client(text(&machine));
        let invitation = json!({"role": "admin"});
        let made = by_machine.post(&scene.invitations(), invitation).await;
        let made = expect(made, 201);
        let at = |token: &serde_json::Value| {
            format!(
                "{}/{}",
                scene.tokens_of_acme(),
                token["id"].as_str().unwrap()
            )
        };
        let rotate = format!("{}/rotate", at(&machine));
        let now = json!({"overlap_seconds": 0});
        let new = expect(by_machine.post(&rotate, now).await, 201);
        assert!(!by_machine.is_active().await);
        assert!(scene.is_open(&made).await, "{way}");
        match way {
            "one" => expect(scene.own().delete(&at(&new)).await, 200),
            _ => {
                let all = format!("{}/revoke-all", scene.tokens_of_acme());
                expect(scene.own().post(&all, json!({})).await, 200)
            }
        };
        assert!(!scene.is_open(&made).await, "{way}");
    }
}
