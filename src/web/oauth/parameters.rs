//! Parameters of the OAuth endpoints and their common rules (RFC 6749 section 3.2).

use crate::web::extract;
use crate::web::failure::Failure;
use actix_web::{HttpRequest, web};
use app::OAuthError;
use app::client::Credentials;
use base64::Engine;
use domain::secret::Secret;
use wire::form::{self, Form};
use wire::json::Value;

/// Every parameter that one of the endpoints uses.
const KNOWN: [&str; 10] = [
    "client_id",
    "client_secret",
    "scope",
    "device_name",
    "organization",
    "project",
    "grant_type",
    "device_code",
    "token",
    "token_type_hint",
];

/// Body formats that an endpoint accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A form, as the RFCs require.
    Form,
    /// A form, or a JSON object of strings for clients without a form encoder.
    FormOrJson,
}

/// Reads the parameters. Rejects repeated parameters, and known ones in the query, since logs
/// contain queries.
pub async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    encoding: Encoding,
) -> Result<Form, Failure> {
    let query = extract::query(request)?;
    if query.names().any(|name| KNOWN.contains(&name)) {
        return Err(Failure::Malformed(
            "Send the parameters in the body, not in the query.",
        ));
    }
    let is_json =
        encoding == Encoding::FormOrJson && extract::media_type(request) == "application/json";
    let parameters = if is_json {
        read_json(&extract::body(request, payload).await?)?
    } else {
        extract::form(request, payload).await?
    };
    // RFC 8707 section 2 lets `resource` repeat. No endpoint uses it yet.
    match parameters.repeated_except(&["resource"]) {
        // An unknown name may have characters that an error description cannot have (RFC 6749
        // section 5.2).
        Some(name) => Err(match KNOWN.iter().find(|known| **known == name) {
            Some(name) => {
                Failure::Parameter(format!("The parameter {name} is repeated. Send it once."))
            }
            None => Failure::Malformed("A parameter is repeated. Send each once."),
        }),
        None => Ok(parameters),
    }
}

/// Value of a required parameter.
pub fn required<'a>(
    parameters: &'a Form,
    name: &str,
    missing: &'static str,
) -> Result<&'a str, Failure> {
    parameters.value(name).ok_or(Failure::Malformed(missing))
}

/// Client credentials from HTTP Basic or from the form, not both (RFC 6749 section 2.3.1).
pub fn credentials(request: &HttpRequest, parameters: &Form) -> Result<Credentials, Failure> {
    let id = parameters.value("client_id");
    let secret = parameters.value("client_secret");
    let Some(authorization) = extract::authorization(request)? else {
        let id = id
            .ok_or(Failure::Malformed("The client_id is missing."))?
            .to_owned();
        return Ok(match secret {
            Some(secret) => Credentials::IdAndSecret(id, Secret::new(secret)),
            None => Credentials::Id(id),
        });
    };
    if secret.is_some() {
        return Err(Failure::Malformed(
            "Send the client secret in the Authorization header or in the body, not in both.",
        ));
    }
    let (basic_id, basic_secret) = extract::of_scheme(authorization, "basic")
        .and_then(read_basic)
        .ok_or(Failure::App(app::Error::OAuth(
            OAuthError::InvalidClient,
            "The Authorization header has no client credentials. Use the Basic scheme.",
        )))?;
    if id.is_some_and(|id| id != basic_id) {
        return Err(Failure::Malformed(
            "The client_id differs from the one in the Authorization header. Send only one.",
        ));
    }
    Ok(match basic_secret.is_empty() {
        true => Credentials::EmptySecret(basic_id),
        false => Credentials::IdAndSecret(basic_id, Secret::new(basic_secret)),
    })
}

/// Reads Basic credentials, both of which are form-encoded first (RFC 6749 section 2.3.1).
fn read_basic(encoded: &str) -> Option<(String, String)> {
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form::decode(id).ok()?, form::decode(secret).ok()?))
}

/// Reads a JSON object of strings. Other members are rejected; `null` counts as absent.
fn read_json(body: &[u8]) -> Result<Form, Failure> {
    let member = |(name, value)| match value {
        Value::Null => Some((name, String::new())),
        Value::Text(text) if !text.contains('\0') => Some((name, text)),
        _ => None,
    };
    let pairs = match Value::parse(body) {
        Some(Value::Object(members)) if !body.trim_ascii().is_empty() => {
            members.into_iter().map(member).collect()
        }
        _ => None,
    };
    pairs.map(Form::from_pairs).ok_or(Failure::Malformed(
        "The body must be a JSON object whose members are strings.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_body_is_an_object_of_strings() {
        let form = read_json(br#"{"client_id":"cli","scope":null,"device_name":"\u00e9"}"#)
            .unwrap_or_default();
        assert_eq!(form.value("client_id"), Some("cli"));
        assert_eq!(form.value("scope"), None);
        assert_eq!(form.value("device_name"), Some("é"));
        let twice = read_json(br#"{"a":"1","\u0061":"2"}"#).unwrap_or_default();
        assert_eq!(twice.repeated_except(&[]), Some("a"));
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        for bad in [
            "",
            "[]",
            "1",
            "null",
            r#"{"a":1}"#,
            r#"{"a":["b"]}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\u0000"}"#,
            r#"{"a":"b"} x"#,
            &deep,
        ] {
            assert!(read_json(bad.as_bytes()).is_err(), "{bad:.20}");
        }
        assert!(read_json(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn basic_credentials_are_form_decoded() {
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let read = read_basic(&encode("my%2Did:a%25%3A%2B%C3%A9+z"));
        assert_eq!(read, Some(("my-id".into(), "a%:+é z".into())));
        for bad in ["", "!", &encode("no-colon"), &encode("a:%zz")] {
            assert_eq!(read_basic(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(body: Vec<u8>, basic: String) {
            let _ = read_json(&body);
            let _ = read_basic(&basic);
        }
    }
}
