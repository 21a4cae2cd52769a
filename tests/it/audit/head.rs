//! The head of the log outside the database, and the server that refuses to serve an old copy.

use super::{add_records, go_back_to, sound, verify};
use crate::support::browser::Browser;
use crate::support::deployment::Deployment;
use crate::support::{API, CLI, OPERATOR, TestApp, http};
use doorcode::app::audit::recover::{self, Revoking};
use doorcode::app::heartbeat::Heart;
use doorcode::app::user::Named;
use doorcode::app::{Error, Request, audit, sweep};
use doorcode::domain::audit::discrepancy::Kind;
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// Checkpoints are so rare that only the head shows what happened since.
const RARELY: &str = "[audit]\ncheckpoint_records = 1000\ncheckpoint_every = \"24h\"";

async fn act(test: &TestApp) {
    test.device("tokens:read").await;
    test.settle().await;
}

fn last_sequence(test: &TestApp) -> u64 {
    let head = test.database.text("SELECT sequence FROM audit_head");
    head.parse().unwrap()
}

/// Status of a request to each surface: introspection, `/auth/verify`, the API, the start and the
/// end of a device grant, and sign-in.
async fn statuses(test: &TestApp, token: &str) -> Vec<u16> {
    let anon = test.anon();
    let post = |path: &str| anon.post(test.at(path));
    let sent = [
        post("/auth/introspect")
            .basic_auth(API, Some(&test.api_secret))
            .form(&[("token", token)]),
        post("/auth/introspect")
            .bearer_auth(OPERATOR)
            .form(&[("token", token)]),
        anon.get(test.at("/auth/verify?scope=tokens:read"))
            .bearer_auth(token),
        anon.get(test.at("/v1/me")).bearer_auth(token),
        anon.get(test.at("/v1/audit")).bearer_auth(OPERATOR),
        post("/auth/device").form(&[("client_id", CLI)]),
        anon.get(test.at("/login")),
    ];
    let answers = join_all(sent.map(|request| async {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let retry = answer.headers().get("retry-after").cloned();
        assert_eq!(retry.is_some(), status == 503, "{status}");
        let body = answer.text().await.unwrap();
        let is_explained =
            body.contains("operator has to check") || body.contains("operator has checked");
        assert!(is_explained || status != 503, "{body}");
        status
    }));
    answers.await
}

/// Response of `/readyz`.
async fn ready(url: &str) -> (u16, String) {
    let answer = http().get(format!("{url}/readyz")).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn metric(test: &TestApp) -> String {
    let text = test.anon().get(test.at("/metrics")).send().await.unwrap();
    let text = text.text().await.unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("doorcode_audit_contradicted "));
    line.unwrap().to_owned()
}

/// An attacker with write access to the database removes the records of a token since the last
/// checkpoint.
#[actix_web::test]
async fn records_cut_since_the_last_checkpoint_are_found() {
    let test = TestApp::with(RARELY).await;
    test.settle().await;
    act(&test).await;
    let place = last_sequence(&test);
    test.clock.advance(60);
    let token = test.token(&["tokens:read"]).await;
    test.settle().await;
    let end = last_sequence(&test);
    assert_eq!(metric(&test).await, "0");
    assert_eq!(ready(&test.url).await.0, 200);

    go_back_to(&test, place);
    let discrepancy = verify(&test).await.report.first_discrepancy.unwrap();
    assert_eq!(
        (discrepancy.kind, discrepancy.sequence),
        (Kind::Cut, place + 1)
    );
    let said = format!("covers {end} records; those after {place} are missing");
    assert!(discrepancy.says.contains(&said), "{discrepancy:?}");

    test.settle().await;
    assert_eq!(statuses(&test, &token).await, [503; 7]);
    let (status, body) = ready(&test.url).await;
    assert_eq!(status, 503);
    assert!(body.contains("audit"), "{body}");
    assert_eq!(metric(&test).await, "1");
    let alive = test.anon().get(test.at("/healthz")).send().await.unwrap();
    assert_eq!(alive.status(), 200);

    let recovered = recover::recover(&Request::local(&test.app, None), Revoking::Since).await;
    assert_eq!(recovered.unwrap().revoked, 1);
    test.settle().await;
    assert_eq!(test.introspect(&token).await["active"], false);
    let token = test.token(&["tokens:read"]).await;
    assert_eq!(
        statuses(&test, &token).await,
        [200, 200, 204, 200, 200, 200, 200]
    );
    assert_eq!(metric(&test).await, "0");
    assert_eq!(ready(&test.url).await.0, 200);
    sound(&verify(&test).await);
}

/// B11: a revoked token is active again in an old copy, which no server may serve.
#[actix_web::test]
async fn old_copy_is_refused_at_the_start() {
    let test = TestApp::with(RARELY).await;
    let token = test.token(&["tokens:read"]).await;
    test.settle().await;
    let place = last_sequence(&test);
    let revoked = test
        .anon()
        .post(test.at("/auth/revoke"))
        .form(&[("client_id", CLI), ("token", &token)]);
    assert_eq!(revoked.send().await.unwrap().status(), 200);
    test.settle().await;

    go_back_to(&test, place);
    test.database
        .execute("UPDATE token SET revoked_at = NULL, revoked_by = NULL, revoked_reason = NULL");
    let second = test.second_server(RARELY).await;
    let discrepancy = audit::inspect(&second.app).await.unwrap().unwrap();
    assert_eq!(discrepancy.kind, Kind::Cut);
    assert_eq!(statuses(&second, &token).await, [503; 7]);
    assert_eq!(ready(&second.url).await.0, 503);

    // A copy that got new records is another log than the right one.
    test.device("tokens:read").await;
    second.settle().await;
    let discrepancy = audit::inspect(&second.app).await.unwrap().unwrap();
    assert_eq!(discrepancy.kind, Kind::Forked);
    let recovered = recover::recover(&Request::local(&second.app, None), Revoking::All).await;
    assert_eq!(recovered.unwrap().revoked, 1);
    second.settle().await;
    assert_eq!(second.introspect(&token).await["active"], false);
}

/// The server serves again without a restart once the right database is back.
#[actix_web::test]
async fn right_database_ends_the_refusal() {
    let test = TestApp::with(RARELY).await;
    act(&test).await;
    let kept = std::fs::read_to_string(test.path("audit_key.seen")).unwrap();
    act(&test).await;
    let token = test.token(&["tokens:read"]).await;
    test.settle().await;
    let head = || test.database.text("SELECT hash FROM audit_head");
    let right = head();
    let wrong = "0".repeat(64);
    let set = |hash: &str| {
        test.database
            .execute(&format!("UPDATE audit_head SET hash = '{hash}'"));
    };
    let end = last_sequence(&test);
    test.database.disarm();
    let set_record = |hash: &str| {
        test.database.execute(&format!(
            "UPDATE audit_record SET hash = '{hash}' WHERE sequence = {end}"
        ));
    };
    set(&wrong);
    set_record(&wrong);
    test.settle().await;
    assert_eq!(statuses(&test, &token).await, [503; 7]);
    let refused = test.app.require_sound_log();
    assert!(matches!(refused, Err(Error::Contradicted)), "{refused:?}");
    let file = std::fs::read_to_string(test.path("audit_key.seen")).unwrap();
    set(&right);
    set_record(&right);
    test.settle().await;
    assert_eq!(test.me(&token).await.status(), 200);
    // The head of the wrong log was not kept, and that of the right one was.
    assert_ne!(file, kept);
    assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
}

/// A crash between a seal and the write of its head, also before records were pruned; an erasure.
#[actix_web::test]
async fn older_head_is_no_contradiction() {
    let settings = "[audit]\nkeep_records = \"90d\"\ncheckpoint_records = 3";
    let test = TestApp::with(settings).await;
    let file = test.path("audit_key.seen");
    act(&test).await;
    let first = std::fs::read_to_string(&file).unwrap();
    for _ in 0..4 {
        act(&test).await;
        std::fs::write(&file, &first).unwrap();
        test.settle().await;
        sound(&verify(&test).await);
        assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
    }
    test.clock.advance(100 * 86_400);
    for _ in 0..4 {
        act(&test).await;
    }
    sweep::forget_old(&test.app).await.unwrap();
    assert_eq!(test.events("audit.pruned"), 1);
    for place in [None, Some(&first)] {
        if let Some(old) = place {
            std::fs::write(&file, old).unwrap();
        }
        test.settle().await;
        assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
        assert_eq!(ready(&test.url).await.0, 200);
    }
    let named = Named::Email(crate::support::EMAIL.to_owned());
    let request = Request::local(&test.app, None);
    audit::retain::erase(&request, named).await.unwrap();
    test.settle().await;
    assert_eq!(audit::inspect(&test.app).await.unwrap(), None);
    sound(&verify(&test).await);
}

/// Adds records, and seals, signs and compares the log as a server does.
fn settle_often(server: &TestApp) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for _ in 0..60 {
            add_records(server, 1);
            // Shipping may fail while another server writes the file; the comparison may not.
            sweep::settle(&server.app).await;
            assert_eq!(audit::inspect(&server.app).await.unwrap(), None);
            assert!(server.app.require_sound_log().is_ok());
        }
    });
}

/// Servers with and without a shared local state seal, sign and keep heads at the same time.
#[actix_web::test]
async fn concurrent_servers_never_contradict_each_other() {
    let settings = "[audit]\ncheckpoint_records = 2\nship_to = \"{directory}/shipped\"";
    let one = TestApp::with(settings).await;
    let shared = one.second_server(settings).await;
    let apart = format!("{settings}\nsigning_key_file = \"{{directory}}/other_key\"");
    let apart = one.second_server(&apart).await;
    let servers = [&one, &shared, &apart];
    // Each server has a thread of its own, as separate processes do.
    std::thread::scope(|scope| {
        for server in servers {
            scope.spawn(|| settle_often(server));
        }
    });
    for server in servers {
        server.settle().await;
        sound(&verify(server).await);
        // The threads kept the heart of this server from beating.
        Heart::new(&server.app).beat().await;
        assert_eq!(ready(&server.url).await.0, 200);
    }
}

/// Servers with files of their own each keep what they saw, so each is recovered.
#[actix_web::test]
async fn each_server_refuses_until_it_is_recovered() {
    let one = TestApp::with(RARELY).await;
    let own = "signing_key_file = \"{directory}/other_key\"
        checkpoint_to = \"{directory}/other_checkpoints\"";
    let other = one.second_server(&format!("{RARELY}\n{own}")).await;
    one.settle().await;
    other.settle().await;
    let place = last_sequence(&one);
    let token = one.token(&["tokens:read"]).await;
    one.settle().await;
    other.settle().await;
    go_back_to(&one, place);
    for server in [&one, &other] {
        server.settle().await;
        assert_eq!(ready(&server.url).await.0, 503);
    }
    let recover = async |server: &TestApp, revoking| {
        let recovered = recover::recover(&Request::local(&server.app, None), revoking).await;
        server.settle().await;
        recovered.unwrap().revoked
    };
    assert_eq!(recover(&one, Revoking::All).await, 1);
    other.settle().await;
    assert_eq!(ready(&one.url).await.0, 200);
    assert_eq!(ready(&other.url).await.0, 503);
    let new = one.token(&["tokens:read"]).await;
    assert_eq!(recover(&other, Revoking::Nothing).await, 0);
    for server in [&one, &other, &one] {
        server.settle().await;
        assert_eq!(ready(&server.url).await.0, 200);
        assert_eq!(server.introspect(&token).await["active"], false);
        assert_eq!(server.introspect(&new).await["active"], true);
        sound(&verify(server).await);
    }
}

/// The last sequence number in the checkpoint file or the local state of a deployment.
fn covered(deployment: &Deployment, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(deployment.path(name)).ok()?;
    // Line 2 of each note is the sequence number; the signature lines follow a blank line.
    let notes = text.split("\n\n").filter_map(|part| {
        let mut lines = part.trim_start().lines();
        lines.next()?.starts_with("doorcode-").then_some(())?;
        lines.next()?.parse().ok()
    });
    notes.max()
}

/// Waits until the running server answers like this.
async fn until_ready(deployment: &Deployment, status: u16) -> String {
    let since = Instant::now();
    loop {
        let (found, body) = ready(&deployment.url).await;
        if found == status {
            return body;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "{found}: {body}");
    }
}

/// The whole story with the program: a stop signs a checkpoint, the start and the running server
/// find what was cut, and the recovery takes effect without a restart.
#[actix_web::test]
async fn program_finds_cut_records_until_the_operator_recovers() {
    let deployment = Deployment::with_user();
    let server = deployment.start();
    let mut browser = deployment.user().await;
    let token = browser.new_token("laptop", &["orgs:read"], "90d").await;
    server.signal("TERM");
    server.finish().exited(0);
    let sequence = || -> u64 {
        let text = deployment.database.text("SELECT sequence FROM audit_head");
        text.parse().unwrap()
    };
    let end = sequence();
    for file in ["data/audit_checkpoints", "data/audit_key.seen"] {
        assert_eq!(covered(&deployment, file), Some(end), "{file}");
    }

    let server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 200);
    deployment.command(&["audit", "verify"]).run().exited(0);
    deployment.database.disarm();
    let place = end - 1;
    deployment.database.execute(&format!(
        "DELETE FROM audit_record WHERE sequence > {place};
         DELETE FROM audit_checkpoint WHERE sequence > {place};
         UPDATE audit_head SET sequence = {place},
             hash = (SELECT hash FROM audit_record WHERE sequence = {place})"
    ));
    let body = until_ready(&deployment, 503).await;
    assert!(body.contains("audit"), "{body}");
    let me = http().get(deployment.at("/v1/me")).bearer_auth(&token);
    assert_eq!(me.send().await.unwrap().status(), 503);
    server.signal("TERM");
    let finished = server.finish().exited(0).complains(&[
        "the audit log contradicts its signed checkpoints",
        "restore the right one",
        "audit recover --revoke all",
    ]);
    let told = finished.stderr.matches("contradicts its signed").count();
    assert_eq!(told, 1, "{finished:?}");
    deployment
        .command(&["audit", "verify"])
        .run()
        .exited(1)
        .complains(&["the audit log has a discrepancy at record"]);

    let _server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 503);
    assert_eq!(deployment.status("/login").await, 503);
    deployment
        .command(&["audit", "recover", "--revoke", "all"])
        .run()
        .exited(0)
        .says(&["Tokens revoked: 1."]);
    until_ready(&deployment, 200).await;
    let me = http().get(deployment.at("/v1/me")).bearer_auth(&token);
    assert_eq!(me.send().await.unwrap().status(), 401);
    let mut browser = Browser::new(&deployment.url);
    browser
        .sign_in(crate::support::EMAIL, crate::support::PASSWORD)
        .await;
    deployment.command(&["audit", "verify"]).run().exited(0);
}
