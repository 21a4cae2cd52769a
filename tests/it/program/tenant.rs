//! `doorcode org add` and `doorcode project add`.

use crate::support::EMAIL;
use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;

/// The id in the output of a command.
fn id(said: &str) -> String {
    let (_, rest) = said.split_once('(').unwrap();
    rest.trim_end_matches(")\n").to_owned()
}

#[test]
fn organization_is_created_with_or_without_an_owner() {
    let deployment = Deployment::with_user();
    let add = |arguments: &[&str]| deployment.command(&["org", "add"]).args(arguments).run();
    let owned = add(&["--name", "Umbrella Works", "--owner", "Ada@Example.com"])
        .exited(0)
        .says(&["Umbrella Works is created. Its address is umbrella-works. (org_"]);
    let members = |id: &str, role: &str| {
        let condition = format!("organization_id = '{id}' AND role = '{role}'");
        deployment.database.count("membership", &condition)
    };
    assert_eq!(members(&id(&owned.stdout), "owner"), 1);

    let empty = add(&["--name", "Initech"]).exited(0).says(&["(org_"]);
    assert_eq!(members(&id(&empty.stdout), "owner"), 0);
    deployment
        .command(&["user", "add", "--email", "bob@example.com", "--name", "Bob"])
        .args(&["--org", "Initech", "--role", "owner", "--password-stdin"])
        .input("copper lantern sandwich\n")
        .run()
        .exited(0);
    assert_eq!(members(&id(&empty.stdout), "owner"), 1);
    let made = "action = 'organization.created' AND actor_kind = 'operator'";
    assert_eq!(deployment.database.count(AUDIT, made), 3);

    for (arguments, words) in [
        (&["--name", "acme"][..], "name: Another organization"),
        (&["--name", ""], "name: "),
        (
            &["--name", "New", "--owner", "eve@example.com"],
            "owner: No user has the address",
        ),
        (
            &["--name", "New", "--owner", "eve"],
            "email: Enter an email address",
        ),
    ] {
        add(arguments).exited(1).complains(&[words]);
    }
    assert_eq!(deployment.database.count("organization", "1 = 1"), 3);
}

#[test]
fn project_is_created_with_its_members_or_not_at_all() {
    let deployment = Deployment::with_user();
    for (email, org) in [
        ("bob@example.com", "Acme"),
        ("eve@example.com", "Elsewhere"),
    ] {
        deployment
            .command(&["user", "add", "--email", email, "--name", "Somebody"])
            .args(&["--org", org, "--password-stdin"])
            .input("copper lantern sandwich\n")
            .run()
            .exited(0);
    }
    let add = |arguments: &[&str]| {
        let command = deployment.command(&["project", "add"]);
        command.args(arguments).run()
    };
    for (arguments, words) in [
        (
            &["--org", "Nowhere", "--name", "Website"][..],
            "org: There is no such organization.",
        ),
        (&["--org", "Acme", "--name", ""], "name: "),
        (
            &[
                "--org",
                "Acme",
                "--name",
                "Website",
                "--member",
                "nobody@example.com",
            ],
            "member: No user has the address nobody@example.com.",
        ),
        (
            &[
                "--org",
                "Acme",
                "--name",
                "Website",
                "--member",
                EMAIL,
                "--member",
                "eve@example.com",
            ],
            "member: eve@example.com is not in the organization.",
        ),
    ] {
        let refused = add(arguments);
        assert_ne!(refused.code, Some(0), "{arguments:?}");
        refused.complains(&[words]);
    }
    let none = ["project", "project_member"].map(|table| deployment.database.count(table, "1 = 1"));
    assert_eq!(none, [0, 0]);

    let made = add(&[
        "--org",
        "Acme",
        "--name",
        "Website",
        "--member",
        "bob@example.com",
    ])
    .exited(0)
    .says(&["Website is created. (prj_"]);
    let project = format!("project_id = '{}'", id(&made.stdout));
    assert_eq!(deployment.database.count("project_member", &project), 1);
    let organization = deployment
        .database
        .text("SELECT organization_id FROM project");
    for (named, name) in [("acme", "Shop"), (organization.as_str(), "Blog")] {
        add(&["--org", named, "--name", name]).exited(0);
    }
    add(&["--org", "Acme", "--name", "Website"])
        .exited(1)
        .complains(&["name: The organization has a project of this name."]);
    assert_eq!(deployment.database.count("project", "1 = 1"), 3);
}

/// An existing user joins another organization, or gets another role.
#[test]
fn existing_user_is_added_to_an_organization() {
    let deployment = Deployment::with_user();
    deployment
        .command(&["org", "add", "--name", "Umbrella Works"])
        .run()
        .exited(0);
    let add = |org: &str, email: &str, role: &str| {
        deployment
            .command(&["org", "add-member", "--org", org, "--email", email])
            .args(&["--role", role])
            .run()
    };
    let members = |role: &str| {
        let condition = format!("role = '{role}'");
        deployment.database.count("membership", &condition)
    };
    add("Umbrella Works", "Ada@Example.com", "member")
        .exited(0)
        .says(&["ada@example.com has the role member in Umbrella Works."]);
    assert_eq!([members("owner"), members("member")], [1, 1]);
    for (org, email, role, words) in [
        (
            "Umbrela Works",
            EMAIL,
            "member",
            "org: There is no such organization.",
        ),
        (
            "acme",
            "eve@example.com",
            "member",
            "email: No user has the address",
        ),
        ("acme", EMAIL, "member", "An organization needs an owner"),
    ] {
        add(org, email, role).exited(1).complains(&[words]);
    }
    add("acme", EMAIL, "king").exited(2);
    add("umbrella-works", EMAIL, "admin").exited(0);
    add("umbrella-works", EMAIL, "admin").exited(0);
    assert_eq!([members("owner"), members("admin")], [1, 1]);
    for action in ["member.added", "member.changed"] {
        let target = format!(
            "action = '{action}' AND target = (SELECT id FROM users WHERE email = '{EMAIL}')"
        );
        let known = if action == "member.added" { 2 } else { 1 };
        assert_eq!(deployment.database.count(AUDIT, &target), known, "{action}");
    }
}

/// A user chose the name of an organization that a user created, so the operator names it by its id.
#[test]
fn organization_of_a_user_is_named_by_its_id() {
    let deployment = Deployment::with_user();
    deployment
        .command(&["org", "add", "--name", "Beta"])
        .run()
        .exited(0);
    let user = deployment.database.text("SELECT id FROM users");
    let sql = format!("UPDATE organization SET made_by = '{user}' WHERE slug = 'beta'");
    deployment.database.execute(&sql);
    let id = "SELECT id FROM organization WHERE slug = 'beta'";
    let id = deployment.database.text(id);
    let member = ["--email", EMAIL, "--role", "owner"];
    let project = ["--name", "Api"];
    let commands = [
        (["org", "add-member"], &member[..], "membership"),
        (["project", "add"], &project, "project"),
    ];
    for (command, rest, table) in commands {
        let run = |org: &str| {
            let command = deployment.command(&command).args(&["--org", org]);
            command.args(rest).run()
        };
        for named in ["Beta", "beta", " BETA! "] {
            run(named)
                .exited(1)
                .complains(&["org: A user created this organization. To name it, enter its ID."]);
        }
        let of_it = format!("organization_id = '{id}'");
        assert_eq!(deployment.database.count(table, &of_it), 0);
        run(&id).exited(0);
        assert_eq!(deployment.database.count(table, &of_it), 1);
        run("org_00000000000000000000000000000000")
            .exited(1)
            .complains(&["There is no such organization."]);
    }
}
