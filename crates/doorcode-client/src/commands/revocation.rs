//! Revocation of a stored token, as the server confirms it.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::time::Duration;

use super::Context;
use crate::api::Client;
use crate::api::identity::Identity;
use crate::credentials::Origin;
use crate::error::Error;
use crate::output::{Output, plain};
use crate::terminal::stop_requested;
use domain::secret::Secret;
use wire::api::Descendants;

/// Number of descendants that a question names.
const NAMED: usize = 10;

/// How a token came into the credentials file. If an earlier version stored it, the server knows
/// whether a device login issued it to this client.
pub fn origin_of(stored: Option<Origin>, identity: &Identity, context: &Context<'_>) -> Origin {
    let token = &identity.me.token;
    let is_own = token.client_id.as_deref() == Some(&*context.branding.client_id);
    match stored {
        Some(origin) => origin,
        None if is_own && token.made_by_token.is_none() => Origin::Login,
        None => Origin::Given,
    }
}

/// Asks before a revocation that ends more than the token itself. Without a terminal it fails,
/// unless `yes` is set; `alternative` is what the user can do instead.
pub async fn confirm(found: &Descendants, yes: bool, alternative: &str) -> Result<(), Error> {
    if yes || (found.tokens, found.invitations) == (0, 0) {
        return Ok(());
    }
    let list = describe(found);
    ask(&list, "Add --yes to end them too", alternative).await
}

/// Asks whether to continue after an explanation. Without a terminal it fails, with the flag that
/// answers the question and what the user can do instead.
pub async fn ask(explanation: &str, flag: &str, alternative: &str) -> Result<(), Error> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Error::Failed(format!(
            "{explanation}\nNothing was changed. {flag}{alternative}."
        )));
    }
    Output::new(false).note(explanation);
    eprint!("Continue? [y/N] ");
    let line = tokio::select! {
        biased;
        () = stop_requested() => return Err(Error::Cancelled),
        line = tokio::task::spawn_blocking(read_line) => line.map_err(io::Error::other),
    };
    let answer = line
        .and_then(|line| line)
        .map_err(|cause| Error::Failed(format!("Cannot read the answer: {cause}.")))?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::Failed("Nothing was changed.".to_owned())),
    }
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

fn describe(found: &Descendants) -> String {
    let counted = |count: usize, one: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {one}s")),
    };
    let counts: Vec<_> = [
        counted(found.tokens, "token"),
        counted(found.invitations, "invitation"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut lines = vec![format!(
        "The revocation also ends what was created with the token: {}.",
        counts.join(" and ")
    )];
    let named = found.newest.iter().take(NAMED);
    lines.extend(named.map(|token| format!("  {} ({})", plain(&token.name), plain(&token.hint))));
    let more = found.tokens.saturating_sub(NAMED.min(found.newest.len()));
    if more > 0 && !found.newest.is_empty() {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

/// Revokes a token and asks the server whether it is inactive now: a server accepts the
/// revocation of a token that it does not know (RFC 7009 section 2.2). Only the client with the
/// ID `issued_to` can revoke the token; `None` for the one of this program.
pub async fn revoke(client: &Client, token: &Secret, issued_to: Option<&str>) -> Result<(), Error> {
    match issued_to {
        Some(id) => client.with_client_id(id).revoke(token).await?,
        None => client.revoke(token).await?,
    }
    match client.me(token).await {
        Err(Error::TokenRefused(_)) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Failed(
            "The server still accepts the token after its revocation.".to_owned(),
        )),
    }
}

/// Runs a request for a limited time, so that a clean-up never blocks the program.
pub async fn within<T>(
    limit: Duration,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = || Error::Failed("The server did not respond in time.".to_owned());
    tokio::select! {
        biased;
        () = stop_requested() => Err(Error::Cancelled),
        outcome = tokio::time::timeout(limit, request) => outcome.unwrap_or_else(|_| Err(late())),
    }
}
