//! What the user can do after an error.

use super::Context;
use crate::error::Error;
use std::time::Duration;

/// What the user can do after a command failed.
pub fn after(error: &Error, context: &Context<'_>) -> Option<String> {
    let login = context.command("login");
    let variable = context.branding.variable("TOKEN");
    Some(match error {
        Error::TokenRefused(_) | Error::TokenMalformed if context.has_token_variable() => format!(
            "The token comes from the environment variable {variable}. Set another one, or unset \
             the variable and run `{login}`."
        ),
        Error::NotSignedIn(_) | Error::TokenRefused(_) | Error::TokenMalformed => {
            format!("Run `{login}` to sign in.")
        }
        Error::NotAllowed {
            scope: Some(scope), ..
        } if context.has_token_variable() => format!(
            "The token comes from the environment variable {variable}. Set one that has the scope \
             {scope}."
        ),
        Error::NotAllowed {
            scope: Some(scope), ..
        } => format!("Run `{login} --scope {scope}` to add the scope to what you have."),
        Error::Unreachable { host, .. } if host.is_loopback() => {
            "Is the server running? Start it with `doorcode serve`, or name another server \
             with --host URL."
                .to_owned()
        }
        Error::Unreachable { .. } => {
            "Check the network and the address, or name another server with --host URL.".to_owned()
        }
        Error::Busy {
            retry_after: Some(pause),
            ..
        } => {
            format!("Try again in {}.", in_words(*pause))
        }
        Error::Busy { .. } => "Try again in a moment.".to_owned(),
        Error::Unexpected { .. } => {
            "Check that this is the address of a Doorcode server, or name another server with \
             --host URL."
                .to_owned()
        }
        Error::OAuth { name, .. } if name == "invalid_scope" => {
            "Check the names after --scope. Ask the server's administrator for the available \
             scopes."
                .to_owned()
        }
        Error::OAuth { .. } | Error::Denied(_) | Error::Expired => {
            format!("Nothing was saved. To try again, run `{login}`.")
        }
        Error::NotRevoked(_) => format!(
            "The token is kept, so you can try again. `{}` deletes it here only; on the \
             server it stays valid until it is revoked there.",
            context.command("logout --force")
        ),
        Error::File(file) if file.is_about_place() => format!(
            "Correct the permissions, or name another file in {}.",
            context.branding.variable("CONFIG")
        ),
        Error::NotAllowed { scope: None, .. }
        | Error::File(_)
        | Error::Usage(_)
        | Error::Failed(_)
        | Error::Cancelled => return None,
    })
}

/// A pause in the largest unit of which it has two, rounded up: a retry after it is never too early.
fn in_words(pause: Duration) -> String {
    match pause.as_secs() {
        1 => "1 second".to_owned(),
        seconds if seconds < 120 => format!("{seconds} seconds"),
        seconds if seconds < 7_200 => format!("{} minutes", seconds.div_ceil(60)),
        seconds => format!("{} hours", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_pause_is_in_minutes_or_hours() {
        for (seconds, words) in [
            (1, "1 second"),
            (119, "119 seconds"),
            (121, "3 minutes"),
            (7_199, "120 minutes"),
            (7_201, "3 hours"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
