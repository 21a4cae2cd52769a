//! `doorcode token revoke`.

use serde_json::json;
use wire::api::{Descendants, Token};

use super::{TokenOptions, is_active, named};
use crate::commands::Context;
use crate::commands::revocation::confirm;
use crate::commands::session::Session;
use crate::error::Error;

/// The options of `token revoke`.
#[derive(Debug, clap::Args)]
pub struct RevokeOptions {
    #[command(flatten)]
    pub(super) about: TokenOptions,
    /// Revoke what was created with the token too, without a question
    #[arg(long)]
    yes: bool,
}

/// Revokes a token and asks the server whether it is inactive.
pub async fn run(options: &RevokeOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let instead = ("logout", "to revoke and delete it");
    let (token, is_own) = options.about.find(&session, context, instead).await?;
    let path = options.about.path(&token);
    if !is_active(&token) {
        let text = format!("{} was already {}.", named(&token), token.state);
        return Ok(context.out.report(&document(&token, (0, 0)), text)?);
    }
    let descendants: Descendants = session.get(&format!("{path}/descendants")).await?;
    confirm(&descendants, options.yes, "").await?;
    let ended = session.client.delete(&session.token, &path).await?;
    let state = match session.get::<Token>(&path).await {
        // It was the token of this command.
        Err(Error::TokenRefused(_)) if is_own => "revoked".to_owned(),
        state => state?.state,
    };
    if state == "live" {
        return Err(Error::Failed(
            "The server still accepts the token after its revocation.".to_owned(),
        ));
    }
    let others = ended.revoked.saturating_sub(1);
    let mut text = format!("{} is revoked.", named(&token));
    if (others, ended.withdrawn_invitations) != (0, 0) {
        text += &format!(
            " Tokens created with it that are revoked too: {others}. Invitations: {}.",
            ended.withdrawn_invitations
        );
    }
    let counts = (ended.revoked.max(1), ended.withdrawn_invitations);
    Ok(context.out.report(&document(&token, counts), text)?)
}

fn document(token: &Token, (revoked, invitations): (usize, usize)) -> serde_json::Value {
    json!({
        "id": token.id,
        "name": token.name,
        "revoked": revoked,
        "withdrawn_invitations": invitations,
    })
}
