//! The first start, from an empty directory to the first user.

use crate::support::browser::Browser;
use crate::support::database::Database;
use crate::support::deployment::{Deployment, READY, mode};
use crate::support::program::Running;
use crate::support::{EMAIL, PASSWORD, http};

/// Path of the one-time link that the start printed.
fn setup_path(server: &Running, deployment: &Deployment) -> String {
    let mut links = server
        .stdout
        .lines()
        .filter_map(|line| line.trim().strip_prefix(&deployment.url))
        .filter(|path| path.starts_with("/setup?link="));
    let path = links.next().unwrap_or_else(|| panic!("{}", server.stdout));
    assert_eq!(links.next(), None, "{}", server.stdout);
    path.to_owned()
}

async fn set_up(deployment: &Deployment, path: &str) -> u16 {
    let mut browser = Browser::new(&deployment.url);
    let page = browser.get(path).await;
    if page.status != 200 {
        return page.status;
    }
    let link = page.field("link").unwrap();
    let fields = [
        ("link", link.as_str()),
        ("name", "Ada"),
        ("email", EMAIL),
        ("password", PASSWORD),
        ("organization", "Acme"),
    ];
    browser.post("/setup", &fields).await.status
}

/// PWD-10, CFG-01, PAT-23: only the owner of the files can read them.
#[actix_web::test]
async fn first_start_creates_its_files_and_prints_the_next_steps() {
    let deployment = Deployment::new();
    let server = deployment.start();
    assert_eq!(deployment.status("/healthz").await, 200);
    assert_eq!(deployment.status("/readyz").await, 200);

    let token_file = deployment.path("data/operator_token");
    let key_file = deployment.path("data/secret_key");
    assert_eq!(mode(&deployment.path("data")), 0o700);
    assert_eq!((mode(&token_file), mode(&key_file)), (0o600, 0o600));
    if !Database::is_postgres() {
        for suffix in ["", "-wal", "-shm"] {
            assert_eq!(
                mode(&deployment.path(&format!("doorcode.db{suffix}"))),
                0o600
            );
        }
    }

    let token = std::fs::read_to_string(token_file).unwrap();
    let token = token.trim();
    let digits = token.strip_prefix("dc_").unwrap();
    assert_eq!(digits.len(), 48, "{token}");
    assert!(digits.bytes().all(|b| b.is_ascii_hexdigit()), "{token}");
    let introspected = http()
        .post(deployment.at("/auth/introspect"))
        .bearer_auth(token)
        .form(&[("token", "dc_0")])
        .send()
        .await
        .unwrap();
    assert_eq!(introspected.status(), 200);

    let link = deployment.at(&setup_path(&server, &deployment));
    for piece in [
        format!("Doorcode is running at {}", deployment.url),
        "data/operator_token (only you can read it): the operator token".to_owned(),
        "data/secret_key (only you can read it): the secret key".to_owned(),
        "data/audit_key (only you can read it): the key that signs the audit log".to_owned(),
        "There are no users yet. Open this link in a browser to create the first one.".to_owned(),
        link,
        format!("login --host {}", deployment.url),
        READY.to_owned(),
    ] {
        assert!(server.stdout.contains(&piece), "{piece}: {}", server.stdout);
    }

    server.signal("TERM");
    let finished = server.finish().exited(0);
    let key = std::fs::read_to_string(key_file).unwrap();
    for secret in [token, key.trim()] {
        assert!(!finished.stdout.contains(secret), "{}", finished.stdout);
        assert!(!finished.stderr.contains(secret), "{}", finished.stderr);
    }
    assert!(!finished.stderr.contains("ctix"), "{}", finished.stderr);
}

/// The words of the sign-in that the start printed, without the program.
fn printed_sign_in(server: &Running) -> Vec<&str> {
    let mut lines = server.stdout.lines().map(str::trim);
    let line = lines.find(|line| line.contains(" login"));
    let line = line.unwrap_or_else(|| panic!("{}", server.stdout));
    line.split(' ').skip(1).collect()
}

/// The command that the start prints works as it stands, also where tokens need a scope and none is
/// the default.
#[actix_web::test]
async fn printed_sign_in_names_a_scope_where_it_needs_one() {
    let deployment = Deployment::new();
    deployment.write(
        "doorcode.toml",
        "[tokens]\nbuiltin_scopes = \"hide\"\nscope_required = true\n\
         [[scopes]]\nname = \"machines:read\"\ndescription = \"See machines\"\n\
         [[scopes]]\nname = \"machines:write\"\ndescription = \"Change machines\"\n",
    );
    let server = deployment.start();
    let path = setup_path(&server, &deployment);
    assert_eq!(set_up(&deployment, &path).await, 303);
    let words = printed_sign_in(&server);
    let host = ["login", "--host", &deployment.url];
    assert_eq!(words, [&host[..], &["--scope", "machines:read"]].concat());

    let login = deployment.command(&words).args(&["--no-browser"]);
    let mut login = login.spawn();
    let line = login.line("Code:  ");
    let (_, code) = line.split_once("Code:  ").unwrap();
    let mut browser = deployment.user().await;
    browser.approve(code.trim(), &["machines:read"]).await;
    login
        .finish()
        .exited(0)
        .says(&["Scopes:      machines:read\n", ", in 90 days\n"]);

    // Without the scope the advice is right, too.
    let without = deployment.command(&host).args(&["--no-browser"]);
    let refused = without.args(&["--profile", "other"]).run().exited(1);
    assert!(!refused.stderr.contains("Check the names"), "{refused:?}");
    refused.complains(&[
        "The sign-in needs at least one scope. The scopes are: machines:read, machines:write.",
        &format!(
            "Choose what you need: `doorcode login --profile other --host {} --scope SCOPE`.",
            deployment.url
        ),
    ]);
}

/// Users sign in with the program that the configuration names, whose client the operator registers.
#[actix_web::test]
async fn printed_sign_in_names_the_program_of_users() {
    let deployment = Deployment::new();
    deployment.write("doorcode.toml", "[branding]\nprogram = \"cmdop\"\n");
    let server = deployment.start();
    let expected = format!("    cmdop login --host {}\n", deployment.url);
    for piece in ["`doorcode client add`", &expected] {
        assert!(server.stdout.contains(piece), "{piece}: {}", server.stdout);
    }
    assert!(!server.stdout.contains("doorcode login"));
}

/// PWD-10.
#[actix_web::test]
async fn each_start_prints_a_new_link_until_a_user_exists() {
    let deployment = Deployment::new();
    let stop = |server: Running| {
        server.signal("TERM");
        server.finish().exited(0)
    };
    let first = deployment.start();
    let first_path = setup_path(&first, &deployment);
    let operator_token = std::fs::read(deployment.path("data/operator_token")).unwrap();
    stop(first);

    let second = deployment.start();
    let second_path = setup_path(&second, &deployment);
    assert_ne!(first_path, second_path);
    assert!(!second.stdout.contains("Created "), "{}", second.stdout);
    assert_eq!(set_up(&deployment, "/setup?link=guess").await, 404);
    assert_eq!(set_up(&deployment, &second_path).await, 303);
    for used in [&first_path, &second_path] {
        assert_eq!(set_up(&deployment, used).await, 404);
    }
    stop(second);

    let third = deployment.start();
    assert!(!third.stdout.contains("/setup"), "{}", third.stdout);
    assert!(!third.stdout.contains("There are no users"));
    assert_eq!(deployment.user().await.get("/tokens").await.status, 200);
    stop(third);
    assert_eq!(deployment.database.count("users", "1 = 1"), 1);
    assert_eq!(
        std::fs::read(deployment.path("data/operator_token")).unwrap(),
        operator_token
    );
}

#[actix_web::test]
async fn without_settings_all_files_are_below_data_in_the_working_directory() {
    let deployment = Deployment::new();
    let mut server = deployment
        .command(&[])
        .without("DOORCODE__DATABASE__URL")
        .spawn();
    server.line(READY);
    assert_eq!(deployment.status("/readyz").await, 200);
    assert_eq!(mode(&deployment.path("data")), 0o700);
    for name in ["doorcode.db", "operator_token", "secret_key", "audit_key"] {
        assert_eq!(mode(&deployment.path("data").join(name)), 0o600, "{name}");
    }
    server.signal("INT");
    server.finish().exited(0);
}

/// CFG-01: with secrets in the environment no files are needed or created.
#[actix_web::test]
async fn secrets_in_the_environment_create_no_files() {
    let operator = "q7Rm2xKd90vLs4Tz8bWn1cYh6fJp3gAe";
    let deployment = Deployment::new()
        .set("DOORCODE_OPERATOR_TOKEN", operator)
        .set("DOORCODE_SECRET_KEY", &"5e".repeat(32))
        .set("DOORCODE_AUDIT_KEY", &"a7".repeat(32))
        .set("DOORCODE__AUDIT__CHECKPOINT_TO", "off");
    let server = deployment.start();
    assert!(!server.stdout.contains("Created "), "{}", server.stdout);
    assert!(!deployment.path("data").exists());
    let introspected = http()
        .post(deployment.at("/auth/introspect"))
        .bearer_auth(operator)
        .form(&[("token", "dc_0")])
        .send()
        .await
        .unwrap();
    assert_eq!(introspected.status(), 200);
}
