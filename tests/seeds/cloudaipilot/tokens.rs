//! Lines 1, 3 to 7, 9 to 14 and 20: creating, showing, rotating and revoking tokens.

use super::{BILLING, Company, DELETE, LIST};
use crate::support::OPERATOR;
use crate::support::tenant::user_of;
use doorcode::domain::role::Role;
use serde_json::{Value, json};

/// The role owner or admin is required to create API tokens.
#[actix_web::test]
async fn d_01_only_owners_and_admins_create_tokens() {
    let company = Company::start().await;
    let mut member = company.browser("member").await;
    let list = member.get("/tokens").await;
    assert!(list.contains("Only admins and owners create personal tokens."));
    assert!(!list.contains("/tokens/new"), "{}", list.body);
    member.get("/tokens/new").await;
    let fields = [("name", "mine"), ("expires", "30d")];
    let refused = member.post("/tokens/new", &fields).await;
    assert_eq!(refused.status, 403);
    assert!(refused.contains("only admins and owners create personal tokens"));
    let of_company = "/o/pilot/settings/api-tokens/new";
    assert_eq!(member.get(of_company).await.status, 403);
    assert_eq!(member.post(of_company, &fields).await.status, 403);
    assert_eq!(company.system.test.count("token", "1 = 1"), 0);
    for role in ["admin", "owner"] {
        let token = company.token(role).await;
        assert_eq!(company.status(LIST, &token).await, 200, "{role}");
    }
}

/// Settings > API Tokens > Generate.
///
/// Differently: the tab is named Tokens, and the buttons are “New token” and “Create token”. The labels
/// are the same in every deployment, so that guides and scripts fit all of them.
#[actix_web::test]
async fn d_03_the_page_of_tokens_has_a_button_for_a_new_one() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    let account = admin.get("/account").await;
    assert!(account.contains(r#"href="/tokens""#), "{}", account.body);
    let list = admin.get("/tokens").await;
    assert!(list.contains(r#"href="/tokens/new""#), "{}", list.body);
    let form = admin.get("/tokens/new").await;
    assert!(form.contains("Create token</button>"), "{}", form.body);
    // Those of the company are under its settings.
    let of_company = admin.get("/o/pilot/settings/api-tokens").await;
    assert!(of_company.contains("/o/pilot/settings/api-tokens/new"));
}

/// The token gets a descriptive name.
#[actix_web::test]
async fn d_04_a_token_has_a_descriptive_name() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    admin.new_token("CI/CD pipeline token", &[], "30d").await;
    assert!(
        admin
            .get("/tokens")
            .await
            .contains(">CI/CD pipeline token</a>")
    );
    admin.get("/tokens/new").await;
    let page = admin
        .post("/tokens/new", &[("name", ""), ("expires", "30d")])
        .await;
    assert_eq!(page.status, 422);
    assert!(page.contains("Enter a name."), "{}", page.body);
}

/// It is shown only once and cannot be retrieved again.
#[actix_web::test]
async fn d_05_it_is_shown_once() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    let token = admin.new_token("once", &[], "30d").await;
    let secret = token.split_once('_').unwrap().1;
    let id = company.system.introspect(&token).await["jti"].clone();
    let id = id.as_str().unwrap();
    for path in [
        "/tokens".to_owned(),
        format!("/tokens/{id}"),
        format!("/tokens/{id}/secret"),
        "/account/activity".to_owned(),
    ] {
        assert!(!admin.get(&path).await.contains(secret), "{path}");
    }
}

/// The page warns never to commit it and names secret manager, environment variable and
/// password manager.
#[actix_web::test]
async fn d_06_the_page_names_safe_places() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    admin.get("/tokens/new").await;
    let fields = [("name", "ci"), ("expires", "30d")];
    let page = admin.post("/tokens/new", &fields).await;
    assert!(page.attribute("data-token").is_some());
    for text in [
        "Store it in a secret manager, in an environment variable",
        "or in a password manager.",
        "Never commit it",
    ] {
        assert!(page.contains(text), "{text}: {}", page.body);
    }
}

/// Anyone with the token has its access.
#[actix_web::test]
async fn d_07_every_holder_has_its_access() {
    let company = Company::start().await;
    let token = company.token("admin").await;
    let other_program = [
        ("user-agent", "stolen/1.0"),
        ("origin", "https://elsewhere.example"),
    ];
    let answer = company.system.api_with(LIST, &token, &other_program).await;
    assert_eq!(answer.status, 200);
    let told = company.system.last_call();
    assert_eq!(
        told.header("x-auth-user-id"),
        user_of(&company.admin).as_str()
    );
}

/// A token inherits the permissions of its user account.
#[actix_web::test]
async fn d_09_a_token_has_the_permissions_of_its_account() {
    let company = Company::start().await;
    let test = &company.system.test;
    // The form of the guide has a name, and no permissions to choose.
    let mut admin = company.browser("admin").await;
    let form = admin.get("/tokens/new").await;
    assert!(
        form.contains("a token can do what your role allows"),
        "{}",
        form.body
    );
    assert!(!form.contains(r#"name="scope""#));
    let token = company.token("admin").await;
    for (role, expected) in [
        (Role::Admin, [200, 200, 403]),
        (Role::Owner, [200, 200, 200]),
        (Role::Admin, [200, 200, 403]),
    ] {
        test.add_member(&company.pilot, &company.admin, role).await;
        for (request, status) in [LIST, DELETE, BILLING].into_iter().zip(expected) {
            assert_eq!(
                company.status(request, &token).await,
                status,
                "{role:?} {request}"
            );
        }
    }
}

/// Admin account: admin-level API access.
#[actix_web::test]
async fn d_10_an_admin_account_has_admin_access() {
    let company = Company::start().await;
    // The same by the page and by the CLI.
    let machine = company.system.machine();
    let (login, code) = machine.begin(&[]);
    let mut admin = company.browser("admin").await;
    let consent = admin.type_code(&code).await;
    assert!(
        consent.contains("It will be able to do what your role allows"),
        "{}",
        consent.body
    );
    admin.decide(&consent, "approve", &[]).await;
    machine.branded(login.finish().exited(0));
    let printed = machine.run(&["token", "print"]).exited(0).stdout;
    for token in [printed.trim(), &company.token("admin").await] {
        for request in [LIST, "POST /v1/servers", DELETE] {
            assert_eq!(company.status(request, token).await, 200, "{request}");
        }
    }
}

/// Member account: member-level access only.
#[actix_web::test]
async fn d_11_a_member_account_has_member_access_only() {
    let company = Company::start().await;
    let token = company.token_of_member().await;
    for (request, status) in [
        (LIST, 200),
        ("GET /v1/servers/srv_1", 200),
        ("POST /v1/servers", 200),
        (DELETE, 403),
        (BILLING, 403),
    ] {
        assert_eq!(company.status(request, &token).await, status, "{request}");
    }
    let told = company
        .system
        .test
        .me(&token)
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(told["user"]["id"], user_of(&company.member).as_str());
}

/// Rotation: generate a new token, update systems, revoke the old one; both work in between.
#[actix_web::test]
async fn d_12_the_old_and_the_new_token_work_during_a_rotation() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    let old = admin.new_token("old", &[], "30d").await;
    let new = admin.new_token("new", &[], "30d").await;
    assert_eq!(company.status(LIST, &old).await, 200);
    assert_eq!(company.status(LIST, &new).await, 200);
    company.revoke(&mut admin, &old).await;
    assert_eq!(company.status(LIST, &old).await, 401);
    assert_eq!(company.status(LIST, &new).await, 200);
}

/// A token is revoked by finding it by name and clicking Revoke.
#[actix_web::test]
async fn d_13_a_token_is_found_by_its_name_and_revoked() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    let token = admin.new_token("CI/CD pipeline token", &[], "30d").await;
    let other = admin.new_token("Laptop", &[], "30d").await;
    let found = admin.get("/tokens?q=pipeline").await;
    assert!(found.contains(">CI/CD pipeline token</a>") && !found.contains(">Laptop</a>"));
    let (before, _) = found.body.split_once("/revoke\">").unwrap();
    let (_, path) = before.rsplit_once("href=\"").unwrap();
    let revoke = format!("{path}/revoke");
    assert!(admin.get(&revoke).await.contains("Revoke</button>"));
    assert_eq!(admin.post(&revoke, &[]).await.status, 303);
    assert_eq!(company.status(LIST, &token).await, 401);
    assert_eq!(company.status(LIST, &other).await, 200);
}

/// It is invalid immediately; its users get 401.
#[actix_web::test]
async fn d_14_a_revoked_token_is_refused_immediately() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    let token = admin.new_token("ci", &[], "30d").await;
    assert_eq!(company.status(LIST, &token).await, 200);
    company.revoke(&mut admin, &token).await;
    let answer = company.system.api(LIST, &token).await;
    assert_eq!((answer.status, answer.error()), (401, "invalid_token"));
}

/// Token lost: revoke the old one and generate a new one, the only recovery.
#[actix_web::test]
async fn d_20_a_lost_token_is_replaced() {
    let company = Company::start().await;
    let mut admin = company.browser("admin").await;
    let lost = admin.new_token("ci", &[], "30d").await;
    let note = "Lost a token? It cannot be shown again: revoke it and create a new one.";
    assert!(admin.get("/tokens").await.contains(note));
    company.revoke(&mut admin, &lost).await;
    let new = admin.new_token("ci", &[], "30d").await;
    assert_eq!(company.status(LIST, &lost).await, 401);
    assert_eq!(company.status(LIST, &new).await, 200);
    // No answer of the API has a token that exists already.
    let test = &company.system.test;
    let list = test.anon().get(test.at("/v1/tokens")).bearer_auth(OPERATOR);
    let list = list.header("x-actor-user-id", user_of(&company.admin).as_str());
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{list}");
    assert!(
        items.iter().all(|item| item["token"] == json!(null)),
        "{list}"
    );
}
