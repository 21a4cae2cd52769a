//! What the user can do after an error.

use super::Context;
use crate::branding::Branding;
use crate::error::Error;
use crate::output::duration;

/// What the user can do after a command failed.
pub fn after(error: &Error, context: &Context<'_>) -> Option<String> {
    let login = context.command("login");
    let variable = context.branding.variable("TOKEN");
    Some(match error {
        Error::TokenRefused(_) | Error::TokenMalformed if context.has_token_variable() => format!(
            "The token comes from the environment variable {variable}. Set another one, or unset \
             the variable and run `{login}`."
        ),
        Error::ConfirmationNeeded { max_age } => format!(
            "Run `{}` to sign in again, then repeat the command.",
            context.command(&format!("token confirm --max-age {max_age}s"))
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
        Error::Connection { advice, .. } => advice.clone(),
        Error::Unreachable {
            proxy: Some(proxy), ..
        } => format!(
            "Check the proxy in {}, or add the server to NO_PROXY.",
            proxy.variable
        ),
        Error::Unreachable { host, .. } if host.is_loopback() => {
            // A client under another name has no server commands.
            let start = match context.branding.program == Branding::default().program {
                true => format!("Start it with `{} serve`, or name", context.program),
                false => "Name".to_owned(),
            };
            format!("Is the server running? {start} another server with --host URL.")
        }
        Error::Unreachable { .. } => {
            "Check the network and the address, or name another server with --host URL.".to_owned()
        }
        Error::Busy {
            retry_after: Some(pause),
            ..
        } => {
            format!("Try again in {}.", duration(*pause))
        }
        Error::Busy { .. } => "Try again in a moment.".to_owned(),
        Error::Unexpected { .. } => {
            "Check that this is the address of the right server, or name another server with \
             --host URL."
                .to_owned()
        }
        Error::ScopeNeeded(_) => {
            format!("Choose what you need: `{login} --scope SCOPE`. Repeat --scope for several.")
        }
        Error::OAuth { name, .. } if name == "invalid_scope" => {
            "Ask the server's administrator which scopes this program may request.".to_owned()
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
        Error::File(file) if file.is_about_keyring() => {
            "Sign in without --keyring, and without \"keyring\": true in the credentials file."
                .to_owned()
        }
        Error::TokenLost => {
            format!("Revoke the token on the server's Tokens page, then run `{login}` again.")
        }
        Error::CancelledAfterCode => "If you approved the sign-in just now, a token may exist: \
                                      revoke it on the server's Tokens page."
            .to_owned(),
        Error::NotAllowed { scope: None, .. }
        | Error::Inactive(_)
        | Error::File(_)
        | Error::Usage(_)
        | Error::Failed(_)
        | Error::Cancelled => return None,
    })
}
