//! `doorcode token rotate`.

use serde_json::Value;
use wire::api::{Rotation, Token};

use super::create::read;
use super::{TokenOptions, facts};
use crate::commands::Context;
use crate::commands::session::Session;
use crate::error::Error;
use crate::output::moment;

/// The options of `token rotate`.
#[derive(Debug, clap::Args)]
pub struct RotateOptions {
    #[command(flatten)]
    pub(super) about: TokenOptions,
    /// How long the old token stays valid, such as 90m, 24h or 7d; 0 ends it immediately
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = parse_overlap)]
    overlap: u32,
}

/// Replaces a token. The new secret is all that is written to standard output.
pub async fn run(options: &RotateOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let instead = ("login --renew", "to replace it");
    let (old, _) = options.about.find(&session, context, instead).await?;
    let path = options.about.path(&old);
    let body = Rotation {
        overlap_seconds: Some(options.overlap),
    };
    let list = options.about.owner.list_command(context.branding);
    let document: Value = session
        .create(&format!("{path}/rotate"), &body, &list)
        .await?;
    let new = read(&document, &session)?;
    let after: Option<Token> = match session.get(&path).await {
        // The old token was the one of this command, and has ended.
        Err(Error::TokenRefused(_)) => None,
        after => Some(after?),
    };
    let end = after.filter(super::is_active);
    let end = end.map_or_else(
        || "is inactive".to_owned(),
        |token| {
            format!(
                "expires: {}",
                moment::end(token.end(), moment::current_time())
            )
        },
    );
    context.out.note(format_args!(
        "{}\nThe old token {end}.\nThe secret is shown only this once. Store it now.",
        facts(&new.about, context)
    ));
    Ok(context.out.answer(&document, &new.token)?)
}

/// Parses a duration with a unit, or 0, into seconds.
fn parse_overlap(text: &str) -> Result<u32, &'static str> {
    match text {
        "0" => Ok(0),
        text => parse_time(text).map_err(|_| "write a duration such as 90m, 24h or 7d, or 0"),
    }
}

/// Parses a duration with a unit into seconds.
pub(super) fn parse_time(text: &str) -> Result<u32, &'static str> {
    let wrong = "write a duration such as 90s, 5m or 24h";
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Err(wrong),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| wrong)?;
    number.checked_mul(unit).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_has_a_unit() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("45s", Some(45)),
            ("90m", Some(5400)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("7", None),
            ("", None),
            ("h", None),
            ("-1h", None),
            ("1ü", None),
            ("99999999d", None),
        ] {
            assert_eq!(parse_overlap(text).ok(), seconds, "{text:?}");
        }
    }
}
