use super::*;
use crate::host::Host;
use serde_json::json;
use std::fs;
use std::path::PathBuf;

const DEFAULT_HOST: &str = "http://127.0.0.1:8080";

const FILE: &str = r#"{
  "token": "dc_a",
  "default_project": "prj_1",
  "host": "https://a.example",
  "theme": { "dark": true },
  "profiles": {
    "work": { "token": "dc_b", "host": "https://b.example", "note": "mine" },
    "home": { "token": "dc_c" }
  }
}"#;

fn work() -> Profile {
    Profile::parse("work").unwrap()
}

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// One file for everything.
fn layout(path: &Path) -> Layout {
    Layout {
        path: path.to_owned(),
        given: None,
        default_host: DEFAULT_HOST.to_owned(),
        default_profile: Profile::default(),
        program: "doorcode".to_owned(),
    }
}

fn new(token: &Secret, origin: Origin) -> NewToken<'_> {
    NewToken {
        token,
        origin,
        place: Place::File,
    }
}

fn load(path: &Path) -> Credentials {
    Credentials::load(&layout(path)).unwrap()
}

fn change(path: &Path, change: impl FnOnce(&mut Credentials) -> Result<(), FileError>) {
    Credentials::change(&layout(path), change).unwrap();
}

fn keep(path: &Path, profile: &Profile, own: &str, token: &str) {
    change(path, |credentials| {
        credentials.keep(
            profile,
            &host(own),
            &new(&Secret::new(token), Origin::Login),
        )
    });
}

fn token(entry: &Entry) -> Option<&str> {
    entry.token.as_ref().map(Secret::expose)
}

/// A folder with a credentials file.
fn stored(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_file_of_an_earlier_version_is_read_and_its_other_members_are_kept() {
    let (_folder, path) = stored(FILE);
    let credentials = load(&path);
    let entry = credentials.entry(&Profile::default(), &host("https://a.example"));
    let entry = entry.unwrap();
    assert_eq!(token(&entry), Some("dc_a"));
    assert_eq!(entry.origin, None);
    assert_eq!(entry.default_project.as_deref(), Some("prj_1"));
    let home = Profile::parse("home").unwrap();
    assert_eq!(
        credentials.current_host(&home).unwrap().as_deref(),
        Some(DEFAULT_HOST),
        "a token without a server is for the default one"
    );

    keep(&path, &work(), "https://b.example", "dc_new");
    change(&path, |credentials| {
        credentials.forget(&Profile::default(), &host("https://a.example"))
    });
    let mut expected: Value = serde_json::from_str(FILE).unwrap();
    expected["profiles"]["work"]["token"] = "dc_new".into();
    expected["profiles"]["work"]["origin"] = "login".into();
    expected.as_object_mut().unwrap().remove("token");
    assert_eq!(read(&path), expected);
}

#[test]
fn each_server_of_a_profile_has_its_own_entry() {
    let (_folder, path) = stored(FILE);
    let default = Profile::default();
    keep(&path, &default, "https://n.example", "dc_n");
    let file = read(&path);
    assert_eq!(file["token"], "dc_n");
    assert_eq!(file["host"], "https://n.example");
    assert_eq!(file.get("default_project"), None, "it belongs to a.example");
    assert_eq!(
        file["hosts"],
        json!({ "https://a.example": { "token": "dc_a", "default_project": "prj_1" } })
    );
    let credentials = load(&path);
    assert_eq!(
        credentials.hosts_with_token(&default).unwrap(),
        ["https://n.example", "https://a.example"]
    );
    for (own, expected) in [
        ("https://n.example", Some("dc_n")),
        ("https://A.example:443/", Some("dc_a")),
        ("https://b.example", None),
    ] {
        let entry = credentials.entry(&default, &host(own)).unwrap();
        assert_eq!(token(&entry), expected, "{own}");
    }

    // The other server becomes the current one again, and then loses its token.
    change(&path, |credentials| {
        credentials.make_current(&default, &host("https://a.example"))
    });
    let file = read(&path);
    assert_eq!(
        (&file["token"], &file["default_project"]),
        (&json!("dc_a"), &json!("prj_1"))
    );
    change(&path, |credentials| {
        credentials.forget(&default, &host("https://n.example"))
    });
    let mut expected: Value = serde_json::from_str(FILE).unwrap();
    expected.as_object_mut().unwrap().remove("origin");
    assert_eq!(read(&path), expected);
}

#[test]
fn the_project_belongs_to_one_server_of_one_profile() {
    let (_folder, path) = stored(FILE);
    let project = ProjectId::parse("prj_01890a5dac96774bbcceb302099a8057").unwrap();
    change(&path, |credentials| {
        credentials.set_project(
            &Profile::default(),
            &host("https://b.example"),
            Some(&project),
        )?;
        credentials.set_project(&work(), &host("https://b.example"), Some(&project))?;
        credentials.set_project(&Profile::default(), &host("https://a.example"), None)
    });
    let file = read(&path);
    assert_eq!(file.get("default_project"), None);
    assert_eq!(
        file["hosts"],
        json!({ "https://b.example": { "default_project": project.as_str() } })
    );
    assert_eq!(
        file["profiles"]["work"]["default_project"],
        project.as_str()
    );
    change(&path, |credentials| {
        credentials.set_project(&Profile::default(), &host("https://b.example"), None)
    });
    assert_eq!(read(&path).get("hosts"), None);
}

#[test]
fn a_project_without_a_server_is_for_the_first_one() {
    let (_folder, path) = stored(r#"{ "default_project": "prj_1", "theme": 1 }"#);
    let (default, own) = (Profile::default(), host("https://a.example"));
    let entry = load(&path).entry(&default, &own).unwrap();
    assert_eq!(entry.default_project.as_deref(), Some("prj_1"));
    change(&path, |credentials| credentials.forget(&default, &own));
    keep(&path, &default, "https://a.example", "dc_a");
    assert_eq!(
        read(&path),
        json!({
            "default_project": "prj_1", "theme": 1,
            "token": "dc_a", "host": "https://a.example", "origin": "login"
        })
    );
}

#[test]
fn profiles_are_listed_selected_and_removed() {
    let (_folder, path) = stored(FILE);
    let names = |path: &Path| -> Vec<String> {
        let profiles = load(path).profiles().unwrap();
        profiles.iter().map(ToString::to_string).collect()
    };
    assert_eq!(names(&path), ["default", "home", "work"]);
    change(&path, |credentials| {
        credentials.use_profile(&work());
        Ok(())
    });
    assert_eq!(load(&path).used_profile().unwrap(), work());
    change(&path, |credentials| credentials.remove_profile(&work()));
    assert_eq!(load(&path).used_profile().unwrap(), Profile::default());
    assert_eq!(names(&path), ["default", "home"]);
    change(&path, |credentials| {
        credentials.remove_profile(&Profile::default())
    });
    assert_eq!(
        read(&path),
        json!({ "theme": { "dark": true }, "profiles": { "home": { "token": "dc_c" } } })
    );
}

#[test]
fn a_missing_file_and_its_profiles_are_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/config.json");
    Credentials::check_writable(&layout(&path), &Profile::default(), Place::File).unwrap();
    assert!(
        !folder.path().join("a").exists(),
        "the check leaves nothing"
    );
    keep(&path, &work(), "https://b.example", "dc_b");
    assert_eq!(
        read(&path),
        json!({ "profiles": { "work": {
            "token": "dc_b", "host": "https://b.example", "origin": "login"
        } } })
    );
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "the temporary file is gone: {left:?}");
}

#[test]
fn a_file_without_content_has_no_credentials() {
    for empty in ["", " \n", "\u{feff}", "\u{feff}{}", "{}"] {
        let (_folder, path) = stored(empty);
        assert!(load(&path).is_empty(), "{empty:?}");
        keep(&path, &Profile::default(), "https://a.example", "dc_a");
        assert_eq!(read(&path)["token"], "dc_a");
    }
    let (_folder, path) = stored(&format!("\u{feff}{FILE}"));
    assert_eq!(load(&path).profiles().unwrap().len(), 3);
}

#[test]
fn simultaneous_changes_are_all_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let profiles: Vec<_> = (0..16).map(|n| format!("p{n}")).collect();
    std::thread::scope(|scope| {
        for name in &profiles {
            let (path, profile) = (&path, Profile::parse(name).unwrap());
            scope.spawn(move || keep(path, &profile, "https://a.example", name));
        }
    });
    let file = read(&path);
    for name in &profiles {
        assert_eq!(file["profiles"][name]["token"], name.as_str());
    }
}

#[test]
fn a_broken_file_is_named_and_not_changed() {
    let (_folder, path) = stored("");
    for broken in ["{", "[]", "\"text\"", "{\"token\": \"a\"} more", "\u{0}"] {
        fs::write(&path, broken).unwrap();
        let error = Credentials::load(&layout(&path)).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains("broken"), "{error}");
        let changed = Credentials::change(&layout(&path), |_| Ok(()));
        assert!(changed.is_err(), "{broken}");
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
    let own = host("https://n.example");
    for misshapen in [
        r#"{ "profiles": [] }"#,
        r#"{ "profiles": { "work": "dc_b" } }"#,
        r#"{ "profiles": { "work": { "token": "dc_b", "hosts": 1 } } }"#,
        r#"{ "profiles": { "work": { "host": 1 } } }"#,
        r#"{ "profiles": null }"#,
    ] {
        fs::write(&path, misshapen).unwrap();
        let kept = Credentials::change(&layout(&path), |credentials| {
            credentials.keep(&work(), &own, &new(&Secret::new("dc_n"), Origin::Login))
        });
        assert!(kept.is_err(), "{misshapen}");
        assert!(load(&path).entry(&work(), &own).is_err(), "{misshapen}");
        assert_eq!(fs::read_to_string(&path).unwrap(), misshapen);
    }
    fs::write(&path, r#"{ "token": 7 }"#).unwrap();
    let entry = load(&path).entry(&Profile::default(), &host(DEFAULT_HOST));
    assert!(entry.is_err());
}

#[test]
fn debug_output_contains_no_token() {
    let (_folder, path) = stored(FILE);
    let credentials = load(&path);
    let entry = credentials.entry(&work(), &host("https://b.example"));
    let text = format!("{credentials:?} {:?}", entry.unwrap());
    assert!(!text.contains("dc_a") && !text.contains("dc_b"), "{text}");
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn saving_sets_mode_0600_even_on_a_readable_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorcode/config.json");
        keep(&path, &Profile::default(), "https://a.example", "dc_a");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        set_mode(&path, 0o644);
        keep(&path, &Profile::default(), "https://a.example", "dc_a");
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn access_of_other_users_is_reported_and_taken_away() {
        let (folder, path) = stored(FILE);
        set_mode(folder.path(), 0o700);
        set_mode(&path, 0o644);
        let report = load(&path).protect().join("\n");
        assert!(report.contains("Only you can read it now."), "{report}");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(load(&path).protect(), [""; 0]);
        set_mode(folder.path(), 0o777);
        let report = load(&path).protect().join("\n");
        assert!(report.contains("can replace"), "{report}");
        fs::write(&path, "").unwrap();
        assert_eq!(
            load(&path).protect(),
            [""; 0],
            "there is nothing to protect"
        );
    }

    #[test]
    fn a_symbolic_link_to_the_file_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.json"), folder.path().join("link"));
        symlink(&real, &link).unwrap();
        for _ in ["dangling", "with a target"] {
            keep(&link, &work(), "https://b.example", "dc_b");
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(read(&real)["profiles"]["work"]["token"], "dc_b");
        }
    }

    #[test]
    fn a_device_is_read_as_empty_and_never_replaced() {
        let device = Path::new("/dev/null");
        assert!(load(device).is_empty());
        let written = Credentials::change(&layout(device), |_| Ok(()));
        for refused in [
            Credentials::check_writable(&layout(device), &Profile::default(), Place::File),
            written,
        ] {
            let refused = refused.unwrap_err();
            assert!(refused.is_about_place(), "{refused}");
        }
        assert!(!fs::metadata(device).unwrap().is_file());
    }
}

mod storage;
