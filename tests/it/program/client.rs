//! `doorcode client add`.

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
    let deployment = Deployment::new();
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
            .command(&["client", "add"])
            .args(arguments)
            .run()
            .exited(1)
            .complains(&[words]);
    }
    assert_eq!(deployment.database.count("client", "1 = 1"), 1);
}
