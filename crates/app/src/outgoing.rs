//! The HTTP client for requests that the server itself sends.

use crate::Error;
use std::time::Duration;

/// Timeout of a request.
const WITHIN: Duration = Duration::from_secs(10);

/// Creates a client that follows no redirects.
pub(crate) fn client() -> Result<reqwest::Client, Error> {
    // Fails if a provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(WITHIN)
        .build()
        .map_err(|error| Error::Outside(error.to_string()))
}
