//! The end of a client's secret, and of a client: `doorcode client rotate-secret` and `remove`.

use crate::support::database::AUDIT;
use crate::support::deployment::Deployment;
use crate::support::device::{Answer, Device};
use crate::support::http;
use crate::support::program::Finished;

/// A leaked secret of an API is replaced while the API runs.
#[actix_web::test]
async fn secret_is_rotated_with_an_overlap() {
    let deployment = Deployment::with_user();
    let _server = deployment.start();
    let secret_of = |finished: &Finished| {
        let mut lines = finished.stdout.lines();
        let secret = lines.find_map(|line| line.strip_prefix("client_secret:"));
        secret.unwrap().trim().to_owned()
    };
    let added = deployment
        .command(&["client", "add", "--id", "api", "--name", "The API"])
        .args(&["--confidential"])
        .run()
        .exited(0);
    let rotate = |overlap: &str| {
        deployment
            .command(&["client", "rotate-secret", "--id", "api"])
            .args(&["--overlap", overlap])
            .run()
            .exited(0)
    };
    let introspect = async |secret: &str| {
        let request = http().post(deployment.at("/auth/introspect"));
        let request = request.basic_auth("api", Some(secret));
        let sent = request.form(&[("token", "dc_0")]).send().await;
        sent.unwrap().status().as_u16()
    };
    let first = secret_of(&added);
    let second = rotate("24h").says(&["The old secret stays valid until "]);
    let second = secret_of(&second);
    assert_eq!(
        [introspect(&first).await, introspect(&second).await],
        [200, 200]
    );
    // The oldest one ends, and so does one after its overlap.
    let third = secret_of(&rotate("1s"));
    assert_eq!(
        [introspect(&first).await, introspect(&third).await],
        [401, 200]
    );
    let ended = "UPDATE client SET previous_secret_ends_at = '2020-01-01 00:00:00' \
                 WHERE id = 'api'";
    deployment.database.execute(ended);
    assert_eq!(introspect(&second).await, 401);
    let fourth = rotate("0").says(&["The old secret has ended."]);
    assert_eq!(introspect(&third).await, 401);
    assert_eq!(introspect(&secret_of(&fourth)).await, 200);
    let dump = deployment.database.dump();
    assert!(
        ![first, second, third]
            .iter()
            .any(|secret| dump.contains(secret))
    );
    let rotated = "action = 'client.secret_rotated' AND target = 'api'";
    assert_eq!(deployment.database.count(AUDIT, rotated), 3);
    deployment
        .command(&["client", "rotate-secret", "--id", "doorcode-cli"])
        .run()
        .exited(1)
        .complains(&["A public client has no secret."]);
}

/// A removed client gets no more codes and tokens, those that it has end, and the operator is asked
/// first. Other clients go on, and the id can be registered again.
#[actix_web::test]
async fn removed_client_loses_its_codes_and_tokens() {
    let deployment = Deployment::with_user();
    let _server = deployment.start();
    let add = |id: &str| {
        deployment
            .command(&[
                "client",
                "add",
                "--id",
                id,
                "--name",
                "Acme",
                "--all-scopes",
            ])
            .run()
            .exited(0);
    };
    add("acme-cli");
    add("other-cli");
    let mut browser = deployment.user().await;
    let post = async |path: &str, form: &[(&str, &str)]| {
        let request = http().post(deployment.at(path)).form(form);
        Answer::of(request.send().await.unwrap()).await
    };
    let device = async |id: &str| Device::of(&post("/auth/device", &[("client_id", id)]).await);
    let poll =
        async |device: &Device, id: &str| post("/auth/device/token", &device.poll_form(id)).await;
    let me = async |token: &str| {
        let request = http().get(deployment.at("/v1/me")).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    };
    let mut tokens = Vec::new();
    for id in ["acme-cli", "other-cli"] {
        let device = device(id).await;
        browser.approve(&device.user_code, &["orgs:read"]).await;
        tokens.push(poll(&device, id).await.token());
    }
    let (approved, pending) = (device("acme-cli").await, device("acme-cli").await);
    browser.approve(&approved.user_code, &["orgs:read"]).await;

    let remove = |arguments: &[&str]| {
        let command = deployment.command(&["client", "remove", "--id", "acme-cli"]);
        command.args(arguments).run()
    };
    remove(&[]).exited(1).complains(&[
        "Removing Acme (acme-cli) ends its device codes.",
        "The active token that it obtained is revoked. Add --yes to continue.",
    ]);
    assert_eq!(me(&tokens[0]).await, 200);
    remove(&["--yes"])
        .exited(0)
        .says(&["acme-cli is removed. Tokens revoked: 1."]);
    assert_eq!([me(&tokens[0]).await, me(&tokens[1]).await], [401, 200]);
    for device in [&approved, &pending] {
        assert_eq!(poll(device, "acme-cli").await.error(), "invalid_client");
    }
    let refused = post("/auth/device", &[("client_id", "acme-cli")]).await;
    assert_eq!(refused.error(), "invalid_client");
    let page = browser
        .get(&format!("/device?user_code={}", pending.user_code))
        .await;
    assert!(page.field("ticket").is_none(), "{}", page.body);
    let removed = "action = 'client.removed' AND target = 'acme-cli'";
    assert_eq!(deployment.database.count(AUDIT, removed), 1);
    // The revoked token stays listed.
    assert_eq!(
        deployment.database.count("token", "client_id = 'acme-cli'"),
        1
    );

    add("acme-cli");
    for device in [&approved, &pending] {
        assert_eq!(poll(device, "acme-cli").await.error(), "access_denied");
    }
    assert_eq!(me(&tokens[0]).await, 401);
    let again = device("acme-cli").await;
    browser.approve(&again.user_code, &["orgs:read"]).await;
    assert_eq!(me(&poll(&again, "acme-cli").await.token()).await, 200);
    deployment.command(&["audit", "verify"]).run().exited(0);
}
