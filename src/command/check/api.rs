//! The protected API behind its proxy: its GET routes without parameters, with no token, an invented
//! one, and the given one.

use super::{INVENTED, Level, Outside, Report};
use reqwest::{StatusCode, Url};
use serde_json::Value;

/// Most routes that are called.
const MOST: usize = 20;

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
    let routes = table.body["items"].as_array().cloned().unwrap_or_default();
    let mut checked = 0;
    for (route, path) in routes
        .iter()
        .filter_map(|route| Some((route, path_of(route)?)))
    {
        if checked == MOST {
            break;
        }
        checked += 1;
        check_route(outside, (api, &path), route, report).await?;
    }
    if checked == 0 {
        report.add(
            Level::Warning,
            "API: [[routes]] has no GET route without parameters to call.",
        );
    }
    Ok(())
}

/// The path of a route that can be called as it is; of `GET /v1/apps/**`, the part before `/**`.
fn path_of(route: &Value) -> Option<String> {
    let (method, path) = route["match"].as_str()?.split_once(' ')?;
    let path = path.strip_suffix("/**").unwrap_or(path);
    let is_fixed = !path.is_empty() && !path.contains(['{', '*']) && matches!(method, "GET" | "*");
    is_fixed.then(|| path.to_owned())
}

async fn check_route(
    outside: &Outside,
    (api, path): (&Url, &str),
    route: &Value,
    report: &mut Report,
) -> Result<(), reqwest::Error> {
    let mut url = api.clone();
    url.set_path(path);
    let ask = async |token| {
        let answer = outside.get(url.clone(), token, &[]).await?;
        Ok::<_, reqwest::Error>(answer.status)
    };
    let none = ask(None).await?;
    let is_denied = |status| [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
    if route["access"] == "public" {
        report.require(
            !is_denied(none),
            format!("API: GET {path} is open: {none}."),
            format!("API: GET {path} is public in [[routes]], but answered {none}."),
        );
        return Ok(());
    }
    let wrong = ask(Some(INVENTED)).await?;
    let is_closed = [none, wrong] == [StatusCode::UNAUTHORIZED; 2];
    report.require(
        is_closed,
        format!("API: GET {path} without a token and with an invented one: 401."),
        format!(
            "API: GET {path} answered {none} without a token and {wrong} with an invented one, not \
             401. Does the proxy ask Doorcode for this path?"
        ),
    );
    if !is_closed {
        return Ok(());
    }
    let own = ask(outside.token()).await?;
    let need = match (&route["scope"], &route["role"]) {
        (Value::String(scope), _) => format!("the scope {scope}"),
        (_, Value::String(role)) => format!("the role {role}"),
        _ if route["access"] == "operator" => "the operator token".to_owned(),
        _ => "an active token".to_owned(),
    };
    match own {
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
