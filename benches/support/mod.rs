//! What benches share with the tests: running the program, and a browser without scripts.

#![allow(dead_code, reason = "a bench needs a part of what the tests need")]

#[path = "../../tests/it/support/browser.rs"]
pub mod browser;
#[path = "../../tests/it/support/program.rs"]
pub mod program;

/// An HTTP client that follows no redirect and keeps no cookie.
pub fn http() -> reqwest::Client {
    // Fails when it was done before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}
