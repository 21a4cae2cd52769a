//! Lines 1 to 6, 12, 13, 23 and 25: whose tokens reach what.

use super::{Fleets, SCOPES};
use crate::support::OPERATOR;
use crate::support::tenant::{input, text_of};
use doorcode::app::token::CreateToken;
use doorcode::domain::role::Role;
use serde_json::Value;

/// Tokens authenticate callers that are not human: CI, scripts and the SDK.
#[actix_web::test]
async fn c_01_tokens_authenticate_programs() {
    let fleets = Fleets::start().await;
    let request = "GET /v1/fleets/alpha/machines";
    let token = fleets.fleet_token("ci", &["machines:read"]).await;
    let answer = fleets.system.api(request, text_of(&token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.is_object(), "{answer:?}");
    let answer = fleets.system.api(request, "").await;
    assert_eq!((answer.status, answer.error()), (401, "unauthorized"));
}

/// The cabinet manages tokens; the desktop and the CLI consume them.
#[actix_web::test]
async fn c_02_the_cabinet_manages_and_programs_consume() {
    let fleets = Fleets::start().await;
    let mut ada = fleets.ada().await;
    let token = ada.new_token("laptop", &["machines:read"], "90d").await;
    let machine = fleets.system.machine();
    let login = machine.command(&["login", "--token", "-"]).input(&token);
    login.run().exited(0);
    let printed = machine.command(&["token", "print"]).run().exited(0);
    assert_eq!(printed.stdout.trim(), token);
    assert_eq!(fleets.machines("alpha", &token).await, 200);
    // The program consumes tokens: what manages them is the cabinet.
    machine.command(&["token", "list"]).run().exited(4);
    assert!(ada.get("/tokens").await.contains("laptop"));
}

/// A personal token lives on the account; its reach is every fleet that the user belongs to.
#[actix_web::test]
async fn c_03_a_personal_token_reaches_the_fleets_of_its_user() {
    let fleets = Fleets::start().await;
    let token = fleets.personal(&fleets.mia).await;
    for (fleet, status) in [("alpha", 200), ("beta", 200), ("gamma", 403)] {
        assert_eq!(fleets.machines(fleet, &token).await, status, "{fleet}");
    }
}

/// It is revoked when the member leaves.
#[actix_web::test]
async fn c_04_it_is_revoked_when_the_member_leaves() {
    let fleets = Fleets::start().await;
    let test = &fleets.system.test;
    let everywhere = fleets.personal(&fleets.mia).await;
    let limited = CreateToken {
        organization: Some("beta".into()),
        ..input(&["machines:read"])
    };
    let limited = test.token_of(&fleets.mia, limited).await;
    let limited = text_of(&limited);
    assert_eq!(fleets.machines("beta", limited).await, 200);

    test.unseat(&fleets.beta, &fleets.mia).await;
    assert_eq!(fleets.machines("beta", limited).await, 401);
    assert_eq!(fleets.machines("beta", &everywhere).await, 403);
    assert_eq!(fleets.machines("alpha", &everywhere).await, 200);
    test.unseat(&fleets.alpha, &fleets.mia).await;
    assert_eq!(fleets.machines("alpha", &everywhere).await, 401);
    let mut mia = fleets.browser(super::MIA).await;
    let ended = mia.get("/tokens?show=ended").await;
    assert_eq!(ended.body.matches("<span>Revoked</span>").count(), 2);
}

/// A fleet token lives on one fleet and gives no personal data.
#[actix_web::test]
async fn c_05_a_fleet_token_has_one_fleet_and_no_personal_data() {
    let fleets = Fleets::start().await;
    let test = &fleets.system.test;
    let mut ada = fleets.ada().await;
    let fields = [
        ("name", "ci"),
        ("scope", "machines:read"),
        ("expires", "90d"),
    ];
    let page = super::create(&mut ada, super::ALPHA_TOKENS, &fields).await;
    let token = page.attribute("data-token").unwrap();
    let answer = fleets
        .system
        .api("GET /v1/fleets/alpha/machines", &token)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(fleets.machines("beta", &token).await, 403);

    // The API learns the fleet and not who created the token.
    let told = fleets.system.last_call();
    assert_eq!(told.header("x-auth-user-id"), "");
    assert_eq!(told.header("x-auth-token-kind"), "organization");
    assert_eq!(
        told.header("x-auth-organization-id"),
        fleets.alpha.id.as_str()
    );
    let introspected = test
        .anon()
        .post(test.at("/auth/introspect"))
        .bearer_auth(OPERATOR)
        .form(&[("token", &token)]);
    let introspected = introspected.send().await.unwrap().text().await.unwrap();
    let me = test.me(&token).await.text().await.unwrap();
    for said in [introspected, me] {
        for personal in ["ada@example.com", "\"Ada\"", "usr_"] {
            assert!(!said.contains(personal), "{personal}: {said}");
        }
    }
}

/// It survives the leaving of members: the fleet owns it.
#[actix_web::test]
async fn c_06_a_fleet_token_survives_its_creator() {
    let fleets = Fleets::start().await;
    let test = &fleets.system.test;
    let lou = test.caller("lou@example.com").await;
    test.add_member(&fleets.alpha, &lou, Role::Admin).await;
    let mut browser = fleets.browser("lou@example.com").await;
    let fields = [
        ("name", "nightly"),
        ("scope", "machines:read"),
        ("expires", "90d"),
    ];
    let page = super::create(&mut browser, super::ALPHA_TOKENS, &fields).await;
    let token = page.attribute("data-token").unwrap();
    test.unseat(&fleets.alpha, &lou).await;
    test.deactivate("lou@example.com").await;
    assert_eq!(fleets.machines("alpha", &token).await, 200);
    let list = fleets.ada().await.get(super::ALPHA_TOKENS).await;
    assert!(list.contains("nightly"), "{}", list.body);
}

/// There are eight scopes, each for what its description says.
#[actix_web::test]
async fn c_12_there_are_eight_scopes() {
    let fleets = Fleets::start().await;
    let test = &fleets.system.test;
    let token = fleets.personal(&fleets.mia).await;
    let request = test.anon().get(test.at("/v1/scopes")).bearer_auth(&token);
    let catalogue: Value = request.send().await.unwrap().json().await.unwrap();
    let items = catalogue["items"].as_array().unwrap();
    let names: Vec<_> = items
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, SCOPES);
    let form = fleets.ada().await.get("/tokens/new").await;
    for scope in items {
        let name = scope["name"].as_str().unwrap();
        assert!(form.contains(&format!(r#"value="{name}""#)), "{name}");
        assert!(
            form.contains(scope["description"].as_str().unwrap()),
            "{name}"
        );
    }
    // The five calls that change something take exactly the scope that names them.
    for (request, scope) in [
        ("POST /v1/fleets/alpha/machines", "machines:write"),
        (
            "POST /v1/fleets/alpha/machines/m1/commands",
            "commands:execute",
        ),
        ("GET /v1/fleets/alpha/files/etc/hosts", "files:read"),
        ("PUT /v1/fleets/alpha/files/etc/hosts", "files:write"),
        ("DELETE /v1/fleets/alpha/schedules/s1", "schedules:manage"),
        ("POST /v1/fleets/alpha/agent/ask", "agent:invoke"),
        ("PUT /v1/fleets/alpha/permissions", "permissions:manage"),
    ] {
        let with = fleets.fleet_token("with", &[scope]).await;
        let others: Vec<_> = SCOPES.into_iter().filter(|one| *one != scope).collect();
        let without = fleets.fleet_token("without", &others).await;
        let statuses = [
            fleets.system.api(request, text_of(&with)).await.status,
            fleets.system.api(request, text_of(&without)).await.status,
        ];
        assert_eq!(statuses, [200, 403], "{request}");
    }
}

/// A read-only dashboard works with `machines:read` alone; the form urges least privilege.
#[actix_web::test]
async fn c_13_a_dashboard_needs_one_scope() {
    let fleets = Fleets::start().await;
    let token = fleets.personal(&fleets.mia).await;
    for (request, status) in [
        ("GET /v1/fleets/alpha/machines", 200),
        ("GET /v1/fleets/alpha/machines/m1", 200),
        ("POST /v1/fleets/alpha/machines", 403),
        ("POST /v1/fleets/alpha/machines/m1/commands", 403),
    ] {
        assert_eq!(
            fleets.system.api(request, &token).await.status,
            status,
            "{request}"
        );
    }
    let mut mia = fleets.browser(super::MIA).await;
    let form = mia.get("/tokens/new").await;
    assert!(form.contains("Give it only the access that its program needs."));
    assert!(form.contains("a read-only dashboard needs machines:read alone"));
    let dashboard = mia.get("/tokens/new?preset=1").await;
    assert!(dashboard.is_ticked("machines:read"), "{}", dashboard.body);
    assert!(!dashboard.is_ticked("commands:execute"));
}

/// The next call of a revoked token fails with 401.
#[actix_web::test]
async fn c_23_a_revoked_token_is_refused_at_its_next_call() {
    let fleets = Fleets::start().await;
    let made = fleets
        .system
        .test
        .token_of(&fleets.mia, input(&["machines:read"]))
        .await;
    assert_eq!(fleets.machines("alpha", text_of(&made)).await, 200);
    fleets.system.test.revoke(&fleets.mia, &made).await;
    let answer = fleets
        .system
        .api("GET /v1/fleets/alpha/machines", text_of(&made))
        .await;
    assert_eq!((answer.status, answer.error()), (401, "invalid_token"));
}

/// Personal tokens are managed on the account, fleet tokens on the fleet, each revoked
/// independently.
#[actix_web::test]
async fn c_25_personal_and_fleet_tokens_are_revoked_apart() {
    let fleets = Fleets::start().await;
    let own = fleets.personal(&fleets.ada).await;
    let of_fleet = fleets.fleet_token("ci", &["machines:read"]).await;
    let of_fleet = text_of(&of_fleet);
    let mut ada = fleets.ada().await;
    ada.get("/tokens").await;
    assert_eq!(
        ada.post(&format!("{}/revoke-all", super::ALPHA_TOKENS), &[])
            .await
            .status,
        303
    );
    assert_eq!(fleets.machines("alpha", of_fleet).await, 401);
    assert_eq!(fleets.machines("alpha", &own).await, 200);

    let of_fleet = fleets.fleet_token("ci", &["machines:read"]).await;
    assert_eq!(ada.post("/tokens/revoke-all", &[]).await.status, 303);
    assert_eq!(fleets.machines("alpha", &own).await, 401);
    assert_eq!(fleets.machines("alpha", text_of(&of_fleet)).await, 200);
}
