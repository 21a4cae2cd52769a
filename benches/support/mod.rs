//! Support shared with the tests: running the program, a browser without scripts, and
//! databases of any size.

#![allow(dead_code, reason = "each benchmark uses a part of the test support")]

#[path = "../../tests/it/support/browser.rs"]
pub mod browser;
#[path = "../../tests/it/support/canary.rs"]
pub mod canary;
#[path = "../../tests/it/support/database.rs"]
pub mod database;
#[path = "../../tests/it/support/deployment.rs"]
pub mod deployment;
#[path = "../../tests/it/support/ground.rs"]
pub mod ground;
pub mod line;
#[path = "../../tests/it/support/log.rs"]
pub mod log;
pub mod open;
#[path = "../../tests/it/support/program.rs"]
pub mod program;
#[path = "../../tests/it/support/search.rs"]
pub mod search;
#[path = "../../tests/it/support/seed.rs"]
pub mod seed;
#[path = "../../tests/it/support/truth/mod.rs"]
pub mod truth;

/// The email address of the default test user.
pub const EMAIL: &str = "ada@example.com";
/// The password of the default test user.
pub const PASSWORD: &str = "violet kettle marches north";

/// The operator token of the servers that the tests start in process.
pub const OPERATOR: &str = "dc_0123456789abcdef0123456789abcdef0123456789abcdef";

/// An HTTP client that follows no redirect and keeps no cookie.
pub fn http() -> reqwest::Client {
    // Fails if a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}
