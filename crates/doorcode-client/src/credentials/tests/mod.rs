use super::*;

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

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn token(entry: &Entry) -> Option<&str> {
    entry.token.as_ref().map(Secret::expose)
}

#[test]
fn a_change_keeps_all_other_members() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, FILE).unwrap();
    let mut credentials = Credentials::load(&path).unwrap();
    let entry = credentials.entry(&work()).unwrap();
    assert_eq!(token(&entry), Some("dc_b"));
    assert_eq!(entry.host.as_deref(), Some("https://b.example"));

    credentials
        .keep(&work(), &Secret::new("dc_new"), "https://n.example")
        .unwrap();
    credentials.forget(&Profile::default()).unwrap();
    credentials.save().unwrap();

    let mut expected: Value = serde_json::from_str(FILE).unwrap();
    expected["profiles"]["work"]["token"] = "dc_new".into();
    expected["profiles"]["work"]["host"] = "https://n.example".into();
    expected.as_object_mut().unwrap().remove("token");
    assert_eq!(read(&path), expected);
}

#[test]
fn a_missing_file_and_its_profiles_are_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/config.json");
    let mut credentials = Credentials::load(&path).unwrap();
    assert_eq!(token(&credentials.entry(&work()).unwrap()), None);
    credentials
        .keep(&work(), &Secret::new("dc_b"), "https://b.example")
        .unwrap();
    credentials.save().unwrap();
    assert_eq!(
        read(&path),
        serde_json::json!({ "profiles": { "work": { "token": "dc_b", "host": "https://b.example" } } })
    );
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "the temporary file is gone: {left:?}");
}

#[cfg(unix)]
#[test]
fn saving_sets_mode_0600_even_on_a_readable_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorcode/config.json");
    let mut credentials = Credentials::load(&path).unwrap();
    credentials
        .keep(
            &Profile::default(),
            &Secret::new("dc_a"),
            "https://a.example",
        )
        .unwrap();
    credentials.save().unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    Credentials::load(&path).unwrap().save().unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_to_the_file_stays_a_link() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.json");
    let link = folder.path().join("config.json");
    fs::write(&real, FILE).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let mut credentials = Credentials::load(&link).unwrap();
    credentials.forget(&work()).unwrap();
    credentials.save().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(read(&real)["profiles"]["work"].get("token"), None);
}

#[test]
fn a_broken_file_is_named_and_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    for broken in [
        "",
        "{",
        "[]",
        "\"text\"",
        "{\"token\": \"a\"} more",
        "\u{0}",
    ] {
        fs::write(&path, broken).unwrap();
        let error = Credentials::load(&path).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        assert!(error.contains("broken"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
    for misshapen in [
        r#"{ "profiles": [] }"#,
        r#"{ "profiles": { "work": "dc_b" } }"#,
        r#"{ "profiles": null }"#,
    ] {
        fs::write(&path, misshapen).unwrap();
        let mut credentials = Credentials::load(&path).unwrap();
        assert!(credentials.entry(&work()).is_err(), "{misshapen}");
        let kept = credentials.keep(&work(), &Secret::new("dc_n"), "https://n.example");
        assert!(kept.is_err(), "{misshapen}");
    }
    fs::write(&path, r#"{ "token": 7 }"#).unwrap();
    let credentials = Credentials::load(&path).unwrap();
    assert!(credentials.entry(&Profile::default()).is_err());
}

#[test]
fn debug_output_of_an_entry_contains_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    fs::write(&path, FILE).unwrap();
    let entry = Credentials::load(&path).unwrap().entry(&work()).unwrap();
    assert!(!format!("{entry:?}").contains("dc_b"));
}
