//! Memberships that groups of the provider give.

use crate::support::provider::Provider;
use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;
use serde_json::{Value, json};

const RULES: &str = "rules = [{ group = \"engineering\", organization = \"acme\" }, \
                     { group = \"leads\", organization = \"acme\", role = \"admin\" }, \
                     { group = \"engineering\", organization = \"nowhere\" }]";

/// The roles of the user of the provider, after a sign-in with these groups.
async fn roles(provider: &Provider, test: &TestApp, groups: Value) -> Vec<String> {
    provider.state("groups", groups);
    let page = provider.sign_in(&mut test.browser()).await;
    assert_eq!(page.location(), "/tokens");
    let has = |role: &&str| {
        let of_ada = "SELECT id FROM users WHERE email = 'ada@acme.example'";
        test.count(
            "membership",
            &format!("role = '{role}' AND user_id IN ({of_ada})"),
        ) > 0
    };
    let roles = ["member", "admin", "owner"].into_iter();
    roles.filter(has).map(str::to_owned).collect()
}

#[actix_web::test]
async fn groups_give_and_take_membership_and_role_at_each_sign_in() {
    let provider = Provider::start();
    let test = provider.server(RULES).await;
    for (groups, role) in [
        (json!([]), None),
        (json!(["engineering"]), Some("member")),
        (json!(["engineering", "leads"]), Some("admin")),
        (json!("engineering"), Some("member")),
        (json!(["Engineering", "other"]), None),
        (json!(["leads"]), Some("admin")),
        (json!(null), None),
    ] {
        let found = roles(&provider, &test, groups.clone()).await;
        assert_eq!(found, Vec::from_iter(role.map(str::to_owned)), "{groups}");
    }
    test.settle().await;
    // One of them is the owner.
    assert_eq!(test.events("member.added"), 3);
    assert_eq!(test.events("member.changed"), 2);
    assert_eq!(test.events("member.removed"), 2);
}

/// A token that a member has by the rule alone ends with the membership.
#[actix_web::test]
async fn member_who_loses_the_group_loses_the_tokens_too() {
    let provider = Provider::start();
    let test = provider.server(RULES).await;
    provider.state("groups", json!(["engineering"]));
    let mut browser = test.browser();
    provider.sign_in(&mut browser).await;
    let token = browser.new_token("Laptop", &["projects:read"], "30d").await;
    assert_eq!(test.introspect(&token).await["active"], json!(true));
    roles(&provider, &test, json!(["other"])).await;
    assert_eq!(test.introspect(&token).await["active"], json!(false));
}

#[actix_web::test]
async fn membership_that_an_admin_gave_stays() {
    let provider = Provider::start();
    let test = provider.server(RULES).await;
    let ada = test
        .add_user("ada@acme.example", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut browser = test.browser();
    let page = provider.sign_in(&mut browser).await;
    let link = browser.get(page.location()).await.field("link").unwrap();
    let fields = [("link", link.as_str()), ("password", PASSWORD)];
    assert_eq!(
        browser
            .post_only("/login/connect", &fields)
            .await
            .location(),
        "/tokens"
    );
    assert_eq!(roles(&provider, &test, json!(["leads"])).await, ["member"]);
    assert_eq!(roles(&provider, &test, json!([])).await, ["member"]);

    // An admin sets the role of a member whom a rule added: it stays from then on.
    provider.is_asked_by("bob", "bob@acme.example");
    provider.state("groups", json!(["engineering"]));
    provider.sign_in(&mut test.browser()).await;
    let bob = test
        .database
        .text("SELECT id FROM users WHERE email = 'bob@acme.example'");
    let mut owner = test.user().await;
    owner.get("/o/acme/members").await;
    let path = format!("/o/acme/members/{}/role", bob);
    let page = owner.post_only(&path, &[("role", "admin")]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    provider.state("groups", json!([]));
    provider.sign_in(&mut test.browser()).await;
    let kept = format!("user_id = '{}' AND role = 'admin'", bob);
    assert_eq!(test.count("membership", &kept), 1);
    assert_eq!(test.count("membership", &format!("user_id = '{ada}'")), 1);
}

/// A user with many groups: the provider states that they are elsewhere.
#[actix_web::test]
async fn groups_that_are_elsewhere_leave_memberships_as_they_are() {
    let elsewhere = [
        ("_claim_names", json!({"groups": "src1"})),
        ("hasgroups", json!(true)),
    ];
    for (name, value) in elsewhere {
        let provider = Provider::start();
        let test = provider.server(RULES).await;
        assert_eq!(roles(&provider, &test, json!(["leads"])).await, ["admin"]);
        provider.state(name, value);
        assert_eq!(roles(&provider, &test, json!(null)).await, ["admin"]);
        let groups = json!({"groups": ["engineering"]});
        provider.desk().info = groups.as_object().unwrap().clone();
        provider.desk().user.remove("groups");
        let page = provider.sign_in(&mut test.browser()).await;
        assert_eq!(page.location(), "/tokens");
        let members = "given_by IS NOT NULL AND role = 'member'";
        assert_eq!(test.count("membership", members), 1, "UserInfo states them");
    }
}
