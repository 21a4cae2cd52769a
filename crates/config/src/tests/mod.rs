//! The configuration as a whole: sources, positions and faults.

mod faults;
mod providers;
mod routes;

use super::source::File;
use super::*;
use proptest::prelude::*;

type Read = Result<Config, ConfigError>;

/// A non-default value of each key: section, key, value in TOML.
#[rustfmt::skip]
const OTHERS: &[(&str, &str, &str)] = &[
    ("", "scopes", r#"[{ name = "app:deploy", description = "Deploy builds", min_role = "admin", risk = "high", group = "Apps", default = true }]"#),
    ("", "presets", r#"[{ name = "Deployer", scopes = ["app:deploy", "doorcode:tokens:read"] }]"#),
    ("", "routes", r#"[{ match = "GET /v1/status", public = true }, { match = "* /v1/{project}/**", scope = "app:deploy" }]"#),
    ("server", "listen", r#""[::1]:9000""#), ("server", "public_url", r#""https://id.example.com""#),
    ("server", "tls", r#"{ cert = "/etc/doorcode/tls.pem", key = "/etc/doorcode/tls.key" }"#), ("server", "trusted_proxies", r#"["10.0.0.0/8", "127.0.0.1/32"]"#),
    ("server", "secret_key_file", r#""/etc/doorcode/key""#), ("server", "allow_http", "true"), ("server", "hsts", r#""subdomains""#), ("server", "workers", "7"),
    ("database", "url", r#""postgres://doorcode@localhost/doorcode""#), ("database", "readers", "3"), ("database", "pooler", r#""transaction""#),
    ("database", "lock_timeout", r#""2s""#), ("database", "statement_timeout", r#""3s""#), ("branding", "name", r#""Bräu & Söhne""#),
    ("branding", "program", r#""acme""#), ("branding", "support", r#""help@example.com""#), ("branding", "accent", r##""#b02a30""##),
    ("branding", "logo", r#""../../static/icon.svg""#), ("branding", "logo_dark", r#""../../static/touch-icon.png""#),
    ("branding", "home", r#""https://example.com/""#), ("branding", "terms", r#""https://example.com/terms""#), ("branding", "privacy", r#""https://example.com/privacy""#),
    ("branding", "tokens_note", r#""Prefer tokens of the organization for machines.""#), ("branding", "new_token_note", r#""Our rules: https://example.com/rules""#),
    ("branding", "organization_word", r#""workspace""#), ("branding", "project_word", r#""service""#), ("tokens", "prefix", r#""acme1""#),
    ("tokens", "default_expiry", r#""12h""#), ("tokens", "max_expiry", r#""1y""#), ("tokens", "builtin_scopes", r#""doorcode:""#),
    ("tokens", "scope_required", "true"),
    ("device", "code_lifetime", r#""30m""#),
    ("device", "interval", r#""2s""#),
    ("device", "live_codes_per_source", "3"),
    ("device", "live_codes_per_site", "3"),
    ("device", "live_codes_per_client", "4"),
    ("operator", "enabled", "false"),
    ("operator", "token_file", r#""/etc/doorcode/operator""#),
    ("operator", "token_variable", r#""ACME_TOKEN""#),
    ("operator", "actor_header", r#""X-On-Behalf-Of""#),
    ("operator", "networks", r#"["10.0.0.0/8", "::1/128"]"#),
    ("mail", "smtp_url", r#""smtps://login:***@mail.example.com:465""#),
    ("mail", "from", r#""Acme <login@example.com>""#),
    ("metrics", "listen", r#""127.0.0.1:9464""#),
    ("traces", "export_to", r#""http://127.0.0.1:4318/v1/traces""#),
    ("traces", "one_in", "100"),
    ("organizations", "made_by", r#""operator""#),
    ("organizations", "plan_needed_for", r#""all_tokens""#),
    ("new_organizations", "plan", r#""free""#),
    ("new_organizations", "personal_tokens", r#""admins""#),
    ("new_organizations", "created_by", r#""admins""#),
    ("new_organizations", "max_lifetime_days", "90"),
    ("new_organizations", "never_expires", "false"),
    ("verify", "errors", r#""problem""#),
    ("verify", "code_401", r#""unauthorized""#),
    ("verify", "code_403", r#""forbidden""#),
    ("audit", "token_use", r#""off""#),
    ("audit", "keep_uses", r#""30d""#),
    ("audit", "keep_records", r#""1y""#),
    ("audit", "signing_key_file", r#""/etc/doorcode/audit""#),
    ("audit", "checkpoint_to", r#""https://logs.example.com/checkpoints""#),
    ("audit", "checkpoint_every", r#""1h""#),
    ("audit", "checkpoint_records", "50"),
    ("audit", "ship_to", r#""/var/log/doorcode.ndjson""#),
    ("sign_in", "idle_timeout", r#""2h""#),
    ("sign_in", "absolute_timeout", r#""3d""#),
    ("sign_in", "argon2_memory_kib", "47104"),
    ("sign_in", "argon2_iterations", "3"),
    ("sign_in", "hash_threads", "5"),
    ("sign_in", "hash_queue", "6"),
];

fn from_file(text: &str) -> Read {
    from_both(text, &[])
}

fn from_env(env: &[(&str, &str)]) -> Read {
    Config::read(None, owned(env))
}

fn from_both(text: &str, env: &[(&str, &str)]) -> Read {
    let file = File {
        path: DEFAULT_FILE.into(),
        text: text.to_owned(),
    };
    Config::read(Some(&file), owned(env))
}

fn owned(env: &[(&str, &str)]) -> Vec<(String, String)> {
    env.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn variable(section: &str, key: &str) -> String {
    let name = if section.is_empty() {
        format!("DOORCODE__{key}")
    } else {
        format!("DOORCODE__{section}__{key}")
    };
    name.to_uppercase()
}

/// Asserts that the faults, one per line, begin as expected.
fn assert_faults(read: Read, expected: &[&str], context: &str) {
    let text = read.expect_err(context).to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{context:?}: {text}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(start), "{context:?}: {line}");
    }
}

#[test]
fn everything_has_a_default() {
    let config = from_env(&[
        ("DOORCODE__SERVER__WORKERS", "2"),
        ("DOORCODE__SIGN_IN__HASH_THREADS", "1"),
    ])
    .unwrap();
    assert_eq!(
        config.describe(),
        r#"[server]
listen = "127.0.0.1:8080"
drain_for = "5s"
public_url = "http://127.0.0.1:8080"
tls = "off"
trusted_proxies = []
secret_key_file = "data/secret_key"
allow_http = false
hsts = "host"
workers = 2

[database]
url = "sqlite:data/doorcode.db"
readers = 8
pooler = "none"
lock_timeout = "1s"
statement_timeout = "4s"

[branding]
name = "Doorcode"
program = "doorcode"
organization_word = "organization"
project_word = "project"

[tokens]
prefix = "dc"
default_expiry = "90d"
max_expiry = "never"
builtin_scopes = "show"
scope_required = false

[device]
code_lifetime = "10m"
interval = "5s"
live_codes_per_source = 20
live_codes_per_site = 500
live_codes_per_client = 10000

[operator]
enabled = true
token_file = "data/operator_token"
token_variable = "DOORCODE_OPERATOR_TOKEN"
actor_header = "X-Actor-User-Id"
networks = []

[metrics]
listen = "same"

[traces]
export_to = "off"
one_in = 1

[organizations]
made_by = "operator"
home = ""
new_users_per_day = 50
plan_needed_for = "organization_tokens"

[new_organizations]
plan = "team"
personal_tokens = "members"
created_by = "members"
max_lifetime_days = 0
never_expires = true

[verify]
errors = "oauth"
code_401 = ""
code_403 = ""

[audit]
token_use = "every"
keep_uses = "90d"
keep_records = "forever"
signing_key_file = "data/audit_key"
checkpoint_to = "data/audit_checkpoints"
checkpoint_every = "10m"
checkpoint_records = 1000
ship_to = "off"

[sign_in]
idle_timeout = "1d"
absolute_timeout = "14d"
fresh_for = "10m"
passwords = "on"
argon2_memory_kib = 19456
argon2_iterations = 2
hash_threads = 1
hash_queue = 32
"#
    );
    let config = from_file("").unwrap();
    assert_eq!(config.server.workers, server::cores());
    assert_eq!(config.sign_in.hash_threads, (server::cores() / 2).max(1));
    assert_eq!(config.scopes.iter().count(), 7);
}

#[test]
fn every_key_is_read_from_the_file_and_from_the_environment() {
    let mut text = String::new();
    let mut env = Vec::new();
    let mut last = "";
    for &(section, key, value) in OTHERS {
        if section != last {
            text.push_str(&format!("[{section}]\n"));
            last = section;
        }
        text.push_str(&format!("{key} = {value}\n"));
        env.push((variable(section, key), value.trim_matches('"').to_owned()));
    }
    let file = from_file(&text).unwrap().describe();
    for (_, key, value) in &OTHERS[3..] {
        assert!(
            file.contains(&format!("\n{key} = {value}\n")),
            "{key}: {file}"
        );
    }
    assert!(file.ends_with(
        r#"
[[scopes]]
name = "app:deploy"
description = "Deploy builds"
min_role = "admin"
risk = "high"
group = "Apps"
default = true

[[presets]]
name = "Deployer"
scopes = ["app:deploy", "doorcode:tokens:read"]

[[routes]]
match = "GET /v1/status"
public = true

[[routes]]
match = "* /v1/{project}/**"
scope = "app:deploy"
"#
    ));
    assert_eq!(Config::read(None, env).unwrap().describe(), file);
    assert_eq!(from_file(&file).unwrap().describe(), file);
}

/// The certificate of `server.tls` decides over the scheme of the default URL and over what browsers
/// are told.
#[test]
fn tls_sets_the_defaults_that_depend_on_it() {
    let server = |tls: &str| from_file(&format!("server.tls = {tls}")).unwrap().server;
    let files = r#"{ key = "k/a.key", cert = "a.pem" }"#;
    for (tls, url, hsts, cert, key) in [
        (
            r#""self-signed""#,
            "https://127.0.0.1:8080",
            StrictTransport::Off,
            "data/tls_certificate.pem",
            "data/tls_key.pem",
        ),
        (
            files,
            "https://127.0.0.1:8080",
            StrictTransport::Host,
            "a.pem",
            "k/a.key",
        ),
    ] {
        let server = server(tls);
        let named = server.certificate_files().unwrap();
        assert_eq!((server.public_url.as_str(), server.hsts), (url, hsts));
        assert_eq!(
            (named.cert, named.key),
            (PathBuf::from(cert), PathBuf::from(key))
        );
    }
    assert_eq!(server(r#""off""#).certificate_files(), None);
    let env = [("DOORCODE__SERVER__TLS", "self-signed")];
    assert_eq!(from_env(&env).unwrap().server.tls, Tls::SelfSigned);
}

#[test]
fn a_variable_wins_over_the_file() {
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nworkers = 3";
    let server = from_both(text, &[("DOORCODE__SERVER__LISTEN", "0.0.0.0:2")])
        .unwrap()
        .server;
    assert_eq!(
        (server.listen.to_string().as_str(), server.workers),
        ("0.0.0.0:2", 3)
    );
}

#[test]
fn a_default_gives_way_to_a_shorter_limit() {
    let text = "[tokens]\nmax_expiry = \"30d\"\n[sign_in]\nabsolute_timeout = \"1h\"";
    let config = from_file(text).unwrap();
    assert_eq!(config.tokens.default_expiry, config.tokens.max_expiry);
    assert_eq!(config.sign_in.idle_timeout, duration::HOUR);
}

#[test]
fn variables_with_one_underscore_are_not_keys() {
    let others = [
        ("DOORCODE_TOKEN", "x"),
        ("DOORCODE_SECRET_KEY", "x"),
        ("DOORCODE_OPERATOR_TOKEN", "x"),
        ("MY_DOORCODE__SERVER__LISTEN", "x"),
    ];
    assert!(from_env(&others).is_ok());
}

#[test]
fn the_named_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let one = write("one.toml", b"[server]\nworkers = 1");
    let two = write("two.toml", b"[server]\nworkers = 2");
    let env = vec![(FILE_VARIABLE.to_owned(), two.display().to_string())];
    let workers = |path, env| Config::load(path, env).unwrap().server.workers;
    assert_eq!(workers(Some(one.as_path()), env.clone()), 1);
    assert_eq!(workers(None, env), 2);

    let none = folder.path().join("none.toml");
    let expected = format!(
        "{}: the configuration file cannot be read: ",
        none.display()
    );
    let env = vec![(FILE_VARIABLE.to_owned(), none.display().to_string())];
    assert_faults(
        Config::load(None, env),
        &[&expected],
        "named by the variable",
    );
    assert_faults(
        Config::load(Some(&none), []),
        &[&expected],
        "named by --config",
    );
    assert!(File::read_if_there(none).unwrap().is_none());
    assert!(File::read_if_there(one).unwrap().is_some());

    let binary = write("binary.toml", b"[server]\n\xff");
    let expected = format!("{}:2: this line is not UTF-8", binary.display());
    assert_faults(Config::load(Some(&binary), []), &[&expected], "not UTF-8");
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*", value in "\\PC*") {
        for (section, key, _) in OTHERS {
            let _ = from_env(&[(variable(section, key).as_str(), value.as_str())]);
        }
        let _ = from_file(&text);
    }

    #[test]
    fn no_file_or_variable_panics(
        text in "((\\[{0,2}(server|scopes|x)\\]{0,2})|((listen|name|a\\.b|\"\") ?= ?(1|\"a|\"1h\"|\\[1|\\{a=1\\}|true)?)|\n){0,12}",
        name in "DOORCODE__[A-Za-z_]{0,12}",
    ) {
        let _ = from_both(&text, &[(name.as_str(), "x")]);
    }

    #[test]
    fn a_described_configuration_reads_back(
        name in "[^\\pC\\pZ][^\\pC]{0,20}[^\\pC\\pZ]",
        workers in 1..1024_usize,
        minutes in 1..=30_i64,
    ) {
        let text = format!("[server]\nworkers = {workers}\n[device]\ncode_lifetime = \"{minutes}m\"");
        let first = from_both(&text, &[("DOORCODE__BRANDING__NAME", name.as_str())]);
        if let Ok(first) = first {
            prop_assert_eq!(from_file(&first.describe()).unwrap().describe(), first.describe());
        }
    }
}
