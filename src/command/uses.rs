//! `doorcode audit uses`: the latest uses of a token.

use super::{Outcome, as_operator, print, print_document};
use clap::Args;
use doorcode::app::audit::uses::read::{self, UseSearch};
use doorcode::domain::audit::token_use::Use;
use std::path::Path;

/// `doorcode audit uses`.
#[derive(Args)]
pub struct Uses {
    /// The token, by its id; `operator` is the operator token
    #[arg(long, value_name = "ID", default_value = "operator")]
    token: String,
    /// Most uses to list, the latest first
    #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    /// Print a JSON document for each use
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(config: Option<&Path>, command: Uses) -> Outcome {
    let limit = usize::from(command.limit);
    let search = UseSearch {
        token_id: Some(command.token.clone()),
        ..UseSearch::default()
    };
    let mut found = as_operator(config, async |req| {
        read::list(req, search, None, limit).await
    })?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    if command.json {
        for named in &found {
            print_document(&named.used.canonical())?;
        }
        return Ok(());
    }
    if found.is_empty() {
        return print(&format!(
            "No use of {} is recorded. Uses appear a second after the request, while [audit] \
             token_use is every.",
            command.token
        ));
    }
    let lines: Vec<_> = found.iter().map(|named| line(&named.used)).collect();
    print_document(&lines.join("\n"))?;
    match has_more {
        true => print(&format!(
            "There are more; --limit {} shows them.",
            limit * 10
        )),
        false => Ok(()),
    }
}

/// A use on one line: time, decision, address, route, and the user for whom the operator acted.
fn line(used: &Use) -> String {
    let time = used.at.format("%Y-%m-%d %H:%M:%S UTC");
    let address = used.address.as_deref().unwrap_or("-");
    let route = used.route.as_deref().unwrap_or("-");
    let mut line = format!("{time}  {:<24}  {address:<15}  {route}", used.decision);
    if let Some(user_id) = &used.user_id {
        line += &format!("  for {user_id}");
    }
    line
}
