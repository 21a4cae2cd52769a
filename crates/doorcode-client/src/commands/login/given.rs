//! A token that the user gives.

use std::io::{self, IsTerminal as _};

use crate::error::Error;
use crate::output::Output;
use crate::terminal::read_secret_line;
use domain::secret::Secret;

/// Returns the given token, or reads it from standard input.
pub async fn read_token(given: &Secret, out: &Output) -> Result<Secret, Error> {
    let text = if given.expose() == "-" {
        if io::stdin().is_terminal() {
            out.note("Paste the token (it is not shown) and press Enter:");
        }
        read_secret_line()
            .await
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::Interrupted => Error::Cancelled,
                _ => Error::Failed(format!("Cannot read the token: {cause}.")),
            })?
    } else {
        given.expose().to_owned()
    };
    match text.trim() {
        "" => Err(Error::Usage(
            "The token is empty. Nothing was saved.".to_owned(),
        )),
        token => Ok(Secret::new(token)),
    }
}
