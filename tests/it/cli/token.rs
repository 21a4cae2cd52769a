//! `doorcode token`: what it says is what the server answers afterwards.

use super::Machine;
use crate::support::{EMAIL, OPERATOR, TestApp};
use chrono::Days;
use doorcode_client::output::moment::current_time;
use serde_json::{Value, json};

/// A machine whose sign-in may manage tokens.
async fn manager() -> (TestApp, Machine) {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let scopes = ["tokens:read", "tokens:write", "orgs:read"];
    machine.sign_in_with(&test, &scopes).await;
    (test, machine)
}

/// Creates a token and returns its secret: all of standard output.
fn create(machine: &Machine, arguments: &[&str]) -> String {
    let command = machine.command(&["token", "create"]).args(arguments);
    let created = command.run().exited(0).complains(&["only this once"]);
    let secret = created.stdout.trim_end().to_owned();
    assert_eq!(created.stdout, format!("{secret}\n"));
    assert!(!created.stderr.contains(&secret), "{created:?}");
    secret
}

async fn is_active(test: &TestApp, token: &str) -> bool {
    test.introspect(token).await["active"].as_bool().unwrap()
}

async fn id_of(test: &TestApp, token: &str) -> String {
    let me: Value = test.me(token).await.json().await.unwrap();
    me["token"]["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn created_token_is_listed_and_has_the_scopes_that_were_said() {
    let (test, machine) = manager().await;
    let secret = create(
        &machine,
        &[
            "nightly",
            "--scope",
            "orgs:read,tokens:read",
            "--expires",
            "30d",
        ],
    );
    let me: Value = test.me(&secret).await.json().await.unwrap();
    assert_eq!(me["scopes"], json!(["orgs:read", "tokens:read"]));
    let list = machine.command(&["token", "list"]).run().exited(0);
    let (id, hint) = (id_of(&test, &secret).await, &secret[secret.len() - 4..]);
    let line = list
        .stdout
        .lines()
        .find(|line| line.starts_with("nightly  "));
    let line = line.unwrap_or_else(|| panic!("{list:?}"));
    for piece in [&*id, hint, "orgs:read tokens:read", "2026-12-"] {
        assert!(line.contains(piece), "no {piece} in {line}");
    }
    // A star marks the token of the command.
    let own = id_of(&test, &machine.token()).await;
    let marked: Vec<_> = list
        .stdout
        .lines()
        .filter(|line| line.contains(" * "))
        .collect();
    assert!(marked.len() == 1 && marked[0].contains(&own), "{list:?}");

    let listed = machine
        .command(&["token", "list", "--json"])
        .run()
        .exited(0)
        .json();
    let answer = test
        .anon()
        .get(test.at("/v1/tokens"))
        .bearer_auth(machine.token());
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["items"].as_array().unwrap().len(), 2);
    let ids = |document: &Value| {
        let items = document["items"].as_array().unwrap().iter();
        items.map(|item| item["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&listed), ids(&answer));
}

#[actix_web::test]
async fn faults_of_a_new_token_are_named() {
    let (test, machine) = manager().await;
    let create = |arguments: &[&str]| machine.command(&["token", "create"]).args(arguments).run();
    let refused = create(&["", "--scope", "orgs:read"]).exited(1);
    refused.complains(&["name: "]);
    create(&["a", "--expires", "soon"])
        .exited(1)
        .complains(&["expires: "]);
    create(&["a", "--scope", "projects:write"]).exited(4);
    let unknown = create(&["a", "--scope", "orgs:fly,orgs:read"]).exited(1);
    unknown.complains(&["There is no scope orgs:fly. The scopes are: ", "orgs:read"]);
    create(&["a", "--scope", "\""]).exited(2);
    create(&["a", "--org", "../x"]).exited(2);
    create(&["a", "--org", "no-such"]).exited(4);
    assert_eq!(test.count("token", "name = 'a'"), 0);
}

#[actix_web::test]
async fn revoked_token_is_inactive_and_so_is_what_was_created_with_it() {
    let (test, machine) = manager().await;
    let parent = create(&machine, &["parent", "--scope", "tokens:read,tokens:write"]);
    let child = machine
        .command(&["token", "create", "child", "--scope", "tokens:read"])
        .env("DOORCODE_TOKEN", &parent)
        .run()
        .exited(0);
    let child = child.stdout.trim_end();
    let revoke = |arguments: &[&str]| machine.command(&["token", "revoke"]).args(arguments).run();
    revoke(&["parent"]).exited(1).complains(&[
        "The revocation also ends what was created with the token: 1 token.",
        "child",
        "Nothing was changed. Add --yes",
    ]);
    assert!(is_active(&test, &parent).await && is_active(&test, child).await);

    let id = id_of(&test, &parent).await;
    let revoked = revoke(&["parent", "--yes", "--json"]).exited(0);
    let expected = json!({"id": id, "name": "parent", "revoked": 2, "withdrawn_invitations": 0});
    assert_eq!(revoked.json(), expected);
    revoked.complains(&["parent (dc_…", "is revoked.", "revoked too: 1"]);
    assert!(!is_active(&test, &parent).await && !is_active(&test, child).await);
    assert!(is_active(&test, &machine.token()).await);

    // Inactive tokens are found by their ID only.
    revoke(&["parent"])
        .exited(1)
        .complains(&["There is no active token"]);
    revoke(&[&id])
        .exited(0)
        .complains(&["was already revoked."]);
    let list = |arguments: &[&str]| machine.command(&["token", "list"]).args(arguments).run();
    assert!(!list(&[]).exited(0).stdout.contains("parent"));
    list(&["--all"]).exited(0).says(&["parent", "revoked"]);
}

#[actix_web::test]
async fn token_of_the_sign_in_is_revoked_by_logout_only() {
    let (test, machine) = manager().await;
    let (token, id) = (machine.token(), id_of(&test, &machine.token()).await);
    for command in ["revoke", "rotate"] {
        let refused = machine.command(&["token", command, &id]).run().exited(1);
        refused.complains(&["is the token of your sign-in. Run `doorcode log"]);
    }
    assert!(is_active(&test, &token).await);
    // A token of the environment can revoke itself.
    let own = machine
        .command(&["token", "revoke", &id])
        .env("DOORCODE_TOKEN", &token);
    own.without("HOME")
        .run()
        .exited(0)
        .complains(&["is revoked."]);
    assert!(!is_active(&test, &token).await);
}

#[actix_web::test]
async fn same_name_of_two_tokens_is_reported() {
    let (test, machine) = manager().await;
    let [first, second] = [(); 2].map(|()| create(&machine, &["twin"]));
    let refused = machine
        .command(&["token", "revoke", "twin"])
        .run()
        .exited(1);
    let ids = [id_of(&test, &first).await, id_of(&test, &second).await];
    refused.complains(&["2 active tokens have the name twin.", &ids[0], &ids[1]]);
    machine
        .command(&["token", "revoke", &ids[0]])
        .run()
        .exited(0);
    assert!(!is_active(&test, &first).await && is_active(&test, &second).await);
}

#[actix_web::test]
async fn rotated_token_is_replaced_after_the_overlap() {
    let (test, machine) = manager().await;
    let old = create(&machine, &["deploy", "--scope", "orgs:read"]);
    let rotate = |overlap: &str| {
        let command = machine.command(&["token", "rotate", "deploy", "--overlap", overlap]);
        command.run()
    };
    rotate("soon").exited(2);
    let rotated = rotate("90m")
        .exited(0)
        .complains(&["The old token expires: "]);
    let new = rotated.stdout.trim_end();
    assert!(is_active(&test, &old).await && is_active(&test, new).await);
    let ids = [id_of(&test, &old).await, id_of(&test, new).await];
    assert_ne!(ids[0], ids[1]);
    test.clock.advance(91 * 60);
    assert!(!is_active(&test, &old).await && is_active(&test, new).await);

    let last = rotate("0")
        .exited(0)
        .complains(&["The old token is inactive."]);
    assert!(!is_active(&test, new).await);
    assert!(is_active(&test, last.stdout.trim_end()).await);
}

#[actix_web::test]
async fn all_tokens_are_revoked_after_consent() {
    let (test, machine) = manager().await;
    let (own, other) = (machine.token(), create(&machine, &["other"]));
    let revoke = |arguments: &[&str]| {
        machine
            .command(&["token", "revoke-all"])
            .args(arguments)
            .run()
    };
    revoke(&[]).exited(1).complains(&[
        &format!(
            "2 active tokens of Ada <{EMAIL}> at {} will be revoked",
            test.url
        ),
        "Nothing was changed. Add --yes",
    ]);
    assert!(is_active(&test, &own).await && is_active(&test, &other).await);
    revoke(&["--created-before", "2020-01-01", "--yes"])
        .exited(0)
        .complains(&["Revoked tokens of Ada", ": 0."]);
    assert!(is_active(&test, &own).await && is_active(&test, &other).await);

    let all = revoke(&["--yes", "--json"]).exited(0);
    let expected = json!({"revoked": 2, "withdrawn_invitations": 0, "own_token_revoked": true});
    assert_eq!(all.json(), expected);
    all.complains(&["The token of this command is revoked too. Run `doorcode login`"]);
    assert!(!is_active(&test, &own).await && !is_active(&test, &other).await);
    assert_eq!(machine.credentials().get("token"), None);
}

#[actix_web::test]
async fn tokens_of_an_organization_are_managed_with_its_name() {
    let (test, machine) = manager().await;
    let robot = create(
        &machine,
        &["robot", "--org", "acme", "--scope", "orgs:read"],
    );
    let me: Value = test.me(&robot).await.json().await.unwrap();
    assert_eq!(me["organization"]["slug"], "acme");
    let list = |arguments: &[&str]| machine.command(&["token", "list"]).args(arguments).run();
    list(&["--org", "acme"]).exited(0).says(&["robot"]);
    assert!(!list(&[]).exited(0).stdout.contains("robot"));
    let of_org = ["--org", "acme"];
    let rotated = machine.command(&["token", "rotate", "robot", "--overlap", "0"]);
    let rotated = rotated.args(&of_org).run().exited(0);
    let rotated = rotated.stdout.trim_end();
    assert!(!is_active(&test, &robot).await && is_active(&test, rotated).await);
    let all = machine
        .command(&["token", "revoke-all", "--yes"])
        .args(&of_org);
    all.run()
        .exited(0)
        .complains(&["of the organization acme: 1."]);
    assert!(!is_active(&test, rotated).await);
    assert!(is_active(&test, &machine.token()).await);
    let empty = list(&of_org).exited(0).complains(&["There are no tokens."]);
    assert_eq!(empty.stdout, "");
}

#[actix_web::test]
async fn check_tells_form_and_state_apart_by_the_exit_code() {
    let (test, machine) = manager().await;
    let secret = create(&machine, &["ci", "--scope", "orgs:read"]);
    let check = |token: &str| {
        let command = machine.command(&["token", "check", "-", "--json"]);
        command.input(&format!("{token}\n")).run()
    };
    let active = check(&secret).exited(0).json();
    assert_eq!(
        (&active["well_formed"], &active["active"]),
        (&json!(true), &json!(true))
    );
    let me: Value = test.me(&secret).await.json().await.unwrap();
    assert_eq!(active["me"]["scopes"], me["scopes"]);
    machine
        .command(&["token", "check", &secret])
        .run()
        .exited(0)
        .says(&[
            "accepts the token.\n",
            "Token:   ci (dc_…",
            "Scopes:  orgs:read\n",
        ]);

    machine.command(&["token", "revoke", "ci"]).run().exited(0);
    let refused = check(&secret).exited(3).complains(&["refused the token"]);
    assert_eq!(refused.json()["active"], false);

    let calls = test.count("audit_event", "1 = 1");
    let mistyped = format!("{}{}", &secret[..secret.len() - 1], "x");
    for wrong in [&*mistyped, "dc_1", "hello", &secret[1..], &OPERATOR[1..]] {
        let wrong = check(wrong)
            .exited(1)
            .complains(&["Nothing was sent to the server."]);
        let document = wrong.json();
        assert_eq!(
            (&document["well_formed"], &document["active"]),
            (&json!(false), &json!(null))
        );
    }
    assert_eq!(test.count("audit_event", "1 = 1"), calls);
}

#[actix_web::test]
async fn print_writes_the_token_of_the_server_and_a_newline() {
    let (test, machine) = manager().await;
    let print = |arguments: &[&str]| machine.command(&["token", "print"]).args(arguments).run();
    let printed = print(&[]).exited(0);
    assert_eq!(
        (&printed.stdout, &*printed.stderr),
        (&format!("{}\n", machine.token()), "")
    );
    let expected = json!({"host": test.url, "token": machine.token()});
    assert_eq!(print(&["--json"]).exited(0).json(), expected);
    let elsewhere = print(&["--host", "https://auth.invalid"]).exited(3);
    assert_eq!(elsewhere.stdout, "");
}

#[actix_web::test]
async fn user_is_reminded_of_the_end_of_the_token() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    // The program compares with the clock of this machine.
    let now = current_time();
    test.clock.advance((now - test.app.now()).num_seconds());
    let day = |days| (now + Days::new(days)).date_naive().to_string();
    let mut user = test.user().await;
    for (name, days, is_near) in [("near", 5, true), ("far", 30, false)] {
        let token = user.new_token(name, &["tokens:read"], &day(days)).await;
        for command in [&["whoami"][..], &["token", "list"]] {
            let shown = machine
                .command(command)
                .env("DOORCODE_TOKEN", &token)
                .run()
                .exited(0);
            let reminded = shown
                .stderr
                .contains("The token of this command expires in ");
            assert_eq!(reminded, is_near, "{shown:?}");
            assert_eq!(
                shown.stderr.contains("DOORCODE_TOKEN"),
                is_near,
                "{shown:?}"
            );
        }
    }
}

#[actix_web::test]
async fn commands_without_a_sign_in_or_a_scope_are_refused() {
    let test = TestApp::start().await;
    let machine = Machine::new(&test);
    let commands = [
        &["token", "list"][..],
        &["token", "create", "a"],
        &["token", "rotate", "a"],
        &["token", "revoke", "a"],
        &["token", "revoke-all", "--yes"],
        &["token", "print"],
        &["project", "list"],
        &["project", "use", "a"],
    ];
    for command in commands {
        let refused = machine.command(command).run().exited(3);
        assert_eq!(refused.stdout, "", "{command:?}");
        refused.complains(&["Run `doorcode login` to sign in."]);
    }
    let token = test.token(&["audit:read"]).await;
    for command in commands.into_iter().filter(|command| command[1] != "print") {
        let refused = machine.command(command).env("DOORCODE_TOKEN", &token).run();
        refused.exited(4).complains(&[":"]);
    }
}
