//! `doorcode client …`.

use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;
use crate::support::device::{Answer, GRANT};
use crate::support::http;

/// OAU-05: the secret of a confidential client is generated, shown once and stored as a hash.
#[actix_web::test]
async fn confidential_client_gets_its_secret_once_and_introspects_with_it() {
    let deployment = Deployment::with_user();
    let _server = deployment.start();
    let add = || {
        deployment
            .command(&[
                "client",
                "add",
                "--id",
                "api",
                "--name",
                "The API",
                "--confidential",
            ])
            .run()
    };
    let added = add().exited(0).says(&[
        "client_id:      api\n",
        "name:           The API\n",
        "scopes:         none\n",
        "The secret is shown only once.",
    ]);
    let secret = added
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("client_secret:"))
        .unwrap()
        .trim();
    assert!(secret.len() >= 43, "256 bits: {secret}");
    assert!(!deployment.database.dump().contains(secret));

    let introspect = async |secret: &str| {
        http()
            .post(deployment.at("/auth/introspect"))
            .basic_auth("api", Some(secret))
            .form(&[("token", "dc_0")])
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(introspect(secret).await, 200);
    assert_eq!(introspect("guess").await, 401);

    let second = add()
        .exited(1)
        .complains(&["There is a client with this id."]);
    assert_eq!(second.stdout, "");
    assert_eq!(introspect(secret).await, 200);
}

/// DEV-11: without a requested scope a client gets its default scopes.
#[actix_web::test]
async fn public_client_has_its_scopes_and_no_secret() {
    let deployment = Deployment::with_user();
    let added = deployment
        .command(&["client", "add", "--id", "acme-cli", "--name", "Acme"])
        .args(&["--scope", "orgs:read", "--scope", "tokens:read"])
        .args(&["--default-scope", "orgs:read"])
        .run()
        .exited(0)
        .says(&[
            "scopes:         orgs:read tokens:read\n",
            "default scopes: orgs:read\n",
        ]);
    assert!(!added.stdout.contains("secret"), "{added:?}");
    let _server = deployment.start();
    let post = async |path: &str, form: &[(&str, &str)]| {
        let request = http().post(deployment.at(path)).form(form);
        Answer::of(request.send().await.unwrap()).await
    };
    let refused = post(
        "/auth/device",
        &[("client_id", "acme-cli"), ("scope", "orgs:write")],
    );
    assert_eq!(refused.await.error(), "invalid_scope");
    let grant = post("/auth/device", &[("client_id", "acme-cli")]).await;
    let text = |name: &str| grant.body[name].as_str().unwrap();
    let mut browser = deployment.user().await;
    browser.approve(text("user_code"), &["orgs:read"]).await;
    let form = [
        ("grant_type", GRANT),
        ("client_id", "acme-cli"),
        ("device_code", text("device_code")),
    ];
    let issued = post("/auth/device/token", &form).await;
    assert_eq!(issued.body["scope"], "orgs:read");
}

#[test]
fn invalid_client_is_rejected_with_a_reason() {
    let deployment = Deployment::migrated();
    for (arguments, words) in [
        (
            &["--id", "a b", "--name", "X"][..],
            "client_id: Use 1 to 100 letters",
        ),
        (
            &["--id", "usr_x", "--name", "X"],
            "client_id: Do not begin with",
        ),
        (&["--id", "x", "--name", " "], "name: "),
        (
            &["--id", "x", "--name", "X", "--scope", "orgs:fly"],
            "scope: There is no scope `orgs:fly`.",
        ),
        (
            &[
                "--id",
                "x",
                "--name",
                "X",
                "--scope",
                "orgs:read",
                "--default-scope",
                "orgs:write",
            ],
            "default_scope: Each default scope must be one that the client may ask for.",
        ),
        (
            &["--id", "doorcode-cli", "--name", "X"],
            "There is a client with this id.",
        ),
    ] {
        deployment
            .command(&["client", "add", "--confidential"])
            .args(arguments)
            .run()
            .exited(1)
            .complains(&[words]);
    }
    assert_eq!(deployment.database.count("client", "1 = 1"), 1);
}

/// A public client gets no scope that the operator did not ask for.
#[test]
fn public_client_needs_its_scopes_or_all_of_them() {
    let deployment = Deployment::migrated();
    let add = |arguments: &[&str]| {
        let command = deployment.command(&["client", "add", "--id", "x", "--name", "X"]);
        command.args(arguments).run()
    };
    add(&[])
        .exited(2)
        .complains(&["--scope NAME", "--all-scopes"]);
    add(&["--scope", "orgs:read", "--all-scopes"]).exited(2);
    assert_eq!(deployment.database.count("client", "id = 'x'"), 0);
    let all = add(&["--all-scopes"]).exited(0);
    assert!(all.stdout.contains("tokens:read"), "{all:?}");
    for lasting in ["tokens:write", "orgs:write"] {
        assert!(!all.stdout.contains(lasting), "{all:?}");
    }
}

#[test]
fn client_is_listed_and_updated() {
    let deployment = Deployment::migrated();
    deployment
        .command(&["client", "add", "--id", "acme-cli", "--name", "Acme"])
        .args(&["--scope", "orgs:read", "--scope", "tokens:read"])
        .run()
        .exited(0);
    let update = |arguments: &[&str]| {
        let command = deployment.command(&["client", "update", "--id", "acme-cli"]);
        command.args(arguments).run()
    };
    update(&[]).exited(2);
    update(&["--name", "Acme Tools", "--scope", "tokens:read"])
        .exited(0)
        .says(&[
            "name:           Acme Tools\n",
            "scopes:         tokens:read\n",
            "default scopes: tokens:read\n",
        ]);
    update(&["--default-scope", "orgs:read"])
        .exited(1)
        .complains(&["default_scope: Each default scope must be one that"]);
    update(&["--disable"])
        .exited(0)
        .says(&["state:          disabled\n"]);
    let changes = |condition: &str| {
        let condition = format!("action = 'client.changed' AND {condition}");
        deployment.database.count(AUDIT, &condition)
    };
    assert_eq!(changes("target = 'acme-cli'"), 2);
    // A change to what is there already is none.
    update(&["--disable"]).exited(0);
    assert_eq!(changes("1 = 1"), 2);

    deployment
        .command(&["client", "list"])
        .run()
        .exited(0)
        .says(&[
            "client_id:      acme-cli\nname:           Acme Tools\nkind:           public\n",
            "client_id:      doorcode-cli\n",
        ]);
    let listed = deployment.command(&["client", "list", "--json"]).run();
    let listed = listed.exited(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["id"], "acme-cli");
    assert_eq!(listed[0]["state"], "disabled");
    for command in ["update", "rotate-secret", "remove"] {
        let arguments = ["client", command, "--id", "acme"];
        let more: &[&str] = match command {
            "update" => &["--enable"],
            "remove" => &["--yes"],
            _ => &[],
        };
        deployment
            .command(&arguments)
            .args(more)
            .run()
            .exited(1)
            .complains(&["There is no client acme.", "client list` lists them"]);
    }
}

/// Users tell applications apart by their names.
#[test]
fn built_in_client_has_a_name_of_its_own() {
    let deployment = Deployment::migrated();
    let names = || {
        let listed = deployment.command(&["client", "list", "--json"]).run();
        let listed = listed.exited(0).json();
        let mut names = Vec::new();
        for client in listed.as_array().unwrap() {
            names.push(client["name"].as_str().unwrap().to_owned());
        }
        names
    };
    let add = |id: &str, name: &str| {
        let add = deployment.command(&["client", "add", "--id", id, "--name", name]);
        add.args(&["--all-scopes"]).run().exited(0)
    };
    assert_eq!(names(), ["Doorcode CLI"]);
    assert_eq!(add("acme-cli", "Doorcode CLI").stderr, "");
    assert_eq!(names(), ["Doorcode CLI", "Doorcode server CLI"]);
    let rename = ["client", "update", "--id", "acme-cli", "--name"];
    let rename = |name: &str| deployment.command(&rename).args(&[name]).run().exited(0);
    rename("Acme Tools");
    assert_eq!(names(), ["Acme Tools", "Doorcode CLI"]);

    // The operator decides on the others.
    let warning =
        "warning: users cannot tell it apart from a client with the same name: acme-cli\n";
    assert_eq!(add("other-cli", "Acme Tools").stderr, warning);
    let warning = warning.replace("acme-cli", "other-cli");
    assert_eq!(rename("Acme Tools").stderr, warning);

    // The program of the company is the CLI of its users.
    let text = "[branding]\nname = \"Acme\"\nprogram = \"acme\"\n";
    deployment.write("doorcode.toml", text);
    assert_eq!(names(), ["Acme Tools", "Acme server CLI", "Acme Tools"]);
    add("third-cli", "Acme server CLI");
    assert_eq!(names()[1], "Acme built-in CLI");
}

/// What the operator changed on a client survives a start, on the built-in one too. An unchanged
/// built-in client follows the settings.
#[test]
fn start_keeps_what_the_operator_changed() {
    let deployment = Deployment::migrated();
    let shown = |deployment: &Deployment| {
        let listed = deployment.command(&["client", "list", "--json"]).run();
        listed.exited(0).json()[0].clone()
    };
    let named = |name: &str| {
        let text = format!(
            "[branding]\nname = \"{name}\"\n[[scopes]]\nname = \"app:deploy\"\ndescription = \"D\"\n"
        );
        deployment.write("doorcode.toml", &text);
        drop(deployment.start());
    };
    named("First");
    assert_eq!(shown(&deployment)["name"], "First CLI");
    deployment
        .command(&["client", "update", "--id", "doorcode-cli", "--disable"])
        .run()
        .exited(0);
    named("Second");
    assert_eq!(shown(&deployment)["name"], "Second CLI");
    assert_eq!(shown(&deployment)["state"], "disabled");
    deployment
        .command(&["client", "update", "--id", "doorcode-cli", "--enable"])
        .args(&["--scope", "orgs:read", "--name", "Our CLI"])
        .run()
        .exited(0);
    let changed = shown(&deployment);
    named("Third");
    assert_eq!(shown(&deployment), changed);
    assert_eq!(changed["name"], "Our CLI");
    assert_eq!(changed["scopes"], serde_json::json!(["orgs:read"]));

    deployment
        .command(&["client", "remove", "--id", "doorcode-cli", "--yes"])
        .run()
        .exited(1)
        .complains(&["This client is built in", "--disable"]);
}
