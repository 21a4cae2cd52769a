//! The operator's commands for users who lost their password, come back or leave for good.

use crate::support::browser::Browser;
use crate::support::database::{AUDIT, Database};
use crate::support::deployment::Deployment;
use crate::support::program::Finished;
use crate::support::{EMAIL, PASSWORD, http};

const NEW: &str = "marble ocean bicycle seven";
const BOB: &str = "bob@example.com";

/// Runs `doorcode user …`.
fn user(deployment: &Deployment, arguments: &[&str]) -> Finished {
    let command = deployment.command(&["user"]).args(arguments);
    command.run()
}

fn add_bob(deployment: &Deployment) {
    deployment
        .command(&["user", "add", "--email", BOB, "--name", "Bob"])
        .args(&["--org", "Acme", "--password-stdin"])
        .input("yellow kettle marches south\n")
        .run()
        .exited(0);
}

/// CONTRACT 7: the only owner of a server without mail gets in again.
#[actix_web::test]
async fn reset_link_lets_a_locked_out_owner_in() {
    let deployment = Deployment::with_user();
    let _server = deployment.start();
    let printed = user(&deployment, &["reset-password", "--email", EMAIL]).exited(0);
    assert!(printed.stdout.contains("works once, until"), "{printed:?}");
    let (_, link) = printed.stdout.split_once(&deployment.url).unwrap();
    let link = link.trim();
    let mut browser = Browser::new(&deployment.url);
    let page = browser.get(link).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let secret = page.field("link").unwrap();
    let fields = [("link", secret.as_str()), ("new_password", NEW)];
    assert_eq!(browser.post("/reset", &fields).await.status, 303);
    assert_eq!(browser.get("/o/acme/members").await.status, 200);
    assert_eq!(browser.get(link).await.status, 404);
    user(&deployment, &["reset-password", "--email", BOB])
        .exited(1)
        .complains(&["There is no user bob@example.com."]);
}

#[actix_web::test]
async fn password_of_the_operator_must_be_changed() {
    let deployment = Deployment::with_user();
    let set = |password: &str| {
        deployment
            .command(&[
                "user",
                "reset-password",
                "--email",
                EMAIL,
                "--password-stdin",
            ])
            .input(password)
            .run()
    };
    set("fourteen chars")
        .exited(1)
        .complains(&["15 characters"]);
    set("copper lantern sandwich\n")
        .exited(0)
        .says(&["ada@example.com can sign in with this password, and must change it then."]);
    user(&deployment, &["show", "--email", EMAIL])
        .exited(0)
        .says(&["password: must be changed at the next sign-in"]);
    let _server = deployment.start();
    let mut browser = Browser::new(&deployment.url);
    browser.sign_in(EMAIL, "copper lantern sandwich").await;
    assert_eq!(
        browser.get("/tokens").await.location(),
        "/account/password/new"
    );
}

/// A deactivated user comes back, and a changed address stays the same user.
#[actix_web::test]
async fn user_is_listed_changed_and_reactivated() {
    let deployment = Deployment::with_user();
    user(&deployment, &["deactivate", "--email", EMAIL]).exited(0);
    deployment.add_user().run().exited(1).complains(&[
        "a deactivated user with this email address",
        "doorcode user reactivate",
    ]);
    user(&deployment, &["reset-password", "--email", EMAIL])
        .exited(1)
        .complains(&["doorcode user reactivate"]);
    let listed = user(&deployment, &["list"]).exited(0);
    assert!(listed.stdout.starts_with("usr_"), "{listed:?}");
    assert!(
        listed
            .stdout
            .ends_with("  deactivated  verified  ada@example.com  Ada\n")
    );
    for _ in 0..2 {
        user(&deployment, &["reactivate", "--email", EMAIL])
            .exited(0)
            .says(&["ada@example.com can sign in again."]);
    }
    let count = |condition| deployment.database.count(AUDIT, condition);
    assert_eq!(count("action = 'user.reactivated'"), 1);

    let id = deployment.database.text("SELECT id FROM users");
    user(&deployment, &["update", EMAIL]).exited(2);
    user(&deployment, &["update", EMAIL, "--email", "ada"])
        .exited(1)
        .complains(&["email: Enter an email address"]);
    let change = [
        "update",
        EMAIL,
        "--email",
        "Countess@example.com",
        "--name",
        "Countess",
    ];
    user(&deployment, &change).exited(0).says(&[
        "name:     Countess",
        "countess@example.com (unverified)",
        &id,
    ]);
    user(&deployment, &["update", &id, "--email-verified"])
        .exited(0)
        .says(&["countess@example.com (verified)"]);
    user(&deployment, &["show", "--email", EMAIL])
        .exited(1)
        .complains(&["There is no user ada@example.com."]);
    let _server = deployment.start();
    let mut browser = Browser::new(&deployment.url);
    browser.sign_in("countess@example.com", PASSWORD).await;
}

/// A user's own data is erased from the tables and from the log; the log stays valid.
#[actix_web::test]
async fn erased_user_leaves_no_data() {
    let deployment = Deployment::with_user();
    add_bob(&deployment);
    let server = deployment.start();
    let mut browser = Browser::new(&deployment.url);
    browser.set_header("user-agent", "BobsBrowser/1");
    browser.sign_in(BOB, "yellow kettle marches south").await;
    let token = browser.new_token("BobsToken", &["orgs:read"], "90d").await;
    let me = http().get(deployment.at("/v1/me")).bearer_auth(&token);
    assert_eq!(me.send().await.unwrap().status(), 200);
    let mut owner = deployment.user().await;
    owner.get("/o/acme/members").await;
    let fields = [("role", "member"), ("email", BOB)];
    let invited = owner.post("/o/acme/invitations", &fields).await;
    assert_eq!(invited.status, 200, "{}", invited.body);
    drop(server);

    user(&deployment, &["erase", "--email", EMAIL])
        .exited(1)
        .complains(&["ada@example.com is the last owner of Acme. Make another member an owner"]);
    let active = "state = 'active'";
    assert_eq!(
        deployment.database.count("users", active),
        2,
        "nothing changed"
    );
    let id = deployment
        .database
        .text("SELECT id FROM users WHERE name = 'Bob'");
    let erased = user(&deployment, &["erase", "--email", BOB]).exited(0);
    assert!(
        erased.stdout.contains("records of the audit log"),
        "{erased:?}"
    );
    let content = deployment.database.content().join("\n");
    for trace in ["Bob", "bob@", "BobsToken", "BobsBrowser"] {
        let lines: Vec<_> = content
            .lines()
            .filter(|line| line.contains(trace))
            .collect();
        assert!(lines.is_empty(), "{trace}: {lines:?}");
    }
    assert!(content.contains(&id), "the log can still name the user");
    let count = |table, condition: &str| deployment.database.count(table, condition);
    let neutral = format!("name = 'Erased user' AND email = '{id}@erased.invalid'");
    assert_eq!(
        count("users", &format!("{neutral} AND state = 'deactivated'")),
        1
    );
    assert_eq!(count("session", &format!("user_id = '{id}'")), 0);
    assert_eq!(count("membership", &format!("user_id = '{id}'")), 0);
    let ended = format!("user_id = '{id}' AND revoked_at IS NOT NULL AND name = 'Erased'");
    assert_eq!(count("token", &ended), 1);
    for action in ["user.erased", "user.deactivated", "member.removed"] {
        let of_user = format!("action = '{action}' AND target = '{id}'");
        assert_eq!(count(AUDIT, &of_user), 1, "{action}");
    }
    deployment.command(&["audit", "verify"]).run().exited(0);

    // It can be repeated, by the id.
    user(&deployment, &["erase", "--email", &id]).exited(0);
    user(&deployment, &["erase", "--email", BOB])
        .exited(1)
        .complains(&["There is no user bob@example.com."]);
    add_bob(&deployment);
}

/// A reader of the database does not stop an erasure halfway. It leaves the data in the files, and a
/// repetition removes it.
#[actix_web::test]
async fn erasure_is_complete_while_the_database_is_read() {
    if Database::is_postgres() {
        return;
    }
    let deployment = Deployment::with_user();
    add_bob(&deployment);
    let id = deployment
        .database
        .text("SELECT id FROM users WHERE name = 'Bob'");
    let reader = deployment.database.hold_read("SELECT * FROM users");
    let erased = user(&deployment, &["erase", "--email", BOB])
        .exited(0)
        .says(&["The data of bob@example.com is erased"]);
    let advice = format!("doorcode user erase --email {id}`");
    assert!(erased.stderr.contains(&advice), "{erased:?}");
    let count = |condition: &str| deployment.database.count("users", condition);
    assert_eq!(count("name = 'Erased user'"), 1);
    drop(reader);
    let again = user(&deployment, &["erase", "--email", &id]).exited(0);
    assert!(!again.stderr.contains("in use"), "{again:?}");
    assert_eq!(count("email LIKE 'bob%'"), 0);
}
