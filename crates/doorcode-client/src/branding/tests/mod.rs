use super::*;

const CMDOP: &str = r#"
program = "cmdop"
host = "https://api.cmdop.example"
client_id = "cmdop-cli"
scopes = ["machines:read"]

[variables]
token = "CMDOP_API_KEY"
profile = "CMDOP_MODE"

[files]
credentials = "token_{profile}.json"
given = "ssh_workspaces.json"
default_profile = "prod"

[words]
organization = "fleet"
profile = "mode"
"#;

#[test]
fn a_file_has_the_names_that_differ() {
    let branding = Branding::parse(CMDOP).unwrap();
    assert_eq!(branding.variable("TOKEN"), "CMDOP_API_KEY");
    assert_eq!(branding.variable("PROFILE"), "CMDOP_MODE");
    assert_eq!(branding.variable("HOST"), "CMDOP_HOST");
    assert_eq!(branding.folder(), "cmdop");
    let layout = branding.layout("/home/ada/.config/cmdop/token_{profile}.json".into());
    assert_eq!(
        layout.main(),
        std::path::Path::new("/home/ada/.config/cmdop/token_prod.json")
    );
    assert_eq!(
        layout.given.as_deref(),
        Some(std::path::Path::new(
            "/home/ada/.config/cmdop/ssh_workspaces.json"
        ))
    );
    assert_eq!(Branding::parse(""), Ok(Branding::default()));
    assert_eq!(Branding::default().variable("TOKEN"), "DOORCODE_TOKEN");
    assert_eq!(Branding::default().folder(), "doorcode");
}

#[test]
fn a_wrong_file_is_refused_with_the_key() {
    for (text, piece) in [
        ("program = ", "line 1"),
        ("programm = \"x\"", "unknown field `programm`"),
        ("program = \"a b\"", "program: use letters"),
        ("host = \"http://api.example\"", "host: use https://"),
        ("host = \"\"", "host: "),
        ("client_id = \"\"", "client_id: "),
        ("scopes = [\"a b\\u0000\"]", "scopes: "),
        ("[variables]\ntoken = \"A=B\"", "variables: "),
        ("[files]\nfolder = \"../x\"", "files: use names"),
        ("[files]\ngiven = \"config.json\"", "files.given: "),
        ("[files]\ndefault_profile = \"\"", "files.default_profile: "),
        ("[words]\nproject = \"Work space\"", "words: "),
    ] {
        let why = Branding::parse(text).unwrap_err();
        assert!(why.contains(piece), "{text}: {why}");
    }
}

/// What the program is built with comes before what lies beside it, such as in a folder of
/// downloads.
#[test]
fn a_build_with_names_ignores_the_file_beside_it() {
    let beside = || {
        Ok(Some((
            "x.branding.toml".into(),
            "program = \"beside\"".to_owned(),
        )))
    };
    let chosen = |of_build: &str| Branding::chosen(of_build, beside).unwrap();
    assert_eq!(chosen("program = \"built\"\n").program, "built");
    assert_eq!(chosen("").program, "beside");
    assert_eq!(
        Branding::chosen("", || Ok(None)).unwrap(),
        Branding::default()
    );

    let wrong = Branding::chosen("program = 1", || Ok(None)).unwrap_err();
    assert!(
        wrong
            .to_string()
            .starts_with("branding.toml of the build: "),
        "{wrong}"
    );
}
