//! The operator's commands for the database and for users.

use crate::support::browser::Browser;
use crate::support::canary::Canaries;
use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;
use crate::support::{EMAIL, PASSWORD, http};

#[test]
fn migrate_can_be_repeated() {
    let deployment = Deployment::new();
    for _ in 0..2 {
        deployment
            .command(&["migrate"])
            .run()
            .exited(0)
            .says(&["The database is up to date."]);
        assert_eq!(deployment.database.count("users", "1 = 1"), 0);
    }
    assert!(
        !deployment.path("data").exists(),
        "no secret is needed for it"
    );
}

#[actix_web::test]
async fn user_is_created_with_an_organization_and_can_sign_in() {
    let deployment = Deployment::migrated();
    deployment.add_user().run().exited(0).says(&[
        "Made the organization Acme. Its address is acme. (org_",
        "ada@example.com can sign in now. (usr_",
    ]);
    deployment
        .command(&["user", "add", "--email", "bob@example.com", "--name", "Bob"])
        .args(&["--org", "Acme", "--password-stdin"])
        .input("yellow kettle marches south\r\n")
        .run()
        .exited(0);
    let count = |table, condition| deployment.database.count(table, condition);
    assert_eq!(count("organization", "1 = 1"), 1);
    assert_eq!(count("membership", "role = 'owner'"), 1);
    assert_eq!(count("membership", "role = 'member'"), 1);
    assert_eq!(count(AUDIT, "action = 'user.created'"), 2);

    let server = deployment.start();
    assert!(!server.stdout.contains("/setup"), "{}", server.stdout);
    assert_eq!(deployment.user().await.get("/tokens").await.status, 200);
    let mut bob = Browser::new(&deployment.url);
    bob.sign_in("bob@example.com", "yellow kettle marches south")
        .await;
}

#[test]
fn user_may_have_no_organization_and_a_role_needs_one() {
    let deployment = Deployment::migrated();
    let alone = || {
        deployment
            .command(&[
                "user",
                "add",
                "--email",
                EMAIL,
                "--name",
                "Ada",
                "--password-stdin",
            ])
            .input(PASSWORD)
    };
    alone()
        .args(&["--role", "admin"])
        .run()
        .exited(2)
        .complains(&["--org"]);
    alone()
        .args(&["--org", "Acme", "--role", "king"])
        .run()
        .exited(2)
        .complains(&["write member, admin or owner"]);
    // The name may have a typo.
    for role in ["member", "admin"] {
        alone()
            .args(&["--org", "Acmee", "--role", role])
            .run()
            .exited(1)
            .complains(&["organization: There is no organization Acmee.", "owner"]);
    }
    assert_eq!(deployment.database.count("users", "1 = 1"), 0);
    alone().run().exited(0);
    assert_eq!(deployment.database.count("users", "1 = 1"), 1);
    assert_eq!(deployment.database.count("organization", "1 = 1"), 0);
}

/// PWD-01, PWD-04: the reason is reported, and no user is created.
#[test]
fn weak_password_or_invalid_field_is_rejected_with_a_reason() {
    let deployment = Deployment::migrated();
    Canaries::of(&deployment.url).spare(EMAIL, "a password that is refused since it is none");
    let add = |email: &str, name: &str, password: &str| {
        deployment
            .command(&["user", "add", "--email", email, "--name", name])
            .args(&["--org", "Acme", "--password-stdin"])
            .input(&format!("{password}\n"))
            .run()
    };
    for (password, words) in [
        ("", "password: "),
        ("fourteen chars", "15 characters"),
        ("passwordpassword", "password: "),
        ("abcdefghijklmnopq", "password: "),
        (EMAIL, "password: "),
    ] {
        let refused = add(EMAIL, "Ada", password).exited(1).complains(&[words]);
        assert_eq!(refused.stdout, "");
        assert!(
            password.is_empty() || !refused.stderr.contains(password),
            "{refused:?}"
        );
    }
    add("not an address", " ", "fourteen chars")
        .exited(1)
        .complains(&["email: ", "name: ", "password: "]);
    assert_eq!(deployment.database.count("users", "1 = 1"), 0);
    assert_eq!(deployment.database.count("organization", "1 = 1"), 0);

    add(EMAIL, "Ada", PASSWORD).exited(0);
    add("ADA@example.com", "Other", PASSWORD)
        .exited(1)
        .complains(&["email: There is a user with this email address."]);
    assert_eq!(deployment.database.count("users", "1 = 1"), 1);
}

#[test]
fn password_needs_a_terminal_or_standard_input() {
    let deployment = Deployment::new();
    deployment
        .command(&["user", "add", "--email", EMAIL, "--name", "Ada"])
        .run()
        .exited(1)
        .complains(&["--password-stdin"]);
    assert!(!deployment.path("data").exists(), "nothing was made");
}

/// INT-07, PAT-11: on a running server sessions and tokens end immediately.
#[actix_web::test]
async fn deactivated_user_loses_sessions_and_tokens_immediately() {
    let deployment = Deployment::with_user();
    let _server = deployment.start();
    let mut browser = deployment.user().await;
    browser.get("/tokens/new").await;
    let fields = [
        ("name", "laptop"),
        ("expires", "90d"),
        ("scope", "orgs:read"),
    ];
    let page = browser.post("/tokens/new", &fields).await;
    let token = page.attribute("data-token").expect(&page.body);
    let me = async || {
        let request = http().get(deployment.at("/v1/me")).bearer_auth(&token);
        request.send().await.unwrap().status()
    };
    assert_eq!(me().await, 200);

    let deactivate = |email| deployment.command(&["user", "deactivate", "--email", email]);
    for _ in 0..2 {
        deactivate(EMAIL)
            .run()
            .exited(0)
            .says(&["ada@example.com is deactivated. All sessions and tokens have ended. (usr_"]);
        assert_eq!(me().await, 401);
        assert_eq!(browser.get("/tokens").await.status, 303);
        let refused = browser.try_sign_in(EMAIL, PASSWORD).await;
        assert_ne!(refused.status, 303, "{}", refused.body);
    }
    let count = |condition| deployment.database.count(AUDIT, condition);
    assert_eq!(count("action = 'user.deactivated'"), 1);

    deactivate("nobody@example.com")
        .run()
        .exited(1)
        .complains(&["There is no user nobody@example.com."]);
}
