//! Links to the sign-in with identity providers, and their names.

use super::page_request::PageRequest;
use super::view::identity::ProviderButton;
use crate::web::failure::Failure;
use app::{App, identity};
use config::{Provider, SignIn};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The buttons of the enabled providers. `query` is added to their paths.
pub fn buttons(app: &App, query: &str) -> Vec<ProviderButton> {
    let providers = app.config().sign_in.enabled_providers();
    providers
        .map(|provider| ProviderButton {
            name: provider.name.clone(),
            href: format!("/login/with/{}?{query}", provider.id),
        })
        .collect()
}

/// The buttons with which the signed-in user signs in again: those of the connected providers, which
/// ask the user even in a session of their own.
pub async fn confirming(
    req: &PageRequest,
    return_to: &str,
) -> Result<Vec<ProviderButton>, Failure> {
    let own = identity::list(req).await?;
    let providers = req.app.config().sign_in.enabled_providers();
    let connected = providers.filter(|provider| {
        let mut own = own.iter();
        own.any(|linked| linked.identity.issuer == provider.issuer)
    });
    let query = returning_to(return_to);
    let buttons = connected.map(|provider| ProviderButton {
        name: provider.name.clone(),
        href: format!("/login/with/{}?again=yes&{query}", provider.id),
    });
    Ok(buttons.collect())
}

/// The query with which a sign-in returns to a local path.
pub fn returning_to(return_to: &str) -> String {
    let encoded = utf8_percent_encode(return_to, NON_ALPHANUMERIC);
    format!("return_to={encoded}")
}

/// The link with which the signed-in user connects an identity of a provider.
pub fn connecting(provider: &Provider) -> ProviderButton {
    let query = returning_to("/account/security?done=connected");
    ProviderButton {
        name: provider.name.clone(),
        href: format!("/login/with/{}?connect=yes&{query}", provider.id),
    }
}

/// The name of the provider of an issuer; the issuer if the provider is not configured any more.
pub fn provider_name(sign_in: &SignIn, issuer: &str) -> String {
    let mut providers = sign_in.providers.iter();
    let found = providers.find(|provider| provider.issuer == issuer);
    found.map_or(issuer, |provider| &provider.name).to_owned()
}
