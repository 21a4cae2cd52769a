//! `doorcode token list`.

use chrono::{DateTime, Utc};
use wire::api::Token;

use super::{OwnerOptions, is_active};
use crate::commands::session::Session;
use crate::commands::{ClientOptions, Context};
use crate::error::Error;
use crate::output::{Column, moment, plain, table};

/// The options of `token list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    #[command(flatten)]
    owner: OwnerOptions,
    /// Include expired and revoked tokens
    #[arg(long)]
    all: bool,
}

/// Lists tokens.
pub async fn run(options: &ListOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let mut list = options.owner.list(&session).await?;
    if !options.all {
        list.items.retain(|token| token["state"] == "live");
    }
    let tokens: Vec<Token> = session.client.known(&list)?;
    let own = session.identity().await?.me.token.id;
    if tokens.is_empty() {
        return Ok(context.out.report(&list, "There are no tokens.")?);
    }
    let text = tokens_table(&tokens, &own, context);
    Ok(context.out.answer(&list, text)?)
}

/// The tokens as a table. A star marks the one of this command.
fn tokens_table(tokens: &[Token], own: &str, context: &Context<'_>) -> String {
    let columns = [
        Column::Cut("NAME", 16),
        Column::Whole("ID"),
        Column::Whole("EXPIRES"),
        Column::Optional("LAST USED"),
        Column::Optional("HINT"),
        Column::Optional("SCOPES"),
    ];
    let now = moment::current_time();
    let rows = tokens.iter().map(|token| cells(token, own, now));
    table(columns, rows, context.out.columns())
}

fn cells(token: &Token, own: &str, now: DateTime<Utc>) -> [String; 6] {
    let mark = if token.id == own { " *" } else { "" };
    let expires = if is_active(token) {
        moment::end_day(token.end(), now)
    } else {
        token.state.clone()
    };
    let scopes = match token.scopes.as_slice() {
        [] => "-".to_owned(),
        scopes => scopes.join(" "),
    };
    [
        format!("{}{mark}", token.name),
        token.id.clone(),
        expires,
        moment::last_day(token.last_used_at.as_deref()),
        token.hint.clone(),
        scopes,
    ]
    .map(|cell| plain(&cell).into_owned())
}
