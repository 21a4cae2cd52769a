//! Usable and unusable certificates, and changes of their files.

use super::*;
use crate::SystemClock;
use crate::{Clock, deployment};
use rcgen::{CertificateParams, IsCa, KeyPair, date_time_ymd};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A folder with a configuration, whose server has the public URL `https://id.example.com`.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Writes a certificate for `id.example.com` and its key.
    fn write_pair(&self, change: impl FnOnce(&mut CertificateParams)) {
        let mut params = CertificateParams::new(vec!["id.example.com".to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap();
        self.write("cert.pem", &cert.pem(), 0o644);
        self.write("key.pem", &key.serialize_pem(), 0o600);
    }

    fn config(&self, tls: &str, url: &str) -> Config {
        let key = self.path("secret_key").display().to_string();
        let settings = [("TLS", tls), ("PUBLIC_URL", url), ("SECRET_KEY_FILE", &key)];
        let settings =
            settings.map(|(name, value)| (format!("DOORCODE__SERVER__{name}"), value.to_owned()));
        Config::load(None, settings).unwrap()
    }

    /// The configuration with the files of [`Self::write_pair`].
    fn with_files(&self) -> Config {
        let [cert, key] = ["cert.pem", "key.pem"].map(|name| self.path(name));
        let tls = format!(
            "{{ cert = {:?}, key = {:?} }}",
            cert.display().to_string(),
            key.display().to_string()
        );
        self.config(&tls, "https://id.example.com")
    }

    fn self_signed(&self) -> Config {
        self.config("self-signed", "https://id.example.com")
    }
}

fn now() -> Instant {
    SystemClock.now()
}

fn load(config: &Config, now: Instant) -> Result<ServerCertificate, Error> {
    let found = ServerCertificate::load(config, now)?;
    Ok(found.unwrap().0)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Each fault of a pair, and the text of the error after the name of the file.
#[test]
fn unusable_pair_is_named_with_what_to_do() {
    type Break = fn(&Folder);
    let cases: [(Break, &str, &str); 9] = [
        (
            |folder| std::fs::remove_file(folder.path("cert.pem")).unwrap(),
            "cert.pem",
            ": No such file or directory (os error 2). Correct `cert` of server.tls.",
        ),
        (
            |folder| std::fs::remove_file(folder.path("key.pem")).unwrap(),
            "key.pem",
            " does not exist. Correct `key` of server.tls.",
        ),
        (
            |folder| drop(folder.write("cert.pem", "none", 0o644)),
            "cert.pem",
            " has no certificate in PEM format",
        ),
        (
            |folder| drop(folder.write("key.pem", "none", 0o600)),
            "key.pem",
            " has no private key in PEM format without a password",
        ),
        (
            |folder| {
                let other = KeyPair::generate().unwrap();
                folder.write("key.pem", &other.serialize_pem(), 0o600);
            },
            "key.pem",
            " is not the key of the certificate ",
        ),
        (
            |folder| {
                let key = folder.path("key.pem");
                std::fs::set_permissions(key, Permissions::from_mode(0o644)).unwrap();
            },
            "key.pem",
            " can be read by other users of this machine. Run `chmod 600 ",
        ),
        (
            |folder| folder.write_pair(|params| params.not_after = date_time_ymd(2020, 1, 1)),
            "cert.pem",
            " has expired. Renew it",
        ),
        (
            |folder| folder.write_pair(|params| params.not_before = date_time_ymd(2200, 1, 1)),
            "cert.pem",
            " is not valid yet. Check the clock",
        ),
        (
            |folder| {
                folder.write_pair(|params| {
                    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
                });
            },
            "cert.pem",
            " is the certificate of an authority (CA:TRUE)",
        ),
    ];
    for (break_it, name, text) in cases {
        let folder = Folder::new();
        folder.write_pair(|_| ());
        break_it(&folder);
        let config = folder.with_files();
        let checked = check(&config, now()).unwrap_err().to_string();
        let started = load(&config, now()).unwrap_err().to_string();
        let expected = format!("{}{text}", folder.path(name).display());
        assert!(checked.starts_with(&expected), "{checked}");
        assert_eq!(checked, started);
        assert!(!checked.contains('\n'), "{checked}");
    }
}

#[test]
fn usable_pair_is_accepted_and_its_ends_are_announced() {
    let folder = Folder::new();
    folder.write_pair(|_| ());
    assert!(check(&folder.with_files(), now()).unwrap().is_empty());
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path(name));
    let tls = format!("{{ cert = {cert:?}, key = {key:?} }}");
    let other = folder.config(&tls, "https://other.example.com");
    let warnings = check(&other, now()).unwrap();
    assert!(
        warnings[0].contains("is not for the host other.example.com"),
        "{warnings:?}"
    );

    folder.write_pair(|params| params.not_after = date_time_ymd(2030, 6, 15));
    let at = Instant::from_timestamp(1_907_000_000, 0).unwrap();
    let warnings = check(&folder.with_files(), at).unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].ends_with("expires in less than 14 days. Renew it."),
        "{warnings:?}"
    );
}

/// A pair is replaced as a whole, or not at all, and an unusable one is reported once.
#[test]
fn changed_files_are_used_all_or_nothing() {
    let folder = Folder::new();
    folder.write_pair(|_| ());
    let certificate = load(&folder.with_files(), now()).unwrap();
    let first = certificate.fingerprint();
    assert!(certificate.reload_if_changed(now()).is_none());

    let old_key = std::fs::read_to_string(folder.path("key.pem")).unwrap();
    folder.write_pair(|_| ());
    let new_key = folder.write(
        "key.new",
        &std::fs::read_to_string(folder.path("key.pem")).unwrap(),
        0o600,
    );
    // The certificate is there, its key not yet.
    folder.write("key.pem", &old_key, 0o600);
    let error = certificate.reload_if_changed(now()).unwrap().unwrap_err();
    assert!(error.to_string().contains("is not the key"), "{error}");
    assert!(certificate.reload_if_changed(now()).is_none());
    assert_eq!(certificate.fingerprint(), first);
    // The signal reports it again.
    assert!(certificate.reload(now()).is_err());

    std::fs::rename(new_key, folder.path("key.pem")).unwrap();
    certificate.reload_if_changed(now()).unwrap().unwrap();
    assert_ne!(certificate.fingerprint(), first);
    assert!(certificate.reload_if_changed(now()).is_none());
}

#[test]
fn self_signed_certificate_is_made_once_and_again_before_it_expires() {
    let folder = Folder::new();
    let config = folder.self_signed();
    assert_eq!(check(&config, now()).unwrap(), Vec::<String>::new());
    let (certificate, made) = ServerCertificate::load(&config, now()).unwrap().unwrap();
    let [cert, key] = ["tls_certificate.pem", "tls_key.pem"].map(|name| folder.path(name));
    assert_eq!(made, [key.clone(), cert.clone()]);
    assert!(
        deployment::files(&config, |_| None).ends_with(&made),
        "announced by a start without a configuration"
    );
    assert_eq!((mode(&cert), mode(&key)), (0o600, 0o600));
    let chain = pair::read_chain(&cert).unwrap();
    for host in ["id.example.com", "localhost", "127.0.0.1", "[::1]"] {
        assert!(pair::is_for(&chain, host), "{host}");
    }
    assert!(!pair::is_for(&chain, "other.example.com"));

    // The next start uses the same.
    let first = certificate.fingerprint();
    let (again, made) = ServerCertificate::load(&config, now()).unwrap().unwrap();
    assert_eq!((again.fingerprint(), made), (first.clone(), Vec::new()));

    let key_text = std::fs::read_to_string(&key).unwrap();
    let later = now() + chrono::Duration::days(330);
    assert!(certificate.reload_if_changed(later).is_none());
    let later = now() + chrono::Duration::days(340);
    certificate.reload_if_changed(later).unwrap().unwrap();
    assert_ne!(certificate.fingerprint(), first);
    assert_eq!(std::fs::read_to_string(&key).unwrap(), key_text);
    assert!(certificate.reload_if_changed(later).is_none());

    // Another host, an unusable certificate, and one that is gone.
    let moved = folder.config("self-signed", "https://new.example.com");
    load(&moved, later).unwrap();
    assert!(pair::is_for(
        &pair::read_chain(&cert).unwrap(),
        "new.example.com"
    ));
    folder.write("tls_certificate.pem", "none", 0o600);
    load(&moved, later).unwrap();
    std::fs::remove_file(&cert).unwrap();
    let (_, made) = ServerCertificate::load(&moved, later).unwrap().unwrap();
    assert_eq!(made, [cert]);
}

/// A key that others may have read is neither used again nor replaced silently.
#[test]
fn exposed_key_of_a_self_signed_certificate_is_refused() {
    let folder = Folder::new();
    let config = folder.self_signed();
    load(&config, now()).unwrap();
    let key = folder.path("tls_key.pem");
    std::fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let error = load(&config, now()).unwrap_err().to_string();
    assert!(error.contains("Run `chmod 600 "), "{error}");
}

#[test]
fn plain_http_needs_no_certificate() {
    let config = Config::load(None, []).unwrap();
    assert!(ServerCertificate::load(&config, now()).unwrap().is_none());
    assert!(check(&config, now()).unwrap().is_empty());
}
