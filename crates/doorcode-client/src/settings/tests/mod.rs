use super::*;

const FILE: &str = r#"{
  "token": "dc_file", "host": "https://file.example",
  "profiles": {
    "work": { "token": "dc_work", "host": "https://work.example" },
    "bare": { "token": "dc_bare" }
  }
}"#;

fn environment(folder: &tempfile::TempDir, variables: &[(&str, &str)]) -> Environment {
    let path = folder.path().join("config.json");
    std::fs::write(&path, FILE).unwrap();
    let mut all = vec![("DOORCODE_CONFIG", path.to_str().unwrap())];
    all.extend(variables);
    read(&all).unwrap()
}

fn read(variables: &[(&str, &str)]) -> Result<Environment, Error> {
    let find = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    Environment::read(&Branding::default(), find, Some("/home/ada".into()))
}

fn options(profile: Option<&str>, host: Option<&str>) -> Flags {
    Flags {
        profile: profile.map(|text| Profile::parse(text).unwrap()),
        host: host.map(|text| Host::parse(text).unwrap()),
        ..Flags::default()
    }
}

#[test]
fn flags_override_the_environment_which_overrides_the_file() {
    let default_host = Branding::default().host;
    let all = [
        ("DOORCODE_TOKEN", "dc_env"),
        ("DOORCODE_HOST", "https://env.example"),
        ("DOORCODE_PROFILE", "work"),
    ];
    let empty = [
        ("DOORCODE_TOKEN", ""),
        ("DOORCODE_HOST", ""),
        ("DOORCODE_PROFILE", ""),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (variables, profile, host, expected) in [
        (
            &[][..],
            None,
            None,
            ("default", "https://file.example", "dc_file"),
        ),
        (
            &empty,
            None,
            None,
            ("default", "https://file.example", "dc_file"),
        ),
        (
            &all[2..],
            None,
            None,
            ("work", "https://work.example", "dc_work"),
        ),
        (&all, None, None, ("work", "https://env.example", "dc_env")),
        (
            &all,
            Some("bare"),
            None,
            ("bare", "https://env.example", "dc_env"),
        ),
        (
            &all,
            None,
            Some("https://flag.example"),
            ("work", "https://flag.example", "dc_env"),
        ),
        (&[], Some("bare"), None, ("bare", &*default_host, "dc_bare")),
    ] {
        let settings =
            Settings::resolve(&options(profile, host), environment(&folder, variables)).unwrap();
        let token = settings.token().unwrap().expose();
        let found = (
            &*settings.profile.to_string(),
            &*settings.host.to_string(),
            token,
        );
        assert_eq!(found, expected, "{variables:?} {profile:?} {host:?}");
    }
}

#[test]
fn a_stored_token_is_sent_only_to_its_server_or_to_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let token = |host| {
        let settings = Settings::resolve(&options(None, Some(host)), environment(&folder, &[]));
        settings
            .unwrap()
            .token()
            .map(|token| token.expose().to_owned())
    };
    assert_eq!(token("https://file.example:443/").unwrap(), "dc_file");
    assert_eq!(token("http://127.0.0.1:9000").unwrap(), "dc_file");
    let error = token("https://other.example").unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(
        error.to_string().contains("https://file.example"),
        "{error}"
    );
}

#[test]
fn plain_http_to_another_machine_needs_allow_http() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(None, Some("http://file.example"));
    let error = Settings::resolve(&options, environment(&folder, &[])).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--allow-http"), "{error}");
    options.allow_http = true;
    assert!(Settings::resolve(&options, environment(&folder, &[])).is_ok());
}

#[test]
fn the_file_is_named_by_a_variable_or_in_the_config_directory() {
    let file = |variables: &[_]| read(variables).unwrap().file.unwrap();
    let xdg = ("XDG_CONFIG_HOME", "/xdg");
    assert_eq!(
        file(&[("DOORCODE_CONFIG", "mine.json"), xdg]),
        PathBuf::from("mine.json")
    );
    assert_eq!(file(&[xdg]), PathBuf::from("/xdg/doorcode/config.json"));
    for ignored in [("XDG_CONFIG_HOME", ""), ("XDG_CONFIG_HOME", "relative")] {
        assert_eq!(
            file(&[ignored]),
            PathBuf::from("/home/ada/.config/doorcode/config.json")
        );
    }
}

#[test]
fn profile_names_are_validated() {
    assert_eq!(Profile::parse("default"), Ok(Profile::default()));
    assert_eq!(
        Profile::parse("work-2.eu").unwrap().name(),
        Some("work-2.eu")
    );
    for bad in ["", "a b", "é", "a/b", &"x".repeat(65)] {
        assert!(Profile::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_company_has_its_own_variables_folder_and_server() {
    let acme = Branding {
        variables: "ACME".into(),
        folder: "acme-cli".into(),
        host: "https://auth.acme.example".into(),
        ..Branding::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("XDG_CONFIG_HOME", folder.path().to_str().unwrap()),
        ("DOORCODE_TOKEN", "dc_other"),
        ("ACME_TOKEN", "acme_1"),
    ];
    let find = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    let environment = Environment::read(&acme, find, None).unwrap();
    let settings = Settings::resolve(&Flags::default(), environment).unwrap();
    assert_eq!(settings.host.to_string(), "https://auth.acme.example");
    assert_eq!(settings.token().unwrap().expose(), "acme_1");
    assert_eq!(settings.file, folder.path().join("acme-cli/config.json"));
}
