use super::*;
use crate::branding::{Files, Variables};
use std::ffi::OsString;

const FILE: &str = r#"{
  "token": "dc_file", "host": "https://file.example",
  "hosts": { "https://second.example": { "token": "dc_second" } },
  "profiles": {
    "work": { "token": "dc_work", "host": "https://work.example" },
    "bare": { "token": "dc_bare" }
  }
}"#;

/// A folder with a credentials file.
fn stored(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

fn read(variables: &[(&str, &str)]) -> Environment {
    let find = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    Environment::read(&Branding::default(), find, Some("/home/ada".into())).unwrap()
}

fn resolve(
    (profile, host): (Option<&str>, Option<&str>),
    file: &str,
    variables: &[(&str, &str)],
) -> Result<Settings, Error> {
    let flags = Flags {
        profile: profile.map(|text| Profile::parse(text).unwrap()),
        host: host.map(|text| Host::parse(text).unwrap()),
        ..Flags::default()
    };
    let all = [&[("DOORCODE_CONFIG", file)], variables].concat();
    Settings::resolve(&flags, &read(&all))
}

/// A value for each source, in their order.
struct Values {
    flag: Option<&'static str>,
    variable: Option<&'static str>,
    file: Option<&'static str>,
}

impl Values {
    /// The sources that the bits select: 1 for the flag, 2 for the variable, 4 for the file.
    fn of(bits: u32, [flag, variable, file]: [&'static str; 3]) -> Self {
        let selected = |bit, value| (bits & bit != 0).then_some(value);
        Self {
            flag: selected(1, flag),
            variable: selected(2, variable),
            file: selected(4, file),
        }
    }

    fn first(&self) -> (Option<&'static str>, Source) {
        [
            (self.flag, Source::Flag),
            (self.variable, Source::Environment),
            (self.file, Source::File),
        ]
        .into_iter()
        .find(|(value, _)| value.is_some())
        .unwrap_or((None, Source::Default))
    }
}

const PROJECTS: [&str; 3] = [
    "prj_01890a5dac96774bbcceb302099a8051",
    "prj_01890a5dac96774bbcceb302099a8052",
    "prj_01890a5dac96774bbcceb302099a8053",
];

/// CONTRACT 7: a flag, then the environment, then the file, for each setting by itself.
#[test]
fn flags_override_the_environment_which_overrides_the_file() {
    let (_folder, path) = stored("");
    let default_host = Branding::default().host;
    let mut combinations = 0;
    for bits in 0..8_u32.pow(3) * 4 {
        let profile = Values::of(bits & 7, ["flag", "variable", "file"]);
        let host = Values::of(
            bits >> 3 & 7,
            [
                "https://flag.example",
                "https://variable.example",
                "https://file.example",
            ],
        );
        let project = Values::of(bits >> 6 & 7, PROJECTS);
        let token = Values::of(bits >> 9 << 1, ["", "dc_variable", "dc_file"]);

        let (chosen_profile, profile_source) = profile.first();
        let (chosen_host, host_source) = host.first();
        let chosen_host = chosen_host.unwrap_or(&default_host);
        let mut own = serde_json::json!({ "hosts": { chosen_host: {
            "token": token.file, "default_project": project.file
        } } });
        // The entry of the file is for the chosen server, whichever is the current one.
        if let Some(current) = host.file {
            own["host"] = current.into();
            if current == chosen_host {
                own = own["hosts"][chosen_host].take();
                own["host"] = current.into();
            }
        }
        let mut file = match chosen_profile {
            Some(name) => serde_json::json!({ "profiles": { name: own } }),
            None => own,
        };
        file["profile"] = profile.file.into();
        std::fs::write(&path, file.to_string()).unwrap();

        let variables: Vec<_> = [
            ("DOORCODE_PROFILE", profile.variable),
            ("DOORCODE_HOST", host.variable),
            ("DOORCODE_PROJECT", project.variable),
            ("DOORCODE_TOKEN", token.variable),
            ("DOORCODE_CONFIG", Some(&*path)),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.unwrap_or("")))
        .collect();
        let flags = Flags {
            profile: profile.flag.map(|text| Profile::parse(text).unwrap()),
            host: host.flag.map(|text| Host::parse(text).unwrap()),
            project: project.flag.map(|text| ProjectId::parse(text).unwrap()),
            allow_http: false,
            ca_cert: None,
        };
        let settings = Settings::resolve(&flags, &read(&variables)).unwrap();
        assert_eq!(
            settings.profile.name(),
            chosen_profile.unwrap_or("default"),
            "{bits:b}"
        );
        assert_eq!(settings.host.to_string(), chosen_host, "{bits:b}");
        let found = settings.project().unwrap();
        assert_eq!(
            found.as_ref().map(ProjectId::as_str),
            project.first().0,
            "{bits:b}"
        );
        let found = settings.token().ok().map(Secret::expose);
        assert_eq!(found, token.first().0, "{bits:b}");
        let sources = settings.sources;
        assert_eq!(
            [sources.profile, sources.host, sources.project],
            [profile_source, host_source, project.first().1],
            "{bits:b}"
        );
        combinations += 1;
    }
    assert_eq!(combinations, 2048);
}

#[test]
fn a_stored_token_is_sent_only_to_its_server() {
    let (_folder, path) = stored(FILE);
    let token = |profile, host| {
        let settings = resolve((profile, Some(host)), &path, &[]).unwrap();
        settings.token().map(|token| token.expose().to_owned())
    };
    let default_host = Branding::default().host;
    for (profile, host, expected) in [
        (None, "https://file.example:443/", "dc_file"),
        (None, "second.example", "dc_second"),
        (Some("work"), "https://work.example", "dc_work"),
        (Some("bare"), &*default_host, "dc_bare"),
    ] {
        assert_eq!(token(profile, host).unwrap(), expected);
    }
    for (profile, host) in [
        (None, "https://other.example"),
        (None, "http://127.0.0.1:9000"),
        (Some("bare"), "http://127.0.0.1:9000"),
        (Some("work"), "https://file.example"),
    ] {
        let error = token(profile, host).unwrap_err();
        assert_eq!(error.exit_code(), 3, "{host}");
        assert!(
            error.to_string().contains("You are not signed in to"),
            "{error}"
        );
    }
    let error = token(None, "https://other.example")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("https://file.example, https://second.example"),
        "{error}"
    );
}

#[test]
fn an_unknown_profile_is_reported_with_the_known_ones() {
    let (_folder, path) = stored(FILE);
    let settings = resolve((Some("wrok"), None), &path, &[]).unwrap();
    let error = settings.token().unwrap_err();
    assert_eq!(error.exit_code(), 3);
    assert!(
        error
            .to_string()
            .contains("The profiles are: default, bare, work."),
        "{error}"
    );
    // A token from the environment does not need the profile.
    let settings = resolve((Some("wrok"), None), &path, &[("DOORCODE_TOKEN", "dc_env")]);
    assert_eq!(settings.unwrap().token().unwrap().expose(), "dc_env");
}

#[test]
fn the_file_is_not_needed_if_the_environment_has_token_and_server() {
    let (_folder, broken) = stored("{");
    let complete = [
        ("DOORCODE_TOKEN", "dc_env"),
        ("DOORCODE_HOST", "auth.example.com"),
    ];
    for file in [&*broken, "/dev/null", "/nonexistent/config.json", "/"] {
        let settings = resolve((None, None), file, &complete).unwrap();
        assert_eq!(settings.token().unwrap().expose(), "dc_env", "{file}");
        assert_eq!(settings.host.to_string(), "https://auth.example.com");
    }
    for variables in [&complete[..1], &complete[1..]] {
        let error = resolve((None, None), &broken, variables).unwrap_err();
        assert!(error.to_string().contains("broken"), "{error}");
    }
    let homeless = |variables: &[(&str, &str)]| {
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let environment = Environment::read(&Branding::default(), find, None).unwrap();
        Settings::resolve(&Flags::default(), &environment).unwrap()
    };
    assert_eq!(homeless(&complete).token().unwrap().expose(), "dc_env");
    let error = homeless(&[]).token().unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("DOORCODE_TOKEN"), "{error}");
}

#[test]
fn plain_http_to_another_machine_needs_allow_http() {
    let (_folder, path) = stored(FILE);
    let error = resolve((None, Some("http://file.example")), &path, &[]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("--allow-http"), "{error}");
    let flags = Flags {
        host: Some(Host::parse("http://file.example").unwrap()),
        allow_http: true,
        ..Flags::default()
    };
    assert!(Settings::resolve(&flags, &read(&[("DOORCODE_CONFIG", &path)])).is_ok());
}

#[test]
fn the_file_is_named_by_a_variable_or_in_the_config_directory() {
    let file = |variables: &[_]| read(variables).layout.unwrap().main();
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
    assert_eq!(Profile::parse("work-2.eu").unwrap().name(), "work-2.eu");
    for bad in ["", "a b", "é", "a/b", &"x".repeat(65)] {
        assert!(Profile::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_company_has_its_own_variables_folder_and_server() {
    let acme = Branding {
        variables: Variables {
            prefix: Some("ACME".to_owned()),
            token: Some("ACME_API_KEY".to_owned()),
            ..Variables::default()
        },
        files: Files {
            folder: Some("acme-cli".to_owned()),
            ..Files::default()
        },
        host: "https://auth.acme.example".into(),
        ..Branding::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let variables = [
        ("XDG_CONFIG_HOME", folder.path().to_str().unwrap()),
        ("DOORCODE_TOKEN", "dc_other"),
        ("ACME_TOKEN", "acme_other"),
        ("ACME_API_KEY", "acme_1"),
    ];
    let find = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| OsString::from(value))
    };
    let environment = Environment::read(&acme, find, None).unwrap();
    let settings = Settings::resolve(&Flags::default(), &environment).unwrap();
    assert_eq!(settings.host.to_string(), "https://auth.acme.example");
    assert_eq!(settings.token().unwrap().expose(), "acme_1");
    assert_eq!(
        settings.file().unwrap(),
        folder.path().join("acme-cli/config.json")
    );
}
