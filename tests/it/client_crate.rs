//! The crate `doorcode-client`: what it is built from, and how another program signs in with it.

use crate::cli::DEFAULT_SCOPES;
use crate::support::source::{Source, files, root, tokens};
use crate::support::{EMAIL, TestApp};
use doorcode_client::login::pace::Polled;
use doorcode_client::{Branding, Client, DeviceParameters, Error, Host, Secret, api::Poll};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The crates that the client-only program is built from, on this system.
fn crates() -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(root())
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package",
            "doorcode-client",
        ])
        .args([
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--no-dedupe",
            "--format",
            "{p}",
        ])
        .output()
        .unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    let listed = String::from_utf8(output.stdout).unwrap();
    listed.lines().map(str::to_owned).collect()
}

/// A laptop needs neither the server nor its database.
#[test]
fn client_is_built_from_few_crates_and_none_of_the_server() {
    let crates = crates();
    assert!(
        crates
            .iter()
            .any(|name| name.starts_with("doorcode-client "))
    );
    let server = [
        "actix",
        "askama",
        "diesel",
        "libsqlite3",
        "pq-",
        "utoipa",
        "argon2",
        "lettre",
    ];
    let own = [
        "doorcode-app ",
        "doorcode-config ",
        "doorcode-store ",
        "doorcode ",
    ];
    let wrong: Vec<_> = crates
        .iter()
        .filter(|name| {
            server
                .iter()
                .chain(&own)
                .any(|prefix| name.starts_with(prefix))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(crates.len() <= 150, "{} crates", crates.len());
}

/// The names of the functions of a file.
fn functions(path: &Path) -> BTreeSet<String> {
    let tokens = tokens(&std::fs::read_to_string(path).unwrap());
    let named = tokens
        .windows(3)
        .filter(|window| window[..2] == ["pub", "fn"]);
    named.map(|window| window[2].clone()).collect()
}

/// Unix and Linux alone are in files named `unix.rs` and `linux.rs`, each beside one with the same
/// functions for other systems, which only the conditions of a module choose between.
#[test]
fn client_has_a_counterpart_for_each_part_for_unix() {
    let mut parts = 0;
    for path in files("crates/doorcode-client/src") {
        let source = Source::read(&path);
        if source.is_test() {
            continue;
        }
        if path.ends_with("unix.rs") || path.ends_with("linux.rs") {
            parts += 1;
            let other = path.with_file_name("other.rs");
            assert_eq!(functions(&path), functions(&other), "{}", path.display());
            let module = std::fs::read_to_string(path.with_file_name("mod.rs")).unwrap();
            let (name, condition) = match path.ends_with("unix.rs") {
                true => ("unix", "unix"),
                false => ("linux", r#"target_os = "linux""#),
            };
            for (condition, name) in [
                (condition.to_owned(), name),
                (format!("not({condition})"), "other"),
            ] {
                let needed = "#[cfg(FEATURECONDITION)]\nmod NAME;".replace("NAME", name);
                let has = |feature: &str, end: &str| {
                    let needed = needed.replace("FEATURE", feature);
                    module.contains(&needed.replace("CONDITION", &format!("{condition}{end}")))
                };
                let with_feature = has(r#"all(feature = "program", "#, ")");
                assert!(has("", "") || with_feature, "{}", path.display());
            }
            continue;
        }
        for sequence in [
            &["os", "::", "unix"][..],
            &["signal", "::", "unix"],
            &["os", "::", "linux"],
        ] {
            assert!(!source.has(sequence), "{}", source.path.display());
        }
        let uses = source.roots_used();
        for name in ["libc", "nix", "rustix"] {
            assert!(
                !uses.iter().any(|used| used == name),
                "{}",
                source.path.display()
            );
        }
    }
    assert!(parts > 0);
}

#[test]
fn the_example_in_the_documentation_is_the_compiled_one() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let example = read("crates/doorcode-client/examples/login.rs");
    let (_, code) = example.split_once("\n\n").unwrap();
    let page = read("docs/how-to/ship-your-own-client.md");
    assert!(page.contains(&format!("```rust\n{code}```\n")), "{code}");
}

/// The story of the example, with an approval in the browser.
#[actix_web::test]
async fn another_program_signs_in_with_the_client() {
    let test = TestApp::start().await;
    let host = Host::parse(&test.url).unwrap();
    let client = Client::new(&host, &Branding::default()).unwrap();
    let parameters = DeviceParameters {
        device_name: Some("build agent"),
        ..DeviceParameters::default()
    };
    let grant = client.authorize_device(parameters).await.unwrap();
    let early = client.poll(&grant.device_code, 0).await.unwrap();
    assert!(matches!(early, Poll::Wait(Polled::Pending { .. })));
    test.user()
        .await
        .approve(&grant.user_code, &DEFAULT_SCOPES)
        .await;
    test.clock.advance(10);
    let Poll::Token(issued) = client.poll(&grant.device_code, 5).await.unwrap() else {
        panic!("the grant is approved");
    };
    let token = Secret::new(issued.access_token);
    let identity = client.me(&token).await.unwrap();
    assert_eq!(identity.me.user.as_ref().unwrap().email, EMAIL);
    client.revoke(&token).await.unwrap();
    let refused = client.me(&token).await.err().unwrap();
    assert!(matches!(refused, Error::TokenRefused(_)), "{refused}");
}

/// A client that the server does not know gets the reason of the server, and no code.
#[actix_web::test]
async fn an_unknown_client_id_is_refused() {
    let test = TestApp::start().await;
    let host = Host::parse(&test.url).unwrap();
    let branding = Branding {
        client_id: "acme-cli".into(),
        ..Branding::default()
    };
    let client = Client::new(&host, &branding).unwrap();
    let refused = client
        .authorize_device(DeviceParameters::default())
        .await
        .err();
    let Some(Error::OAuth { name, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(name, "invalid_client");
}
