//! The authorization code flow of OpenID Connect Core 1.0 section 3.1, with PKCE (RFC 7636).

use super::claims::{self, Arrived};
use super::fetch::{self, Metadata, Unverified, outside};
use super::jose::Claims;
use super::state;
use super::{Failed, Purpose, Start};
use crate::{App, Error};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::{Oidc, Provider};
use domain::secret::Secret;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use url::Url;

/// Purpose of a derived nonce.
pub(super) const NONCE: &str = "identity nonce";
const VERIFIER: &str = "identity verifier";

/// The parameters with which a provider sends the browser back.
#[derive(Debug, Default, Clone)]
pub struct Returned {
    /// The authorization code.
    pub code: Option<String>,
    /// The signed answer of a hand-off.
    pub answer: Option<String>,
    /// The state.
    pub state: String,
    /// The issuer (RFC 9207).
    pub issuer: Option<String>,
    /// The error code.
    pub error: Option<String>,
}

/// Where the provider sends the browser back to.
pub(super) fn redirect_uri(app: &App, provider: &Provider) -> String {
    let path = format!("/login/with/{}/callback", provider.id);
    app.config().server.public_url.join(&path)
}

/// The address at the provider where the sign-in of this browser begins. `sealed` is the state.
pub(super) async fn address(
    app: &App,
    (provider, oidc): (&Provider, &Oidc),
    start: &Start<'_>,
    sealed: &str,
) -> Result<Url, Error> {
    let metadata = Metadata::of(app, provider).await?;
    let mut url = metadata.endpoint("authorization_endpoint")?;
    let salt = salt(sealed);
    let verifier = state::derive(app, start.visitor, VERIFIER, salt);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &oidc.client_id)
        .append_pair("redirect_uri", &redirect_uri(app, provider))
        .append_pair("scope", &oidc.scopes.join(" "))
        .append_pair("state", sealed)
        .append_pair("nonce", &state::derive(app, start.visitor, NONCE, salt))
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    let is_again = start.purpose == Purpose::SignInAgain;
    // Providers issue a refresh token for this scope only after consent (section 11).
    let consent = oidc.has_offline_access().then_some("consent");
    let prompts: Vec<_> = is_again
        .then_some("login")
        .into_iter()
        .chain(consent)
        .collect();
    if !prompts.is_empty() {
        url.query_pairs_mut()
            .append_pair("prompt", &prompts.join(" "));
    }
    // With `max_age`, the provider has to state when the user signed in (section 2).
    let longest = match is_again {
        true => 0,
        false => app.config().sign_in.absolute_timeout.as_secs(),
    };
    url.query_pairs_mut()
        .append_pair("max_age", &longest.to_string());
    Ok(url)
}

/// The salt of a sealed state, with which its nonce and verifier are derived.
pub(super) fn salt(sealed: &str) -> &str {
    sealed.get(..64).unwrap_or(sealed)
}

/// Redeems a code of the provider, and reads the user.
pub(super) async fn arrive(
    app: &App,
    (provider, oidc): (&Provider, &Oidc),
    visitor: &Secret,
    returned: &Returned,
) -> Result<Arrived, Failed> {
    let metadata = Metadata::of(app, provider).await?;
    let states_issuer = metadata.has("authorization_response_iss_parameter_supported");
    match &returned.issuer {
        Some(issuer) if *issuer != provider.issuer => return Err(Failed::Invalid("mix_up")),
        None if states_issuer => return Err(Failed::Invalid("mix_up")),
        _ => {}
    }
    let code = returned.code.as_deref().ok_or(Failed::Invalid("no_code"))?;
    let salt = salt(&returned.state);
    let verifier = state::derive(app, visitor, VERIFIER, salt);
    let redirect_uri = redirect_uri(app, provider);
    let tokens = redeem(
        app,
        (oidc, &metadata),
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", &verifier),
        ],
    )
    .await?;
    let tokens = tokens.map_err(|_| Failed::Invalid("code_refused"))?;
    let claims = id_token(app, (provider, oidc), &metadata, &tokens).await?;
    let claims = claims.ok_or(Failed::Invalid("no_id_token"))?;
    let nonce = state::derive(app, visitor, NONCE, salt);
    if claims::text(&claims, "nonce") != Some(&nonce) {
        return Err(Failed::Invalid("wrong_nonce"));
    }
    complete(app, provider, (&metadata, &tokens), &claims).await
}

/// Sends a request to the token endpoint. The inner error is the error code of the provider
/// (RFC 6749 section 5.2).
async fn redeem(
    app: &App,
    (oidc, metadata): (&Oidc, &Metadata),
    form: &[(&str, &str)],
) -> Result<Result<Value, String>, Error> {
    let url = metadata.endpoint("token_endpoint")?;
    // Without a list, providers accept `client_secret_basic` (Discovery section 3).
    let basic = metadata.lists(
        "token_endpoint_auth_methods_supported",
        "client_secret_basic",
    );
    let mut form = form.to_vec();
    let secret = oidc.client_secret.as_ref();
    if secret.is_none() || basic == Some(false) {
        form.push(("client_id", &oidc.client_id));
        form.extend(secret.map(|secret| ("client_secret", secret.expose())));
    }
    let (status, answer) = fetch::json(app, |client| {
        let request = client.post(url).form(&form);
        match secret.filter(|_| basic != Some(false)) {
            // Both parts are encoded as in a form (RFC 6749 section 2.3.1).
            Some(secret) => {
                request.basic_auth(encoded(&oidc.client_id), Some(encoded(secret.expose())))
            }
            None => request,
        }
    })
    .await?;
    match status {
        200 => Ok(Ok(answer)),
        400 | 401 => {
            let error = answer.get("error").and_then(Value::as_str);
            Ok(Err(error.unwrap_or("unknown").to_owned()))
        }
        500.. => Err(outside(format!("the token endpoint answered {status}"))),
        _ => Ok(Err(format!("status {status}"))),
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The checked claims of the ID token in an answer of the token endpoint; `None` if there is none.
async fn id_token(
    app: &App,
    (provider, oidc): (&Provider, &Oidc),
    metadata: &Metadata,
    tokens: &Value,
) -> Result<Option<Claims>, Failed> {
    let Some(token) = tokens.get("id_token").and_then(Value::as_str) else {
        return Ok(None);
    };
    let (claims, _) = fetch::verify(app, token, &metadata.endpoint("jwks_uri")?, None).await?;
    claims::check(&claims, provider, &oidc.client_id, app.now()).map_err(Failed::Invalid)?;
    Ok(Some(claims))
}

/// Reads the user from the claims of an ID token, and asks the UserInfo endpoint for what is
/// missing (section 5.3).
async fn complete(
    app: &App,
    provider: &Provider,
    (metadata, tokens): (&Metadata, &Value),
    claims: &Claims,
) -> Result<Arrived, Failed> {
    let mut arrived = Arrived::read(provider, claims).map_err(Failed::Invalid)?;
    let token = |name| tokens.get(name).and_then(Value::as_str);
    if arrived.lacks(&provider.entry)
        && let (Ok(url), Some(access)) = (
            metadata.endpoint("userinfo_endpoint"),
            token("access_token"),
        )
    {
        let (status, info) = fetch::json(app, |client| client.get(url).bearer_auth(access)).await?;
        if status >= 500 {
            return Err(outside(format!("the UserInfo endpoint answered {status}")).into());
        }
        let info = info.as_object().filter(|_| status == 200);
        let info = info.ok_or(Failed::Invalid("userinfo_refused"))?;
        if claims::text(info, "sub") != Some(&arrived.subject) {
            return Err(Failed::Invalid("wrong_userinfo"));
        }
        let mut all = info.clone();
        // Signed claims take precedence.
        all.extend(claims.clone());
        arrived = Arrived {
            // The sign-in is described by the ID token.
            has_second_factor: arrived.has_second_factor,
            ..Arrived::read(provider, &all).map_err(Failed::Invalid)?
        };
    }
    arrived.refresh_token = token("refresh_token").map(str::to_owned);
    Ok(arrived)
}

/// The answer of a provider to a refresh token.
pub(super) struct Refreshed {
    metadata: Metadata,
    tokens: Value,
}

/// Redeems the refresh token of a user (section 12); `None` if the provider refuses the user.
pub(super) async fn refresh(
    app: &App,
    (provider, oidc): (&Provider, &Oidc),
    refresh_token: &Secret,
) -> Result<Option<Refreshed>, Failed> {
    let metadata = Metadata::of(app, provider).await?;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose()),
    ];
    match redeem(app, (oidc, &metadata), &form).await? {
        Ok(tokens) => Ok(Some(Refreshed { metadata, tokens })),
        Err(error) if error == "invalid_grant" => Ok(None),
        // Other errors, such as a wrong client secret, do not say that the user has left.
        Err(error) => {
            tracing::warn!(error, provider = provider.id, "a refresh token was refused");
            Err(Failed::Invalid("refresh_refused"))
        }
    }
}

impl Refreshed {
    /// The next refresh token; `None` if the provider accepts the same again.
    pub(super) fn next(&self) -> Option<&str> {
        self.tokens.get("refresh_token").and_then(Value::as_str)
    }

    /// The user with this subject, as the provider states now; `None` if it states nothing.
    pub(super) async fn user(
        &self,
        app: &App,
        (provider, oidc): (&Provider, &Oidc),
        subject: &str,
    ) -> Result<Option<Arrived>, Failed> {
        let Some(claims) = id_token(app, (provider, oidc), &self.metadata, &self.tokens).await?
        else {
            return Ok(None);
        };
        if claims::text(&claims, "sub") != Some(subject) {
            return Err(Failed::Invalid("wrong_subject"));
        }
        let of = (&self.metadata, &self.tokens);
        complete(app, provider, of, &claims).await.map(Some)
    }
}

impl From<Unverified> for Failed {
    fn from(unverified: Unverified) -> Self {
        match unverified {
            Unverified::Invalid => Self::Invalid("bad_signature"),
            Unverified::Outside(error) => Self::Error(error),
        }
    }
}
