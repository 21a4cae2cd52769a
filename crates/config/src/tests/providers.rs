//! Identity providers: `[[sign_in.oidc]]` and `[[sign_in.hand_off]]`.

use super::*;

const OIDC: &str = r#"[[sign_in.oidc]]
id = "acme"
name = "Acme"
issuer = "https://id.example.com/realms/acme"
client_id = "doorcode"
client_secret = "of-the-registration"
scopes = ["openid", "offline_access"]
logout_ends = "sessions_and_tokens"
check_every = "15m"
enabled = true
groups_claim = "roles"
email_domains = ["Bücher.example"]
allowed_groups = ["staff"]
create_users = false

[[sign_in.oidc.rules]]
group = "engineering"
organization = "acme"
role = "admin"

[[sign_in.hand_off]]
id = "shop"
name = "Acme Shop"
hand_off_url = "https://shop.example.com/doorcode"
issuer = "shop"
algorithm = "HS256"
key = "0123456789abcdef0123456789abcdef"
"#;

/// The beginning of a fault of the file.
fn in_file(fault: &str) -> String {
    format!("doorcode.toml:{fault}")
}

#[test]
fn providers_are_read_and_their_secrets_are_hidden() {
    let config = from_file(OIDC).unwrap();
    let [acme, shop] = &config.sign_in.providers[..] else {
        panic!("{:?}", config.sign_in.providers);
    };
    assert_eq!(acme.issuer, "https://id.example.com/realms/acme");
    assert_eq!(acme.entry.email_domains, ["xn--bcher-kva.example"]);
    assert_eq!(acme.entry.rules.len(), 1);
    let Protocol::Oidc(oidc) = &acme.protocol else {
        panic!("{acme:?}");
    };
    assert_eq!(oidc.logout_ends, LogoutEnds::SessionsAndTokens);
    let secret = oidc.client_secret.as_ref().unwrap();
    assert_eq!(secret.expose(), "of-the-registration");
    assert!(matches!(
        &shop.protocol,
        Protocol::HandOff(HandOff {
            key: HandOffKey::Shared(_),
            ..
        })
    ));
    let described = config.describe();
    for secret in ["of-the-registration", "0123456789abcdef"] {
        assert!(!described.contains(secret), "{described}");
        assert!(!format!("{config:?}").contains(secret));
    }
    assert!(described.contains("\n[[sign_in.oidc.rules]]\ngroup = \"engineering\"\n"));
    // The hidden key is too short.
    let described = described.replace(
        "\nkey = \"***\"",
        &format!("\nkey = \"{}\"", "k".repeat(32)),
    );
    let again = from_file(&described).unwrap();
    assert_eq!(again.sign_in.providers.len(), 2);
    assert_eq!(again.describe(), config.describe());
}

#[test]
fn a_provider_needs_four_settings() {
    let text = "[[sign_in.oidc]]\nid = \"acme\"\nname = \"Acme\"\nissuer = \
                \"http://127.0.0.1:3000\"\nclient_id = \"doorcode\"";
    let config = from_file(text).unwrap();
    let Protocol::Oidc(oidc) = &config.sign_in.providers[0].protocol else {
        panic!("{config:?}");
    };
    assert_eq!(oidc.scopes, ["openid", "email", "profile"]);
    assert_eq!(oidc.check_every, duration::HOUR);
    let described = config.describe();
    assert!(described.contains("\nscopes = [\"openid\", \"email\", \"profile\"]\n"));
    assert_eq!(from_file(&described).unwrap().describe(), described);
}

#[test]
fn a_secret_can_be_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "of-the-registration\n").unwrap();
    let path = path.display().to_string();
    let line = "client_secret = \"of-the-registration\"";
    let config =
        from_file(&OIDC.replace(line, &format!("client_secret_file = \"{path}\""))).unwrap();
    let Protocol::Oidc(oidc) = &config.sign_in.providers[0].protocol else {
        panic!("{config:?}");
    };
    let secret = oidc.client_secret.as_ref().unwrap();
    assert_eq!(secret.expose(), "of-the-registration");
    assert!(config.describe().contains(&path));

    let both = OIDC.replace(line, &format!("{line}\nclient_secret_file = \"{path}\""));
    let fault = "7: sign_in.oidc.client_secret_file: stands beside client_secret";
    assert_faults(from_file(&both), &[&in_file(fault)], "both");
    let missing = OIDC.replace(line, "client_secret_file = \"/nowhere\"");
    let fault = "6: sign_in.oidc.client_secret_file: /nowhere cannot be read";
    assert_faults(from_file(&missing), &[&in_file(fault)], "missing");
}

#[test]
fn faulty_providers_are_refused_with_the_reason() {
    for (line, other, fault) in [
        (
            "id = \"acme\"",
            "id = \"A/b\"",
            "2: sign_in.oidc.id: \"A/b\" cannot be part of a URL",
        ),
        ("name = \"Acme\"", "name = \"\"", "3: sign_in.oidc.name: "),
        (
            "issuer = \"https://id.example.com/realms/acme\"",
            "issuer = \"http://id.example.com\"",
            "4: sign_in.oidc.issuer: \"http://id.example.com\" is not encrypted",
        ),
        (
            "issuer = \"https://id.example.com/realms/acme\"",
            "issuer = \"https://id.example.com/?a=b\"",
            "4: sign_in.oidc.issuer: \"https://id.example.com/?a=b\" has a part after ?",
        ),
        (
            "issuer = \"https://id.example.com/realms/acme\"",
            "issuer = \"https://ada:hunter2@id.example.com\"",
            "4: sign_in.oidc.issuer: has a user or password in it",
        ),
        (
            "client_id = \"doorcode\"",
            "",
            "1: sign_in.oidc.client_id: is missing",
        ),
        (
            "scopes = [\"openid\", \"offline_access\"]",
            "scopes = [\"email\"]",
            "7: sign_in.oidc.scopes: needs openid",
        ),
        (
            "logout_ends = \"sessions_and_tokens\"",
            "logout_ends = \"all\"",
            "8: sign_in.oidc.logout_ends: \"all\" is neither",
        ),
        (
            "role = \"admin\"",
            "role = \"owner\"",
            "19: sign_in.oidc.rules.role: \"owner\" is neither",
        ),
        (
            "organization = \"acme\"",
            "organization = \"Acme Inc\"",
            "18: sign_in.oidc.rules.organization: \"Acme Inc\" is neither the slug",
        ),
        (
            "id = \"shop\"",
            "id = \"acme\"",
            "22: sign_in.hand_off.id: \"acme\" is the id of another",
        ),
        (
            "issuer = \"shop\"",
            "issuer = \"https://id.example.com/realms/acme\"",
            "25: sign_in.hand_off.issuer: is the issuer of \"acme\", too",
        ),
        (
            "key = \"0123456789abcdef0123456789abcdef\"",
            "key = \"short\"",
            "27: sign_in.hand_off.key: is shorter than 32",
        ),
        (
            "algorithm = \"HS256\"",
            "algorithm = \"none\"",
            "26: sign_in.hand_off.algorithm: \"none\" is not one of HS256",
        ),
        (
            "algorithm = \"HS256\"",
            "algorithm = \"RS256\"",
            "26: sign_in.hand_off.algorithm: RS256 needs jwks_url, and no key",
        ),
    ] {
        let text = OIDC.replace(line, other);
        assert_ne!(text, OIDC, "{line}");
        assert_faults(from_file(&text), &[&in_file(fault)], other);
    }
    let off = "[sign_in]\npasswords = \"off\"";
    let fault = "2: sign_in.passwords: is off, and no identity provider is enabled";
    assert_faults(from_file(off), &[&in_file(fault)], off);
    assert!(from_file(&format!("{off}\n{OIDC}")).is_ok());
}
