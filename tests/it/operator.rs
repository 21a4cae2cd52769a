//! The operator token: its rotation, and the networks that it is accepted from.

use crate::support::clock::{ManualClock, SeededEntropy};
use crate::support::database::AUDIT;
use crate::support::ground::Ground;
use crate::support::{OPERATOR, TestApp, log};
use doorcode::app::deployment::Secrets;
use doorcode::app::operator::{self, Rotation, RotationError};
use doorcode::app::{App, Context};
use doorcode::config::Config;
use doorcode::domain::secret::Secret;
use doorcode::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Several servers without an HTTP interface that share the operator token file.
struct Shared {
    ground: Ground,
    clock: Arc<ManualClock>,
    entropy: Arc<SeededEntropy>,
}

impl Shared {
    fn new() -> Self {
        Self {
            ground: Ground::new(None),
            clock: Arc::default(),
            entropy: Arc::default(),
        }
    }

    fn file(&self) -> PathBuf {
        self.ground.path("operator_token")
    }

    fn previous(&self) -> PathBuf {
        self.ground.path("operator_token.previous")
    }

    /// The current token, as a script reads it.
    fn token(&self) -> String {
        let text = std::fs::read_to_string(self.file()).unwrap();
        self.ground.canaries.add(text.trim());
        text.trim().to_owned()
    }

    fn server(&self) -> App {
        log::capture();
        let path = |name: &str| self.ground.path(name).display().to_string();
        let env = [
            ("DOORCODE__DATABASE__URL", self.ground.database.url.clone()),
            ("DOORCODE__SERVER__SECRET_KEY_FILE", path("secret_key")),
            ("DOORCODE__AUDIT__SIGNING_KEY_FILE", path("audit_key")),
            ("DOORCODE__AUDIT__CHECKPOINT_TO", "off".to_owned()),
            ("DOORCODE__OPERATOR__TOKEN_FILE", path("operator_token")),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value));
        let empty = tempfile::NamedTempFile::new().unwrap();
        let config = Config::load(Some(empty.path()), env).unwrap();
        let secrets = Secrets::load(&config, self.entropy.as_ref(), |_| None).unwrap();
        let store = Store::open(&config.database.url).unwrap();
        store.migrate().unwrap();
        let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
        App::new(config, store, secrets, clock, entropy).unwrap()
    }
}

async fn knows(app: &App, token: &str) -> bool {
    operator::is_operator(app, &Context::local(), &Secret::new(token)).await
}

async fn rotate(app: &App, overlap: Duration) -> Rotation {
    let rotated = operator::rotate(app, &Context::local(), overlap).await;
    rotated.unwrap()
}

/// PAT-23, OPR-03: every running server accepts the new token immediately, and rejects the old
/// one after the overlap.
#[actix_web::test]
async fn two_tokens_are_valid_until_the_overlap_ends() {
    let shared = Shared::new();
    let servers = [shared.server(), shared.server()];
    let first = shared.token();
    for server in &servers {
        assert!(knows(server, &first).await);
    }
    let rotation = rotate(&servers[0], DAY).await;
    assert_eq!(rotation.token_file, shared.file());
    assert!(rotation.cut_short.is_none());
    let second = shared.token();
    assert_ne!(first, second);
    for server in &servers {
        assert!(knows(server, &second).await);
        assert!(knows(server, &first).await);
        assert!(!knows(server, &first[..first.len() - 1]).await);
    }

    shared.clock.advance(24 * 60 * 60 - 1);
    assert!(knows(&servers[1], &first).await);
    shared.clock.advance(1);
    for server in servers.iter().chain([&shared.server()]) {
        assert!(!knows(server, &first).await);
        assert!(knows(server, &second).await);
    }
    let records = "action = 'operator.token_rotated' AND actor_kind = 'operator' \
                   AND detail LIKE '%86400%'";
    assert_eq!(shared.ground.database.count(AUDIT, records), 1);
}

/// SEEDS A.15, A.16, A.19, A.22.
#[actix_web::test]
async fn without_an_overlap_all_older_tokens_end_immediately() {
    let shared = Shared::new();
    let (server, other) = (shared.server(), shared.server());
    let first = shared.token();
    let end = rotate(&server, DAY).await.previous_ends_at;
    let second = shared.token();
    let rotation = rotate(&server, DAY).await;
    assert!(end.is_some() && rotation.cut_short == end);
    let third = shared.token();
    for app in [&server, &other] {
        assert!(!knows(app, &first).await);
        assert!(knows(app, &second).await && knows(app, &third).await);
    }
    let rotation = rotate(&server, Duration::ZERO).await;
    assert!(rotation.previous_ends_at.is_none() && rotation.cut_short.is_some());
    assert!(!shared.previous().exists());
    let fourth = shared.token();
    for app in [&server, &other, &shared.server()] {
        assert!(!knows(app, &second).await && !knows(app, &third).await);
        assert!(knows(app, &fourth).await);
    }
    assert!(rotate(&server, DAY).await.cut_short.is_none());
}

/// A rotation killed between its two steps leaves the current token valid permanently.
#[actix_web::test]
async fn incomplete_rotation_has_no_effect() {
    let shared = Shared::new();
    let server = shared.server();
    let first = shared.token();
    rotate(&server, DAY).await;
    let second = shared.token();
    // The output of the first step, and a temporary file left by a killed command.
    let half = format!("{second}\n2026-11-23T12:00:00.000Z\n");
    std::fs::write(shared.previous(), half).unwrap();
    std::fs::write(shared.ground.path("operator_token.77.new"), "dc_").unwrap();
    shared.clock.advance(3 * 24 * 60 * 60);
    for server in [&server, &shared.server()] {
        assert!(knows(server, &second).await);
        assert!(!knows(server, &first).await);
    }
    rotate(&server, DAY).await;
    assert!(knows(&server, &second).await && knows(&server, &shared.token()).await);
}

#[actix_web::test]
async fn concurrent_rotation_is_rejected() {
    let shared = Shared::new();
    let server = shared.server();
    let first = shared.token();
    let other = std::fs::File::open(shared.ground.directory.path()).unwrap();
    other.lock().unwrap();
    let refused = operator::rotate(&server, &Context::local(), DAY).await;
    let Err(RotationError::Secrets(error)) = refused else {
        panic!("{refused:?}");
    };
    assert!(error.to_string().contains("another command is replacing"));
    assert_eq!(shared.token(), first);
    drop(other);
    rotate(&server, DAY).await;
    assert_ne!(shared.token(), first);
}

/// The directory of secrets may be a link.
#[actix_web::test]
async fn token_file_behind_a_link_is_replaced_at_its_target() {
    let shared = Shared::new();
    let server = shared.server();
    let first = shared.token();
    let elsewhere = tempfile::tempdir().unwrap();
    let kept = elsewhere.path().join("kept");
    std::fs::rename(shared.file(), &kept).unwrap();
    std::os::unix::fs::symlink(&kept, shared.file()).unwrap();
    assert!(knows(&server, &first).await);
    rotate(&server, DAY).await;
    assert!(shared.file().is_symlink() && !kept.is_symlink());
    assert_ne!(shared.token(), first);
    assert!(knows(&server, &first).await && knows(&server, &shared.token()).await);
}

/// CFG-01, PAT-23: a token rejected at start-up is also rejected later.
#[actix_web::test]
async fn unusable_token_files_reject_every_token_until_fixed() {
    use std::os::unix::fs::PermissionsExt;
    let shared = Shared::new();
    let server = shared.server();
    let first = shared.token();
    let allow = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(shared.file(), permissions).unwrap();
    };
    allow(0o644);
    assert!(!knows(&server, &first).await);
    allow(0o600);
    assert!(knows(&server, &first).await);

    std::fs::write(shared.file(), "changeme\n").unwrap();
    assert!(!knows(&server, "changeme").await);
    assert!(!knows(&server, &first).await);
    let by_hand = "Vb3-9xQe.7Lm_2Tz~5Kp+8Rw/1Yd=4Hs6Nc";
    std::fs::write(shared.file(), format!("{by_hand}\n")).unwrap();
    assert!(knows(&server, by_hand).await);
    assert!(!knows(&server, &first).await);

    std::fs::write(shared.previous(), "dc_\n").unwrap();
    std::fs::set_permissions(shared.previous(), PermissionsExt::from_mode(0o600)).unwrap();
    assert!(!knows(&server, by_hand).await);
    let refused = operator::rotate(&server, &Context::local(), DAY).await;
    let Err(RotationError::Secrets(error)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        error
            .to_string()
            .contains("operator_token.previous: must contain")
    );
    std::fs::remove_file(shared.previous()).unwrap();
    assert!(knows(&server, by_hand).await);

    std::fs::remove_file(shared.file()).unwrap();
    assert!(!knows(&server, by_hand).await);
    assert_eq!(
        shared
            .ground
            .database
            .count(AUDIT, "action LIKE 'operator.%'"),
        0
    );
}

async fn introspects(test: &TestApp, from: &str) -> reqwest::Response {
    let request = test
        .anon()
        .post(test.at("/auth/introspect"))
        .bearer_auth(OPERATOR)
        .header("x-forwarded-for", from.as_bytes())
        .form(&[("token", "dc_0")]);
    request.send().await.unwrap()
}

/// OPR-03, SEEDS A.17, A.21: elsewhere the correct token is rejected as a wrong one and recorded.
#[actix_web::test]
async fn token_from_another_network_is_rejected_like_a_wrong_one() {
    let test = TestApp::with(
        "[server]\ntrusted_proxies = [\"127.0.0.1\"]\n\
         [operator]\nnetworks = [\"10.0.0.0/8\", \"2001:db8::/32\"]",
    )
    .await;
    for address in ["10.1.2.3", "2001:db8::7", "::ffff:10.9.9.9"] {
        assert_eq!(introspects(&test, address).await.status(), 200, "{address}");
    }
    assert_eq!(test.events("operator.refused"), 0);

    let wrong = test
        .anon()
        .post(test.at("/auth/introspect"))
        .bearer_auth("dc_f123456789abcdef0123456789abcdef0123456789abcdef")
        .form(&[("token", "dc_0")]);
    let wrong = wrong.send().await.unwrap();
    let challenge = wrong.headers()["www-authenticate"].clone();
    let wrong = (wrong.status(), wrong.text().await.unwrap());
    for _ in 0..3 {
        let refused = introspects(&test, "203.0.113.9").await;
        assert_eq!(refused.headers()["www-authenticate"], challenge);
        assert_eq!((refused.status(), refused.text().await.unwrap()), wrong);
    }
    // The proxy's own address is in no network of the operator.
    let direct = test
        .anon()
        .post(test.at("/auth/introspect"))
        .bearer_auth(OPERATOR)
        .form(&[("token", "dc_0")]);
    assert_eq!(direct.send().await.unwrap().status(), 401);

    let of = |address: &str| {
        let condition = format!("action = 'operator.refused' AND address = '{address}'");
        test.count(AUDIT, &condition)
    };
    assert_eq!((of("203.0.113.9"), of("127.0.0.1")), (1, 1));
    test.clock.advance(60);
    assert_eq!(introspects(&test, "203.0.113.9").await.status(), 401);
    assert_eq!(of("203.0.113.9"), 2);
    assert!(log::text().contains("\"address\":\"203.0.113.9\""));
}

/// OPR-03: bytes that a client sends do not make it the proxy, which may be in the operator's
/// networks.
#[actix_web::test]
async fn garbled_forwarded_address_is_in_no_network() {
    let settings = |networks: &str| {
        format!("[server]\ntrusted_proxies = [\"127.0.0.1\"]\n[operator]\nnetworks = {networks}")
    };
    let of = |test: &TestApp, address: &str| {
        let condition = format!("action = 'operator.refused' AND address = '{address}'");
        test.count(AUDIT, &condition)
    };
    let proxy = TestApp::with(&settings(r#"["127.0.0.0/8"]"#)).await;
    assert_eq!(introspects(&proxy, "").await.status(), 200);
    for from in ["é, 203.0.113.7", "\", 203.0.113.7:4711"] {
        assert_eq!(introspects(&proxy, from).await.status(), 401, "{from}");
    }
    assert_eq!(of(&proxy, "203.0.113.7"), 1);
    let all = TestApp::with(&settings(r#"["0.0.0.0/0", "::/0"]"#)).await;
    assert_eq!(introspects(&all, "é, 203.0.113.7").await.status(), 200);
    for test in [&proxy, &all] {
        for from in [
            "é",
            "unknown",
            "203.0.113.7, é",
            "0.0.0.0",
            "::",
            "é, 127.0.0.1",
        ] {
            assert_eq!(introspects(test, from).await.status(), 401, "{from}");
        }
        assert_eq!((of(test, "0.0.0.0"), of(test, "127.0.0.1")), (1, 0));
    }
}

/// OPR-03.
#[actix_web::test]
async fn disabled_operator_has_no_token() {
    let test = TestApp::with("[operator]\nenabled = false").await;
    assert_eq!(introspects(&test, "127.0.0.1").await.status(), 401);
    let refused = operator::rotate(&test.app, &Context::local(), DAY).await;
    assert!(matches!(refused, Err(RotationError::Secrets(_))));
    assert_eq!(test.count(AUDIT, "action LIKE 'operator.%'"), 0);
}
