//! `doorcode backup` and `doorcode restore`.

use crate::support::database::Database;
use crate::support::deployment::{Deployment, mode};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a deployment on SQLite, and a folder for backups that is searched for no secrets.
struct Place {
    deployment: Deployment,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            deployment: Deployment::with_user(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn backup(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self) -> PathBuf {
        let url = self.deployment.database.url.as_str();
        PathBuf::from(url.strip_prefix("sqlite:").unwrap())
    }

    /// Moves the database away, with what SQLite keeps beside it.
    fn lose_database(&self) {
        let path = self.database();
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", path.display());
            if Path::new(&file).exists() {
                fs::rename(&file, self.folder.path().join(format!("lost{suffix}"))).unwrap();
            }
        }
    }

    fn add_client(&self, id: &str) {
        let add = [
            "client",
            "add",
            "--id",
            id,
            "--name",
            "One",
            "--scope",
            "orgs:read",
        ];
        self.deployment.command(&add).run().exited(0);
    }

    fn clients(&self) -> String {
        self.deployment
            .command(&["client", "list"])
            .run()
            .exited(0)
            .stdout
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A backup beside a running server, restored on a new machine with its keys.
#[actix_web::test]
async fn backup_of_a_running_server_is_restored_with_its_keys() {
    if Database::is_postgres() {
        return;
    }
    let place = Place::new();
    let deployment = &place.deployment;
    let server = deployment.start();
    let mut browser = deployment.user().await;
    let token = browser.new_token("script", &["tokens:read"], "90d").await;
    place.add_client("kept");
    let file = place.backup("one.db");
    let backup = ["backup", text(&file), "--with-keys", "--json"];
    let written = deployment.command(&backup).run().exited(0).json();
    let keys = place.backup("one.db.keys");
    assert_eq!(written["file"], text(&file));
    assert_eq!(written["keys"], text(&keys));
    assert!(written["records"].as_u64().unwrap() > 3 && written["bytes"].as_u64().unwrap() > 0);
    assert_eq!((mode(&file), mode(&keys)), (0o600, 0o600));
    let names: Vec<_> = fs::read_dir(place.folder.path()).unwrap().collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let again = deployment.command(&backup).run().exited(1);
    again.complains(&["exists already, and is not overwritten"]);
    let content = fs::read(&file).unwrap();
    for secret in fs::read_to_string(&keys).unwrap().lines().skip(1) {
        let secret = secret.split_once('=').unwrap().1.as_bytes();
        assert!(!content.windows(secret.len()).any(|part| part == secret));
    }
    // The server runs on, and nothing is restored beside it.
    assert_eq!(deployment.status("/readyz").await, 200);
    let restore = ["restore", text(&file), "--json"];
    let refused = deployment.command(&restore).run().exited(1);
    refused.complains(&["There is a database at", "nothing is overwritten"]);
    drop(server);

    place.lose_database();
    let data = deployment.path("data");
    let kept = place.backup("data");
    fs::rename(&data, &kept).unwrap();
    let restored = deployment.command(&restore).run().exited(0).json();
    assert_eq!(restored["records"], written["records"]);
    assert_eq!(restored["older"], false);
    assert_eq!(restored["keys"].as_array().unwrap().len(), 3);
    assert_eq!(mode(&place.database()), 0o600);
    for name in ["secret_key", "audit_key", "operator_token"] {
        let (old, new) = (kept.join(name), data.join(name));
        assert_eq!(fs::read(old).unwrap(), fs::read(new).unwrap(), "{name}");
    }
    assert!(place.clients().contains("kept"));
    let _server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 200);
    let me = crate::support::http().get(deployment.at("/v1/me"));
    assert_eq!(me.bearer_auth(&token).send().await.unwrap().status(), 200);
    deployment.command(&["audit", "verify"]).run().exited(0);
}

/// In an older copy, tokens that were revoked since are active again.
#[actix_web::test]
async fn older_backup_is_refused_unless_it_is_asked_for() {
    if Database::is_postgres() {
        return;
    }
    let place = Place::new();
    let deployment = &place.deployment;
    let file = place.backup("old.db");
    deployment
        .command(&["backup", text(&file)])
        .run()
        .exited(0)
        .says(&["It has no keys", "Restore it with `"]);
    let server = deployment.start();
    place.add_client("later");
    server.signal("TERM");
    server.finish().exited(0);
    place.lose_database();
    let restore = deployment
        .command(&["restore", text(&file)])
        .run()
        .exited(1);
    restore.complains(&["is older than the last checkpoint", "add --older"]);
    assert!(!place.database().exists());
    let older = ["restore", text(&file), "--older"];
    let restored = deployment.command(&older).run().exited(0);
    restored.says(&["older than the last checkpoint", "audit recover"]);
    assert!(!place.clients().contains("later"));
    let recover = ["audit", "recover", "--revoke", "all"];
    deployment.command(&recover).run().exited(0);
    let _server = deployment.start();
    assert_eq!(deployment.status("/readyz").await, 200);
}

#[test]
fn what_is_no_backup_of_this_deployment_is_refused_in_one_line() {
    if Database::is_postgres() {
        return;
    }
    let place = Place::new();
    let deployment = &place.deployment;
    let file = place.backup("good.db");
    deployment.command(&["backup", text(&file)]).run().exited(0);
    place.lose_database();
    let good = fs::read(&file).unwrap();
    let mut damaged = good.clone();
    for byte in &mut damaged[8192..20_000] {
        *byte = 0xaa;
    }
    let foreign = place.backup("foreign.db");
    let conn = Database::create(place.folder.path(), None);
    conn.execute("CREATE TABLE other (id TEXT)");
    fs::rename(place.folder.path().join("doorcode.db"), &foreign).unwrap();
    for (name, content, says) in [
        ("absent.db", None, "No such file"),
        (
            "text.db",
            Some(b"hello".to_vec()),
            "is no database of SQLite",
        ),
        ("short.db", Some(good[..5000].to_vec()), "damaged"),
        ("damaged.db", Some(damaged), "damaged"),
        ("foreign.db", None, "no tables of Doorcode"),
    ] {
        let path = place.backup(name);
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let refused = deployment
            .command(&["restore", text(&path)])
            .run()
            .exited(1);
        assert_eq!(
            refused.stderr.lines().count(),
            1,
            "{name}: {}",
            refused.stderr
        );
        refused.complains(&[says]);
        assert!(!place.database().exists(), "{name}");
    }
    // The keys of another deployment.
    let keys =
        "DOORCODE_SECRET_KEY=1111111111111111111111111111111111111111111111111111111111111111";
    fs::write(place.backup("good.db.keys"), keys).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(place.backup("good.db.keys"), private).unwrap();
    let refused = deployment
        .command(&["restore", text(&file)])
        .run()
        .exited(1);
    refused.complains(&["differs from DOORCODE_SECRET_KEY of the backup"]);
    fs::remove_file(place.backup("good.db.keys")).unwrap();
    deployment
        .command(&["restore", text(&file)])
        .run()
        .exited(0);
    assert!(place.clients().contains("doorcode-cli"));
}

#[test]
fn postgresql_is_backed_up_by_its_own_tools() {
    if !Database::is_postgres() {
        return;
    }
    let deployment = Deployment::migrated();
    for command in ["backup", "restore"] {
        let refused = deployment.command(&[command, "x.db"]).run().exited(1);
        refused.complains(&["This is for SQLite", "pg_dump"]);
    }
}
