//! Limits of tokens, and what tokens can grant.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::TestApp;
use crate::support::tenant::input;
use doorcode::app::token::CreateToken;
use doorcode::domain::role::Role;
use serde_json::json;

#[actix_web::test]
async fn token_of_one_organization_reaches_no_other() {
    let test = TestApp::with("[organizations]\nmade_by = \"users\"").await;
    let ada = test.caller("ada@x.example").await;
    let (one, two) = (
        test.organization(&ada, "One").await,
        test.organization(&ada, "Two").await,
    );
    let limited = CreateToken {
        organization: Some(one.slug.clone()),
        ..input(&EVERYTHING)
    };
    let client = Client::with(&test, &ada, limited).await;
    let at = |slug: &str| format!("/v1/orgs/{slug}");
    expect(client.get(&at(&one.slug)).await, 200);
    refused(client.get(&at(&two.slug)).await, 403, "forbidden");
    let listed = expect(client.get("/v1/orgs").await, 200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    refused(
        client.post("/v1/orgs", json!({"name": "Three"})).await,
        403,
        "forbidden",
    );

    // A token that it creates has the same limit, and nothing wider can be requested.
    let made = expect(
        client
            .post("/v1/tokens", json!({"name": "n", "scopes": []}))
            .await,
        201,
    );
    assert_eq!(made["organization"], one.id.as_str());
    let wider = json!({"name": "n", "scopes": [], "organization": two.slug});
    refused(client.post("/v1/tokens", wider).await, 403, "forbidden");
    let said = test.introspect(made["token"].as_str().unwrap()).await;
    assert_eq!(said["organization"], one.id.as_str());
}

#[actix_web::test]
async fn token_of_some_projects_reaches_only_those() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Projects").await;
    test.add_member(&org, &bob, Role::Member).await;
    let mut projects = Vec::new();
    for name in ["red", "green", "blue"] {
        projects.push(test.project(&org, name).await);
    }
    test.add_to(&projects[0], &bob).await;
    test.add_to(&projects[1], &bob).await;
    let limited = CreateToken {
        projects: vec![projects[0].id.to_string()],
        ..input(&EVERYTHING)
    };
    let client = Client::with(&test, &bob, limited).await;
    let at = |i: usize| format!("/v1/projects/{}", projects[i].id);
    expect(client.get(&at(0)).await, 200);
    refused(client.get(&at(1)).await, 403, "forbidden");
    refused(client.get(&at(2)).await, 403, "forbidden");
    let listed = expect(client.get("/v1/projects").await, 200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    refused(
        client.get(&format!("/v1/orgs/{}", org.slug)).await,
        403,
        "forbidden",
    );

    let free = Client::of(&test, &bob).await;
    let listed = expect(free.get("/v1/projects").await, 200);
    assert_eq!(
        listed["items"].as_array().unwrap().len(),
        2,
        "a member sees its own: {listed}"
    );
    for projects in [
        json!([projects[2].id.as_str()]),
        json!(["prj_00000000000000000000000000000000"]),
        json!(["x"]),
    ] {
        let body = json!({"name": "n", "scopes": [], "projects": projects});
        let answer = refused(free.post("/v1/tokens", body).await, 422, "invalid");
        assert_eq!(answer["errors"][0]["pointer"], "#/projects", "{answer}");
    }

    // A limit stays in force after its project is deleted.
    let owner = Client::of(&test, &ada).await;
    expect(owner.delete(&at(0)).await, 204);
    refused(client.get(&at(0)).await, 403, "forbidden");
    refused(client.get(&at(1)).await, 403, "forbidden");
}

#[actix_web::test]
async fn projects_of_two_organizations_are_no_valid_limit() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let (one, two) = (
        test.organization(&ada, "One").await,
        test.organization(&ada, "Two").await,
    );
    let (red, blue) = (
        test.project(&one, "red").await,
        test.project(&two, "blue").await,
    );
    let owner = Client::of(&test, &ada).await;
    let body = json!({"name": "n", "scopes": [], "projects": [red.id.as_str(), blue.id.as_str()]});
    refused(owner.post("/v1/tokens", body).await, 422, "invalid");
}

#[actix_web::test]
async fn token_cannot_grant_more_than_it_has() {
    let test = TestApp::with(
        "[[scopes]]\nname = \"app:admin\"\ndescription = \"Administer\"\nmin_role = \"admin\"\n\
         [[scopes]]\nname = \"app:owner\"\ndescription = \"Own\"\nmin_role = \"owner\"\n",
    )
    .await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let org = test.organization(&ada, "Roles").await;
    test.add_member(&org, &bob, Role::Member).await;
    let member = Client::of(&test, &bob).await;
    let owner = Client::of(&test, &ada).await;
    let ask = |scope: &str| json!({"name": "n", "scopes": [scope]});

    refused(
        member.post("/v1/tokens", ask("app:admin")).await,
        403,
        "forbidden",
    );
    // The owner has this permission, but the token does not.
    refused(
        owner.post("/v1/tokens", ask("app:admin")).await,
        403,
        "forbidden",
    );
    refused(
        owner.post("/v1/tokens", ask("app:nothing")).await,
        422,
        "invalid",
    );
    let full = Client::with(
        &test,
        &ada,
        input(&["tokens:write", "app:admin", "app:owner"]),
    )
    .await;
    expect(full.post("/v1/tokens", ask("app:owner")).await, 201);
    let tokens = format!("/v1/orgs/{}/tokens", org.slug);
    expect(full.post(&tokens, ask("app:admin")).await, 201);
    refused(full.post(&tokens, ask("app:owner")).await, 422, "invalid");
    refused(
        member.post(&tokens, ask("orgs:read")).await,
        403,
        "forbidden",
    );
    let without = Client::with(&test, &ada, input(&["tokens:read"])).await;
    let answer = without.post("/v1/tokens", ask("tokens:read")).await;
    refused(answer, 403, "insufficient_scope");
}

/// A token has the scopes that it carries and the current role in that organization allows.
#[actix_web::test]
async fn role_in_another_organization_does_not_count() {
    let test = TestApp::start().await;
    let (ada, bob) = (
        test.caller("ada@x.example").await,
        test.caller("bob@x.example").await,
    );
    let hers = test.organization(&ada, "Hers").await;
    test.organization(&bob, "His").await;
    test.add_member(&hers, &bob, Role::Member).await;
    let bob_client = Client::of(&test, &bob).await;
    let at = format!("/v1/orgs/{}", hers.slug);
    expect(bob_client.get(&at).await, 200);
    refused(
        bob_client.patch(&at, json!({"name": "Ours"})).await,
        403,
        "forbidden",
    );
    refused(
        bob_client.get(&format!("{at}/tokens")).await,
        403,
        "forbidden",
    );
    test.add_member(&hers, &bob, Role::Admin).await;
    expect(bob_client.patch(&at, json!({"name": "Ours"})).await, 200);
    expect(bob_client.get(&format!("{at}/tokens")).await, 200);
    test.add_member(&hers, &bob, Role::Member).await;
    refused(
        bob_client.get(&format!("{at}/tokens")).await,
        403,
        "forbidden",
    );
}
