//! The HTTP client of the tests.

/// An HTTP client that follows no redirects and keeps no cookies.
pub fn http() -> reqwest::Client {
    // Fails if another test has installed the provider already, with the same effect.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        // Tests use no TLS, and reading the system's certificates takes long.
        .tls_certs_only([])
        .build()
        .unwrap()
}
