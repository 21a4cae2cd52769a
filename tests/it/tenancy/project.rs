//! Projects and the users who have access to them.

use super::{Client, expect, refused};
use crate::support::TestApp;
use crate::support::tenant::user_of;
use doorcode::domain::role::Role;
use serde_json::json;

#[actix_web::test]
async fn admins_reach_all_projects_and_members_only_their_own() {
    let test = TestApp::start().await;
    let (ada, bob, eve) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
        test.caller("eve@x.example").await,
    );
    let org = test.organization(&ada, "Workshop").await;
    test.organization(&eve, "Elsewhere").await;
    test.add_member(&org, &bob, Role::Member).await;
    let (owner, member, stranger) = (
        Client::of(&test, &ada).await,
        Client::of(&test, &bob).await,
        Client::of(&test, &eve).await,
    );
    let path = format!("/v1/orgs/{}/projects", org.slug);
    refused(
        member.post(&path, json!({"name": "red"})).await,
        403,
        "forbidden",
    );
    let red = expect(owner.post(&path, json!({"name": "red"})).await, 201);
    let twin = owner.post(&path, json!({"name": "red"})).await;
    let answer = refused(twin, 422, "invalid");
    assert_eq!(answer["errors"][0]["pointer"], "#/name");
    let at = format!("/v1/projects/{}", red["id"].as_str().unwrap());
    expect(owner.get(&at).await, 200);
    let not_added = refused(member.get(&at).await, 403, "forbidden");
    let foreign = refused(stranger.get(&at).await, 403, "forbidden");
    let absent = stranger
        .get("/v1/projects/prj_00000000000000000000000000000000")
        .await;
    let absent = refused(absent, 403, "forbidden");
    assert_eq!(not_added["detail"], absent["detail"]);
    assert_eq!(foreign["detail"], absent["detail"]);

    let of = |caller| format!("{at}/members/{}", user_of(caller));
    for _ in 0..2 {
        expect(owner.put(&of(&bob), json!({})).await, 204);
    }
    refused(owner.put(&of(&eve), json!({})).await, 404, "not_found");
    expect(member.get(&at).await, 200);
    refused(
        member.patch(&at, json!({"name": "mine"})).await,
        403,
        "forbidden",
    );
    refused(member.delete(&at).await, 403, "forbidden");
    let listed = expect(member.get(&format!("{at}/members")).await, 200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    expect(owner.patch(&at, json!({"name": "crimson"})).await, 200);
    for _ in 0..2 {
        expect(owner.delete(&of(&bob)).await, 204);
    }
    refused(member.get(&at).await, 403, "forbidden");
    expect(owner.delete(&at).await, 204);
    refused(owner.get(&at).await, 403, "forbidden");
    for (action, count) in [
        ("project.created", 1),
        ("project.renamed", 1),
        ("project.deleted", 1),
        ("project.member_added", 1),
        ("project.member_removed", 1),
    ] {
        assert_eq!(test.events(action), count, "{action}");
    }
}

/// PAG-01: no item is lost or repeated when another is added meanwhile.
#[actix_web::test]
async fn pages_continue_where_they_stopped() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Many").await;
    let mut made = Vec::new();
    for i in 0..5 {
        made.push(test.project(&org, &format!("p{i}")).await.id.to_string());
        test.clock.advance(1);
    }
    let owner = Client::of(&test, &ada).await;
    for list in [
        "/v1/projects".to_owned(),
        format!("/v1/orgs/{}/projects", org.slug),
    ] {
        let mut seen = Vec::new();
        let mut path = format!("{list}?limit=2");
        loop {
            let page = expect(owner.get(&path).await, 200);
            for item in page["items"].as_array().unwrap() {
                seen.push(item["id"].as_str().unwrap().to_owned());
            }
            if seen.len() == 2 {
                test.clock.advance(1);
                let name = format!("late {list}");
                made.push(test.project(&org, &name).await.id.to_string());
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => path = format!("{list}?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, made, "{list}");
    }
}

/// PAG-01.
#[actix_web::test]
async fn project_members_are_listed_in_pages() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Crowd").await;
    let project = test.project(&org, "crowded").await;
    let mut added = Vec::new();
    for i in 0..5 {
        let caller = test.caller(&format!("p{i}@x.example")).await;
        test.add_member(&org, &caller, Role::Member).await;
        test.add_to(&project, &caller).await;
        added.push(json!(user_of(&caller).as_str()));
        test.clock.advance(1);
    }
    let owner = Client::of(&test, &ada).await;
    let path = format!("/v1/projects/{}/members", project.id);
    assert_eq!(owner.all(&format!("{path}?limit=2")).await, added);
    refused(
        owner.get(&format!("{path}?page=2")).await,
        400,
        "invalid_request",
    );
    refused(
        owner.get(&format!("{path}?limit=101")).await,
        400,
        "invalid_request",
    );
}

/// Concurrent deletes, renames and additions change no deleted project, and the audit log records
/// only changes that took effect.
#[actix_web::test]
async fn project_is_deleted_once() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Contested").await;
    test.add_member(&org, &bob, Role::Member).await;
    let owner = Client::of(&test, &ada).await;
    let mut renamed = 0;
    for round in 1..=20 {
        let project = test.project(&org, "contested").await;
        let at = format!("/v1/projects/{}", project.id);
        let member = format!("{at}/members/{}", user_of(&bob));
        let (one, two, rename, add) = tokio::join!(
            owner.delete(&at),
            owner.delete(&at),
            owner.patch(&at, json!({"name": "renamed"})),
            owner.put(&member, json!({})),
        );
        let mut deleted = [one.status, two.status];
        deleted.sort_unstable();
        assert_eq!(deleted, [204, 403], "{one:?} {two:?}");
        for (answer, status) in [(&rename, 200), (&add, 204)] {
            assert!([status, 403].contains(&answer.status), "{answer:?}");
        }
        renamed += i64::from(rename.status == 200);
        assert_eq!(test.events("project.deleted"), round);
        assert_eq!(test.events("project.renamed"), renamed);
    }
}

/// A caller who may not add a user to a project does not wait for a transaction on that user.
#[actix_web::test]
async fn outsider_does_not_lock_the_row_of_a_user() {
    if !crate::support::database::Database::is_postgres() {
        return;
    }
    let test = TestApp::start().await;
    let (ada, eve) = (
        test.caller("ada@x.example").await,
        test.caller("eve@x.example").await,
    );
    let org = test.organization(&ada, "Calm").await;
    let project = test.project(&org, "calm").await;
    let stranger = Client::of(&test, &eve).await;
    let id = user_of(&ada);
    let held = test.database.hold(&format!(
        "SELECT id FROM users WHERE id = '{id}' FOR UPDATE"
    ));
    let role = format!("/v1/orgs/{}/members/{id}", org.slug);
    let member = format!("/v1/projects/{}/members/{id}", project.id);
    refused(
        stranger.put(&role, json!({"role": "member"})).await,
        403,
        "forbidden",
    );
    refused(stranger.delete(&role).await, 403, "forbidden");
    refused(stranger.put(&member, json!({})).await, 403, "forbidden");
    drop(held);
}
