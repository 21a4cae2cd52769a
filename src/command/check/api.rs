//! The protected API behind its proxy: its GET routes with no token, an invented one, and the given
//! one.

use super::{INVENTED, Level, Outside, Report};
use reqwest::{StatusCode, Url};
use serde_json::Value;

/// Part of the challenge for a token whose owner has to sign in again (RFC 9470 section 3).
const NOT_CONFIRMED: &str = r#"error="insufficient_user_authentication""#;

/// Most routes that are called.
const MOST: usize = 20;

/// What a parameter of a path is replaced with if nothing is known that it can stand for.
const PLACEHOLDER: &str = "doorcode-check";

/// What the parameters of paths stand for.
struct Resources {
    organization: Option<String>,
    project: Option<String>,
}

impl Resources {
    /// The first organization and project in the response of `/v1/me`.
    fn of(me: &Value) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let own = text(&me["organization"]["slug"]);
        Self {
            organization: own.or_else(|| text(&me["organizations"][0]["slug"])),
            project: text(&me["projects"][0]["id"]),
        }
    }
}

/// A path to call.
struct Called {
    /// The path of the route, with the parameters that have a value.
    shown: String,
    /// The same with a value for each parameter.
    path: String,
}

impl Called {
    /// Whether the path names a resource that the token may reach.
    fn is_whole(&self) -> bool {
        self.shown == self.path
    }
}

/// Checks the API at a URL.
pub(super) async fn check(
    outside: &Outside,
    api: &Url,
    report: &mut Report,
) -> Result<(), reqwest::Error> {
    let Some(token) = outside.token() else {
        return Ok(());
    };
    let table = outside
        .get(outside.at("/v1/routes"), Some(token), &[])
        .await?;
    let me = outside.get(outside.at("/v1/me"), Some(token), &[]).await?;
    let resources = Resources::of(&me.body);
    let routes = table.body["items"].as_array().cloned().unwrap_or_default();
    let mut checked = 0;
    for (route, called) in routes
        .iter()
        .filter_map(|route| Some((route, path_of(route, &resources)?)))
    {
        if checked == MOST {
            break;
        }
        checked += 1;
        check_route(outside, (api, &called), route, report).await?;
    }
    if checked == 0 {
        report.add(Level::Warning, "API: [[routes]] has no GET route to call.");
    }
    Ok(())
}

/// The path of a route that can be called with GET; of `GET /v1/apps/**`, the part before `/**`.
fn path_of(route: &Value, resources: &Resources) -> Option<Called> {
    let (method, path) = route["match"].as_str()?.split_once(' ')?;
    let path = path.strip_suffix("/**").unwrap_or(path);
    if path.is_empty() || path.contains('*') || !matches!(method, "GET" | "*") {
        return None;
    }
    let known = |segment: &str| match segment {
        "{organization}" => resources.organization.clone(),
        "{project}" => resources.project.clone(),
        _ => None,
    };
    let (mut shown, mut whole) = (Vec::new(), Vec::new());
    for segment in path.split('/') {
        let segment = known(segment).unwrap_or_else(|| segment.to_owned());
        let is_parameter = segment.starts_with('{');
        whole.push(match is_parameter {
            true => PLACEHOLDER.to_owned(),
            false => segment.clone(),
        });
        shown.push(segment);
    }
    Some(Called {
        shown: shown.join("/"),
        path: whole.join("/"),
    })
}

async fn check_route(
    outside: &Outside,
    (api, called): (&Url, &Called),
    route: &Value,
    report: &mut Report,
) -> Result<(), reqwest::Error> {
    let mut url = api.clone();
    url.set_path(&called.path);
    let path = &called.shown;
    let ask = async |token| {
        let answer = outside.get(url.clone(), token, &[]).await?;
        let needs_sign_in = answer.header("www-authenticate").contains(NOT_CONFIRMED);
        Ok::<_, reqwest::Error>((answer.status, needs_sign_in))
    };
    let (none, _) = ask(None).await?;
    let is_denied = |status| [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
    if route["access"] == "public" {
        report.require(
            !is_denied(none),
            format!("API: GET {path} is open: {none}."),
            format!("API: GET {path} is public in [[routes]], but answered {none}."),
        );
        return Ok(());
    }
    let (wrong, _) = ask(Some(INVENTED)).await?;
    let is_closed = [none, wrong] == [StatusCode::UNAUTHORIZED; 2];
    report.require(
        is_closed,
        format!("API: GET {path} without a token and with an invented one: 401."),
        format!(
            "API: GET {path} answered {none} without a token and {wrong} with an invented one, not \
             401. Does the proxy ask Doorcode for this path?"
        ),
    );
    if !is_closed || !called.is_whole() {
        return Ok(());
    }
    let (own, needs_sign_in) = ask(outside.token()).await?;
    let need = match (&route["scope"], &route["role"]) {
        (Value::String(scope), _) => format!("the scope {scope}"),
        (_, Value::String(role)) => format!("the role {role}"),
        _ if route["access"] == "operator" => "the operator token".to_owned(),
        _ => "an active token".to_owned(),
    };
    match own {
        StatusCode::UNAUTHORIZED if needs_sign_in && !route["max_age"].is_null() => report.add(
            Level::Good,
            format!(
                "API: GET {path} with the token: {own}. The route has a max_age: its owner has to sign \
                 in again (`doorcode token confirm`)."
            ),
        ),
        StatusCode::UNAUTHORIZED => report.add(
            Level::Wrong,
            format!("API: GET {path} refused the token with 401, which Doorcode accepts."),
        ),
        own if own.is_server_error() => report.add(
            Level::Wrong,
            format!("API: GET {path} answered {own}. The log of the proxy has the cause."),
        ),
        own => report.add(
            Level::Good,
            format!("API: GET {path} with the token: {own} (it needs {need})."),
        ),
    }
    Ok(())
}
