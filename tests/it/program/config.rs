//! The configuration, from file and environment to the effect on the program.

use crate::support::deployment::Deployment;
use crate::support::source::root;

const FILE: &str = "[branding]\nname = \"Acme\"\n\n[device]\ncode_lifetime = \"5m\"\n";

#[test]
fn check_prints_the_effective_configuration_and_creates_no_files() {
    let deployment = Deployment::new();
    deployment.write("doorcode.toml", FILE);
    let url = "postgres://ada:Tulip-77@127.0.0.1/doorcode";
    let checked = deployment
        .command(&["config", "check"])
        .env("DOORCODE__DATABASE__URL", url)
        .run()
        .exited(0)
        .says(&[
            &format!("listen = \"{}\"", deployment.address),
            "url = \"postgres://ada:***@127.0.0.1/doorcode\"",
            "name = \"Acme\"",
            "code_lifetime = \"5m\"",
            "# The configuration is valid.",
        ]);
    assert!(!checked.stdout.contains("Tulip-77"));
    assert_eq!(checked.stderr, "");
    assert!(!deployment.path("data").exists());

    // The output is itself a configuration with the same values.
    let deployment = Deployment::new();
    deployment.write("doorcode.toml", &checked.stdout.replace(":***@", "@"));
    let second = deployment
        .command(&["config", "check"])
        .env("DOORCODE__DATABASE__URL", url)
        .without("DOORCODE__SERVER__LISTEN")
        .without("DOORCODE__SERVER__PUBLIC_URL")
        .without("DOORCODE__SERVER__WORKERS")
        .run()
        .exited(0);
    assert_eq!(second.stdout, checked.stdout);
}

/// An unknown key or an invalid value stops every server-side command.
#[test]
fn error_stops_the_start_and_names_key_file_and_line() {
    for (text, fault) in [
        (
            "\n[server]\nlistn = \"x\"\n",
            "doorcode.toml:3: server.listn: there is no such key",
        ),
        ("[sever]\n", "doorcode.toml:1: sever: there is no such key"),
        (
            "[device]\ninterval = \"soon\"\n",
            "doorcode.toml:2: device.interval: ",
        ),
        (
            "[server]\nworkers = 0\n",
            "doorcode.toml:2: server.workers: ",
        ),
        ("[server\n", "doorcode.toml:1: this is not TOML"),
    ] {
        let deployment = Deployment::new();
        deployment.write("doorcode.toml", text);
        for command in [
            &["serve"][..],
            &[],
            &["migrate"],
            &["config", "check"],
            &["client", "list"],
            &["user", "deactivate", "--email", "ada@example.com"],
        ] {
            let refused = deployment
                .command(command)
                .without("DOORCODE__SERVER__WORKERS")
                .run()
                .exited(1)
                .complains(&[fault]);
            assert_eq!(refused.stdout, "");
        }
        assert!(!deployment.path("data").exists());
        assert!(!deployment.path("doorcode.db").exists());
    }
}

#[test]
fn all_errors_are_reported_with_their_location() {
    let deployment = Deployment::new();
    deployment.write(
        "doorcode.toml",
        "[branding]\nname = \"\"\ncolour = \"red\"\n",
    );
    deployment
        .command(&["serve"])
        .env("DOORCODE__DEVICE__INTERVAL", "1h")
        .run()
        .exited(1)
        .complains(&[
            "doorcode.toml:2: branding.name: ",
            "doorcode.toml:3: branding.colour: there is no such key",
            "DOORCODE__DEVICE__INTERVAL: device.interval: ",
        ]);
}

const ROUTES: &str = r#"[[routes]]
match = "GET /health"
public = true

[[routes]]
match = "* /v1/status"
operator = true

[[routes]]
match = "GET /v1/scopes"
authenticated = true

[[routes]]
match = "* /v1/orgs/{organization}/**"
scope = "orgs:read"
"#;

#[test]
fn check_prints_the_route_table_in_order() {
    let from_file = Deployment::new();
    from_file.write("doorcode.toml", ROUTES);
    from_file
        .command(&["config", "check"])
        .run()
        .exited(0)
        .says(&[ROUTES]);
    let list = r#"[{ match = "GET /health", public = true }, { match = "* /v1/status", operator = true }]"#;
    let of_both = Deployment::new();
    of_both.write("doorcode.toml", ROUTES);
    let checked = of_both
        .command(&["config", "check"])
        .env("DOORCODE__ROUTES", list)
        .run()
        .exited(0);
    assert_eq!(checked.stdout.matches("[[routes]]").count(), 2);
}

/// The configuration used by the proxy examples.
#[test]
fn example_is_valid() {
    let example = root().join("examples/doorcode.toml");
    Deployment::new()
        .command(&["config", "check", "--config", example.to_str().unwrap()])
        .run()
        .exited(0)
        .says(&["match = \"POST /v1/projects/{project}/deploys\"\nscope = \"app:deploy\""]);
}

#[test]
fn invalid_route_stops_the_start() {
    let deployment = Deployment::new();
    deployment.write(
        "doorcode.toml",
        r#"[[routes]]
match = "GET /v1/**"
scope = "app:deploi"

[[routes]]
match = "GET /v1/status"
operator = true

[[routes]]
match = "get /v2"
public = true

[[routes]]
match = "GET /v2/{project}/{project}"
public = true
operator = true

[[routes]]
match = "GET /v2"

[[routes]]
match = "GET /v2"
public = true

[[routes]]
match = "GET /v2"
public = true
"#,
    );
    for command in [&["config", "check"][..], &["serve"]] {
        let refused = deployment.command(command).run().exited(1).complains(&[
            "doorcode.toml:3: routes.scope: \"app:deploi\" is not a scope",
            "doorcode.toml:6: routes.match: \"GET /v1/status\" never decides",
            "doorcode.toml:10: routes.match: \"get /v2\" begins with no method",
            "doorcode.toml:14: routes.match: \"GET /v2/{project}/{project}\" names more",
            "doorcode.toml:15: routes.public: stands beside operator",
            "doorcode.toml:19: routes.match: has no access rule",
            "doorcode.toml:22: routes.match: \"GET /v2\" never decides",
            "doorcode.toml:26: routes.match: \"GET /v2\" never decides",
        ]);
        assert_eq!(refused.stdout, "");
    }
    assert!(!deployment.path("data").exists());
}

#[test]
fn file_is_set_before_or_after_the_command_or_by_the_environment() {
    let deployment = Deployment::new();
    deployment.write("doorcode.toml", "[branding]\nname = \"Default\"\n");
    let file = deployment.write("etc/acme.toml", FILE);
    let file = file.to_str().unwrap();
    for arguments in [
        ["--config", file, "config", "check"],
        ["config", "--config", file, "check"],
        ["config", "check", "--config", file],
    ] {
        deployment
            .command(&arguments)
            .run()
            .exited(0)
            .says(&["name = \"Acme\""]);
    }
    deployment
        .command(&["config", "check", "--config", "etc/acme.toml"])
        .run()
        .exited(0)
        .says(&["name = \"Acme\""]);
    deployment
        .command(&["config", "check"])
        .env("DOORCODE_SERVER_CONFIG", file)
        .run()
        .exited(0)
        .says(&["name = \"Acme\""]);
    deployment
        .command(&["config", "check"])
        .run()
        .exited(0)
        .says(&["name = \"Default\""]);
    deployment
        .command(&["config", "check"])
        .env("DOORCODE__BRANDING__NAME", "Variable")
        .run()
        .exited(0)
        .says(&["name = \"Variable\""]);
}

#[test]
fn given_file_must_exist() {
    let deployment = Deployment::new();
    for arguments in [
        ["--config", "nowhere.toml", "serve"],
        ["serve", "--config", "nowhere.toml"],
    ] {
        deployment
            .command(&arguments)
            .run()
            .exited(1)
            .complains(&["nowhere.toml: the configuration file cannot be read"]);
    }
}

#[test]
fn usage_errors_have_their_own_exit_code() {
    let deployment = Deployment::new();
    for arguments in [&["sreve"][..], &["serve", "--port", "1"], &["user", "add"]] {
        let refused = deployment.command(arguments).run().exited(2);
        assert_ne!(refused.stderr, "");
        assert_eq!(refused.stdout, "");
    }
    deployment
        .command(&["--help"])
        .run()
        .exited(0)
        .says(&["serve", "login"]);
    deployment
        .command(&["--version"])
        .run()
        .exited(0)
        .says(&[env!("CARGO_PKG_VERSION")]);
}
