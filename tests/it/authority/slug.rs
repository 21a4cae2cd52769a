//! The address of a deleted organization is not given to another (security finding 14).

use super::{World, post, settings, token};
use crate::support::deployment::Deployment;
use crate::support::tenant::{OPERATOR, input};
use doorcode::app::org;
use serde_json::json;

#[actix_web::test]
async fn slug_of_a_deleted_organization_is_not_given_again() {
    let world = World::start().await;
    let World { test, bob, .. } = &world;
    let lost = test.organization_by(bob, "Lost").await;
    let own = token(test, bob, input(&["orgs:write"])).await;
    org::delete(&test.req(&OPERATOR), "lost").await.unwrap();

    let mut browser = world.browser().await;
    for name in ["Lost", "lost", "LOST!"] {
        browser.get("/o/new").await;
        let page = browser.post("/o/new", &[("name", name)]).await;
        assert_eq!(page.status, 422, "{name}");
        assert!(page.contains(r#"id="name-error""#));
        assert!(page.contains("Another organization has or had the address"));
        let answer = post(test, "/v1/orgs", &own, json!({"name": name})).await;
        assert_eq!(answer.status, 422, "{name}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["pointer"], "#/name", "{answer:?}");
    }
    let refused = org::add(&test.req(&OPERATOR), "Lost").await;
    assert!(matches!(refused, Err(doorcode::app::Error::Invalid(_))));
    let other = test.organization_by(bob, "Lost Again").await;
    assert_eq!(other.slug, "lost-again");
    let condition = format!("slug = 'lost' AND id <> '{}'", lost.id);
    assert_eq!(test.count("organization", &condition), 0);
}

#[test]
fn command_line_does_not_give_the_slug_again() {
    let deployment = Deployment::with_user();
    deployment.write("doorcode.toml", &settings(""));
    deployment
        .command(&["org", "add", "--name", "Lost"])
        .run()
        .exited(0);
    deployment
        .database
        .execute("UPDATE organization SET deleted_at = created_at WHERE slug = 'lost'");
    deployment
        .command(&["user", "add", "--email", "bob@example.com", "--name", "Bob"])
        .args(&["--org", "Lost", "--password-stdin"])
        .input("copper lantern sandwich\n")
        .run()
        .exited(1)
        .complains(&["A deleted organization had the address that results from this name."]);
    deployment
        .command(&["org", "add", "--name", "Lost"])
        .run()
        .exited(1)
        .complains(&["name: Another organization has or had the address"]);
    assert_eq!(
        deployment
            .database
            .count("users", "email = 'bob@example.com'"),
        0
    );
    assert_eq!(
        deployment.database.count("organization", "slug = 'lost'"),
        1
    );
}
