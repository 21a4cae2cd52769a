//! `doorcode operator rotate`.

use crate::support::database::AUDIT;
use crate::support::deployment::{Deployment, mode};
use crate::support::http;

async fn introspects(deployment: &Deployment, token: &str) -> u16 {
    let request = http()
        .post(deployment.at("/auth/introspect"))
        .bearer_auth(token)
        .form(&[("token", "dc_0")]);
    request.send().await.unwrap().status().as_u16()
}

/// The operator token, as a script reads it.
fn token(deployment: &Deployment) -> String {
    let text = std::fs::read_to_string(deployment.path("data/operator_token")).unwrap();
    assert_eq!(text.lines().count(), 1);
    text.trim().to_owned()
}

/// PAT-23, OPR-03, SEEDS A.1, A.15, A.16, A.18, A.19, A.22: without a restart.
#[actix_web::test]
async fn running_server_accepts_the_new_token_immediately() {
    let deployment = Deployment::new().set("DOORCODE__AUDIT__CHECKPOINT_TO", "off");
    let server = deployment.start();
    let first = token(&deployment);
    assert_eq!(introspects(&deployment, &first).await, 200);

    let rotated = deployment
        .command(&["operator", "rotate"])
        .run()
        .exited(0)
        .says(&[
            "The new operator token is in data/operator_token",
            "`cat data/operator_token`",
            "The old token stays valid until ",
        ]);
    let second = token(&deployment);
    assert_ne!(first, second);
    assert_eq!(introspects(&deployment, &second).await, 200);
    assert_eq!(introspects(&deployment, &first).await, 200);
    for file in ["data/operator_token", "data/operator_token.previous"] {
        assert_eq!(mode(&deployment.path(file)), 0o600);
    }

    let at_once = deployment
        .command(&["operator", "rotate", "--overlap", "0"])
        .run()
        .exited(0)
        .says(&[
            "The old token has ended.",
            "The token before it, valid until ",
        ]);
    let third = token(&deployment);
    assert_eq!(introspects(&deployment, &third).await, 200);
    for ended in [&first, &second] {
        assert_eq!(introspects(&deployment, ended).await, 401);
    }
    let left = std::fs::read_dir(deployment.path("data")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(
        left,
        [
            "audit_key",
            "audit_key.seen",
            "operator_token",
            "secret_key"
        ]
    );
    let records = "action = 'operator.token_rotated' AND actor_kind = 'operator'";
    assert_eq!(deployment.database.count(AUDIT, records), 2);

    server.signal("TERM");
    let server = server.finish().exited(0);
    for output in [rotated, at_once, server] {
        for token in [&first, &second, &third] {
            assert!(
                !format!("{output:?}").contains(token.as_str()),
                "{output:?}"
            );
        }
    }
}

/// A token set in the environment is replaced there, with both tokens valid in between.
#[actix_web::test]
async fn token_in_the_environment_is_replaced_with_two_variables() {
    let old = "q7Rm2xKd90vLs4Tz8bWn1cYh6fJp3gAe";
    let new = "Zt5Hw8Qb3Nc6Xk1Vy9Gd2Mf7Lp4Rs0Ja";
    let deployment = Deployment::migrated().set("DOORCODE_OPERATOR_TOKEN", old);
    let refused = deployment
        .command(&["operator", "rotate"])
        .run()
        .exited(1)
        .complains(&[
            "DOORCODE_OPERATOR_TOKEN: the operator token comes from this variable",
            "the old one in DOORCODE_OPERATOR_TOKEN_PREVIOUS",
        ]);
    assert!(!refused.stderr.contains(old));
    assert!(!deployment.path("data/operator_token").exists());

    let deployment = deployment
        .set("DOORCODE_OPERATOR_TOKEN", new)
        .set("DOORCODE_OPERATOR_TOKEN_PREVIOUS", old);
    let _server = deployment.start();
    assert_eq!(introspects(&deployment, old).await, 200);
    assert_eq!(introspects(&deployment, new).await, 200);
    assert_eq!(introspects(&deployment, &new.to_lowercase()).await, 401);
}

/// PAT-23.
#[test]
fn weak_or_lone_previous_token_is_rejected() {
    let deployment = Deployment::new();
    let serve = || deployment.command(&["serve"]);
    serve()
        .env(
            "DOORCODE_OPERATOR_TOKEN",
            "q7Rm2xKd90vLs4Tz8bWn1cYh6fJp3gAe",
        )
        .env("DOORCODE_OPERATOR_TOKEN_PREVIOUS", "changeme")
        .run()
        .exited(1)
        .complains(&["DOORCODE_OPERATOR_TOKEN_PREVIOUS: the operator token can be guessed"]);
    serve()
        .env(
            "DOORCODE_OPERATOR_TOKEN_PREVIOUS",
            "q7Rm2xKd90vLs4Tz8bWn1cYh6fJp3gAe",
        )
        .run()
        .exited(1)
        .complains(&["DOORCODE_OPERATOR_TOKEN_PREVIOUS: holds the previous token"]);
    deployment.write("data/operator_token", "q7Rm2xKd90vLs4Tz8bWn1cYh6fJp3gAe\n");
    for garbled in [
        "",
        "Zt5Hw8Qb3Nc6Xk1Vy9Gd2Mf7Lp4Rs0Ja\n",
        "Zt5Hw8\ntomorrow\n",
    ] {
        deployment.write("data/operator_token.previous", garbled);
        serve()
            .run()
            .exited(1)
            .complains(&["data/operator_token.previous: must contain the previous operator token"]);
    }
}

/// A rejected rotation changes nothing.
#[test]
fn rejected_rotation_keeps_the_token() {
    let deployment = Deployment::new();
    deployment.command(&["migrate"]).run().exited(0);
    let token = "q7Rm2xKd90vLs4Tz8bWn1cYh6fJp3gAe\n";
    let path = deployment.write("data/operator_token", token);
    for overlap in ["31d", "soon", "-1h", ""] {
        deployment
            .command(&["operator", "rotate", &format!("--overlap={overlap}")])
            .run()
            .exited(2)
            .complains(&["write 0 or a duration of at most 30d"]);
    }
    deployment
        .command(&["operator", "rotate"])
        .env("DOORCODE__OPERATOR__ENABLED", "false")
        .run()
        .exited(1)
        .complains(&["operator.enabled: is false"]);
    deployment
        .command(&["operator", "rotate"])
        .env("DOORCODE__DATABASE__URL", "postgres://127.0.0.1:1/doorcode")
        .run()
        .exited(1)
        .complains(&["the database cannot be reached"]);
    assert_eq!(std::fs::read_to_string(path).unwrap(), token);
    assert!(!deployment.path("data/operator_token.previous").exists());
    let records = "action = 'operator.token_rotated'";
    assert_eq!(deployment.database.count(AUDIT, records), 0);
}

/// SEEDS A.1, A.18 to A.20: shown to its owner, rotated with a checklist, and its uses reviewed.
#[actix_web::test]
async fn operator_token_is_shown_rotated_and_reviewed() {
    let deployment = Deployment::new();
    let server = deployment.start();
    let first = token(&deployment);
    let shown = deployment.command(&["operator", "show"]).run().exited(0);
    assert_eq!(shown.stdout, format!("{first}\n"));
    shown.complains(&["Keep it in a secret manager"]);
    let none = deployment.command(&["audit", "uses"]).run().exited(0);
    none.says(&["No use of operator is recorded."]);

    let status = http().get(deployment.at("/v1/status")).bearer_auth(&first);
    assert_eq!(status.send().await.unwrap().status(), 200);
    deployment
        .command(&["operator", "rotate", "--overlap", "0"])
        .run()
        .exited(0)
        .says(&[
            "What to do next:",
            "Give the new token to every client",
            "Delete old copies from scripts, CI variables and logs, and chat history",
            "audit uses`",
        ]);
    let second = deployment.command(&["operator", "show"]).run().exited(0);
    assert_eq!(second.stdout, format!("{}\n", token(&deployment)));
    assert_ne!(second.stdout.trim(), first);
    server.signal("TERM");
    server.finish().exited(0);

    let uses = deployment.command(&["audit", "uses"]).run().exited(0);
    let uses = uses.says(&["allowed", "127.0.0.1", "GET /v1/status"]);
    assert_eq!(uses.stdout.lines().count(), 1);
    let json = deployment.command(&["audit", "uses", "--json", "--limit", "1"]);
    assert_eq!(json.run().exited(0).json()["route"], "GET /v1/status");
    deployment
        .command(&["audit", "uses", "--token", "tok_none"])
        .run()
        .exited(0)
        .says(&["No use of tok_none is recorded."]);
}
