//! Tokens in several files, and in the keyring.

use super::*;

fn own() -> Host {
    host("https://a.example")
}

fn dev() -> Profile {
    Profile::parse("dev").unwrap()
}

/// A file for each profile, and one for the tokens that were given by hand.
fn by_profile(folder: &Path) -> Layout {
    Layout {
        given: Some(folder.join("given.json")),
        default_profile: Profile::parse("prod").unwrap(),
        ..layout(&folder.join("token_{profile}.json"))
    }
}

fn keep_in(layout: &Layout, profile: &Profile, (token, origin): (&str, Origin)) {
    let token = Secret::new(token);
    let kept = Credentials::change(layout, |credentials| {
        credentials.keep(profile, &own(), &new(&token, origin))
    });
    kept.unwrap();
}

fn stored_token(layout: &Layout, profile: &Profile) -> Option<String> {
    let entry = Credentials::load(layout).unwrap().entry(profile, &own());
    token(&entry.unwrap()).map(str::to_owned)
}

#[test]
fn each_profile_has_its_own_file() {
    let folder = tempfile::tempdir().unwrap();
    let layout = by_profile(folder.path());
    let prod = layout.default_profile.clone();
    keep_in(&layout, &prod, ("dc_prod", Origin::Login));
    keep_in(&layout, &dev(), ("dc_dev", Origin::Login));
    for (name, token) in [("token_prod.json", "dc_prod"), ("token_dev.json", "dc_dev")] {
        assert_eq!(
            read(&folder.path().join(name)),
            json!({ "token": token, "host": "https://a.example", "origin": "login" })
        );
    }
    assert_eq!(layout.files().len(), 2);
    Credentials::change(&layout, |credentials| {
        credentials.use_profile(&dev());
        Ok(())
    })
    .unwrap();
    assert_eq!(
        read(&folder.path().join("token_prod.json"))["profile"],
        "dev"
    );
    let credentials = Credentials::load(&layout).unwrap();
    assert_eq!(credentials.used_profile().unwrap(), dev());
    assert_eq!(credentials.profiles().unwrap(), [prod.clone(), dev()]);
    assert_eq!(
        [&prod, &dev()].map(|profile| stored_token(&layout, profile)),
        [Some("dc_prod".to_owned()), Some("dc_dev".to_owned())]
    );
    Credentials::change(&layout, |credentials| credentials.remove_profile(&dev())).unwrap();
    assert!(!folder.path().join("token_dev.json").exists());
    assert_eq!(
        Credentials::load(&layout).unwrap().used_profile().unwrap(),
        prod
    );
}

#[test]
fn a_broken_file_of_one_profile_is_named_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let layout = by_profile(folder.path());
    let broken = folder.path().join("token_dev.json");
    fs::write(&broken, "{").unwrap();
    let error = Credentials::change(&layout, |credentials| {
        credentials.keep(
            &layout.default_profile,
            &own(),
            &new(&Secret::new("dc_a"), Origin::Login),
        )
    });
    let text = error.unwrap_err().to_string();
    assert!(text.contains("token_dev.json is broken"), "{text}");
    assert_eq!(fs::read_to_string(&broken).unwrap(), "{");
    // No file of a profile, though it has the form of one.
    fs::rename(&broken, folder.path().join("token_a b.json")).unwrap();
    keep_in(&layout, &dev(), ("dc_dev", Origin::Login));
    assert_eq!(stored_token(&layout, &dev()).as_deref(), Some("dc_dev"));
}

#[test]
fn given_tokens_are_in_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let layout = by_profile(folder.path());
    let given = folder.path().join("given.json");
    keep_in(&layout, &dev(), ("dc_given", Origin::Given));
    assert_eq!(
        read(&given),
        json!({ "dev": { "https://a.example": "dc_given" } })
    );
    assert_eq!(
        read(&folder.path().join("token_dev.json")),
        json!({ "host": "https://a.example", "origin": "given" })
    );
    assert_eq!(stored_token(&layout, &dev()).as_deref(), Some("dc_given"));
    assert_eq!(stored_token(&layout, &layout.default_profile), None);
    // A sign-in replaces it.
    keep_in(&layout, &dev(), ("dc_login", Origin::Login));
    assert_eq!(read(&given), json!({}));
    assert_eq!(stored_token(&layout, &dev()).as_deref(), Some("dc_login"));
    keep_in(&layout, &dev(), ("dc_given", Origin::Given));
    Credentials::change(&layout, |credentials| credentials.forget(&dev(), &own())).unwrap();
    assert_eq!(stored_token(&layout, &dev()), None);
    assert!(Credentials::load(&layout).unwrap().given.is_empty());
}

/// Without a keyring, as in most containers, the check must fail before a sign-in starts.
#[test]
fn a_token_in_the_keyring_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let layout = layout(&folder.path().join("config.json"));
    let checked = Credentials::check_writable(&layout, &work(), Place::Keyring);
    if let Err(error) = checked {
        assert!(error.is_about_keyring(), "{error}");
        assert!(keyring::store("doorcode:test", &Secret::new("x")).is_err());
        return;
    }
    let secret = |n: u8| Secret::new(format!("dc_{n}_{}", std::process::id()));
    let change = |change: &dyn Fn(&mut Credentials) -> Result<(), FileError>| {
        Credentials::change(&layout, change).unwrap();
    };
    let keep = |n: u8| {
        let token = secret(n);
        let new = NewToken {
            place: Place::Keyring,
            ..new(&token, Origin::Login)
        };
        change(&|credentials| credentials.keep(&work(), &own(), &new));
    };
    let key = |n: u8| keyring::name("doorcode", &secret(n));
    keep(1);
    let text = fs::read_to_string(&layout.path).unwrap();
    assert!(!text.contains(secret(1).expose()), "{text}");
    let entry = || {
        let credentials = Credentials::load(&layout).unwrap();
        credentials.entry(&work(), &own()).unwrap()
    };
    assert_eq!(token(&entry()), Some(secret(1).expose()));
    assert_eq!(entry().place, Place::Keyring);

    // The same again, and then another one, whose sign-in removes the first.
    keep(1);
    assert_eq!(token(&entry()), Some(secret(1).expose()));
    keep(2);
    assert_eq!(token(&entry()), Some(secret(2).expose()));
    assert!(keyring::read(&key(1)).unwrap().is_none());

    // As after a restart.
    keyring::remove(&key(2)).unwrap();
    assert_eq!((token(&entry()), entry().place), (None, Place::Keyring));
    keep(3);
    change(&|credentials| credentials.remove_profile(&work()));
    assert!(keyring::read(&key(3)).unwrap().is_none());
    assert_eq!(read(&layout.path), json!({}));
}

#[test]
fn the_file_can_ask_for_the_keyring() {
    let (_folder, path) = stored(r#"{ "keyring": true }"#);
    assert_eq!(load(&path).place_of(&Entry::default()), Place::Keyring);
    let (_folder, path) = stored(FILE);
    assert_eq!(load(&path).place_of(&Entry::default()), Place::File);
}
