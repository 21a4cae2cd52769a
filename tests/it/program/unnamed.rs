//! Warnings about requests that name no organization, by `config check` and by the start of the
//! server.

use crate::support::deployment::{Deployment, READY};

const UNNAMED: &str = r#"[[scopes]]
name = "domain:purchase"
description = "Purchase domains"
min_role = "admin"

[[scopes]]
name = "app:deploy"
description = "Deploy apps"

[[routes]]
match = "POST /v1/domains"
scope = "domain:purchase"

[[routes]]
match = "POST /v1/deploys"
scope = "app:deploy"

[[routes]]
match = "POST /v1/acme/domains"
scope = "domain:purchase"
organization = "acme"

[[routes]]
match = "POST /v1/organizations/{organization}/domains"
scope = "domain:purchase"

[[routes]]
match = "POST /v1/projects/{project}/domains"
scope = "domain:purchase"

[[routes]]
match = "GET /v1/regions"
authenticated = true
"#;
const HOME: &str = "DOORCODE__ORGANIZATIONS__HOME";

/// Standard error of a check, which must succeed.
fn check(deployment: &Deployment, home: &str) -> String {
    let command = deployment.command(&["config", "check"]).env(HOME, home);
    let checked = command.run().exited(0);
    assert!(checked.stdout.ends_with("# The configuration is valid.\n"));
    checked.stderr
}

/// With several organizations, a request that names none has no role.
#[test]
fn route_that_needs_a_role_but_names_no_organization_is_reported() {
    let deployment = Deployment::with_user();
    deployment.write("doorcode.toml", UNNAMED);
    assert_eq!(check(&deployment, ""), "");
    deployment
        .command(&["org", "add", "--name", "Second"])
        .run()
        .exited(0);
    let warned = check(&deployment, "");
    assert!(warned.starts_with("Warning: routes: these routes need a role"));
    assert!(
        warned.contains(": \"POST /v1/domains\" (domain:purchase). "),
        "{warned}"
    );
    assert_eq!(warned.matches("POST").count(), 1);
    assert_eq!(warned.lines().count(), 1);
    for home in ["acme", "second"] {
        assert_eq!(check(&deployment, home), "");
    }

    let mut server = deployment.command(&["serve"]).spawn();
    let line = server.line("these routes need a role");
    assert!(line.contains("\"level\":\"WARN\""), "{line}");
    server.kill();

    let set = |change: &str| {
        let condition = "WHERE slug = 'second'";
        let sql = format!("UPDATE organization SET {change} {condition}");
        deployment.database.execute(&sql);
    };
    let user = deployment.database.text("SELECT id FROM users");
    set(&format!("made_by = '{user}'"));
    assert_eq!(check(&deployment, ""), "");
    // A deletion gives no other organization the place of the only one.
    set("made_by = 'operator', deleted_at = created_at");
    assert!(check(&deployment, "").contains("You have created several organizations"));
    // Without such routes there is nothing to report.
    set("deleted_at = NULL");
    deployment.write("doorcode.toml", "");
    assert_eq!(check(&deployment, ""), "");
}

#[test]
fn home_organization_that_does_not_exist_is_reported() {
    let deployment = Deployment::with_user();
    let nowhere = "Warning: organizations.home: the organization \"nowhere\" does not exist.";
    assert!(check(&deployment, "nowhere").starts_with(nowhere));
    let id = "org_0198e4a0c0de7f00a1b2c3d4e5f60718";
    assert!(check(&deployment, id).contains(id));
    let acme = deployment.database.text("SELECT id FROM organization");
    for home in ["acme", acme.as_str()] {
        assert_eq!(check(&deployment, home), "");
    }
    let command = deployment.command(&["serve"]).env(HOME, "nowhere");
    let mut server = command.spawn();
    let line = server.line("organizations.home: the organization");
    assert!(line.contains("\"level\":\"WARN\""), "{line}");
    server.line(READY);
    server.kill();
}

/// The check is useful before the first start, and on another machine.
#[test]
fn check_needs_no_database_and_creates_none() {
    let deployment = Deployment::new();
    deployment.write("doorcode.toml", UNNAMED);
    let garbage = deployment.write("garbage.db", "no database");
    let empty = deployment.write("empty.db", "");
    std::fs::create_dir(deployment.path("directory.db")).unwrap();
    for url in [
        "sqlite:absent.db",
        "sqlite:nowhere/absent.db",
        "sqlite:garbage.db",
        "sqlite:empty.db",
        "sqlite:directory.db",
        "postgres://ada@127.0.0.1:1/doorcode",
        deployment.database.url.as_str(),
    ] {
        let checked = deployment
            .command(&["config", "check"])
            .env("DOORCODE__DATABASE__URL", url)
            .env(HOME, "nowhere")
            .run()
            .exited(0)
            .says(&["# The configuration is valid."]);
        assert_eq!(checked.stderr, "", "{url}");
    }
    assert_eq!(std::fs::read_to_string(garbage).unwrap(), "no database");
    assert_eq!(std::fs::read_to_string(empty).unwrap(), "");
    let files = std::fs::read_dir(deployment.directory()).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["directory.db", "doorcode.toml", "empty.db", "garbage.db"]
    );
}
