//! `doorcode audit`: the client commands.

mod names;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::builder::PossibleValuesParser;
use domain::audit::Action;
use domain::audit::personal::is_erased;
use wire::api::AuditRecord;

use self::names::Names;
use super::session::Session;
use super::{ClientOptions, Context, parse_time, reference};
use crate::api::Listing;
use crate::error::Error;
use crate::output::{Column, plain, table};

/// The commands about the audit log.
#[derive(Debug, clap::Subcommand)]
pub enum Audit {
    /// List audit records, newest first
    List(ListOptions),
}

/// The options of `audit list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    #[command(flatten)]
    pub(super) client: ClientOptions,
    /// Records of this organization, by its id or address; needs the role admin [default:
    /// records about you]
    #[arg(long, value_name = "ORG", value_parser = reference)]
    org: Option<String>,
    /// An action, or its first part, such as token
    #[arg(long, value_name = "ACTION", value_parser = actions(), hide_possible_values = true)]
    action: Option<String>,
    /// The user, token or client that acted, by its id, or a kind of actor, such as operator
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Records by or about this token, by its id
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// Records since this date or time, such as 2030-01-31 or 2030-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = parse_time)]
    since: Option<DateTime<Utc>>,
    /// The maximum number of records
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// The actions and their first parts.
fn actions() -> PossibleValuesParser {
    let names = Action::ALL.iter().map(|action| action.as_str());
    let mut all: Vec<_> = names.collect();
    all.extend(
        Action::ALL
            .iter()
            .filter_map(|action| Some(action.as_str().split_once('.')?.0)),
    );
    all.sort_unstable();
    all.dedup();
    all.into()
}

impl Audit {
    /// The options that all client commands share.
    pub(super) fn options(&self) -> &ClientOptions {
        match self {
            Self::List(options) => &options.client,
        }
    }

    /// Runs the command.
    pub(super) async fn run(&self, context: &Context<'_>) -> Result<(), Error> {
        match self {
            Self::List(options) => list(options, context).await,
        }
    }
}

/// Lists records, page by page.
async fn list(options: &ListOptions, context: &Context<'_>) -> Result<(), Error> {
    let session = Session::open(context)?;
    let since = options.since;
    let since = since.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let filters = [
        ("organization", &options.org),
        ("action", &options.action),
        ("actor", &options.actor),
        ("token", &options.token),
        ("since", &since),
    ];
    let given = filters.iter();
    let given = given.filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    let listing = Listing {
        path: "/v1/audit",
        filters: &given.collect::<Vec<_>>(),
        limit: options.limit,
    };
    let found = session.client.list(&session.token, &listing).await?;
    let records: Vec<AuditRecord> = session.client.known(&found)?;
    if records.is_empty() {
        return Ok(context.out.report(&found, "No records were found.")?);
    }
    let names = if context.options.json {
        Names::default()
    } else {
        Names::ask(&session, options.org.as_deref()).await?
    };
    let text = records_table(&records, &names, context.out.columns());
    context.out.answer(&found, text)?;
    if found.next_cursor.is_some() {
        context.out.note(format_args!(
            "There are more records. Use --limit {} to show them.",
            options.limit.saturating_mul(2)
        ));
    }
    Ok(())
}

/// The records as a table.
fn records_table(records: &[AuditRecord], names: &Names, width: Option<usize>) -> String {
    let columns = [
        Column::Whole("TIME"),
        Column::Cut("ACTOR", 8),
        Column::Whole("ACTION"),
        Column::Whole("OUTCOME"),
        Column::Cut("TARGET", 8),
        Column::Optional("ADDRESS"),
    ];
    table(
        columns,
        records.iter().map(|record| cells(record, names)),
        width,
    )
}

/// The cells of a record. Times are in UTC, as `--since` accepts them.
fn cells(record: &AuditRecord, names: &Names) -> [String; 6] {
    let at = match DateTime::parse_from_rfc3339(&record.at) {
        Ok(at) => at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true),
        Err(_) => record.at.clone(),
    };
    let actor = match (&record.actor_id, record.actor_kind.as_str()) {
        // The prefix of these ids states the kind.
        (Some(id), "user" | "token") => names.with_id(id),
        (Some(id), kind) => format!("{kind} {id}"),
        (None, kind) => kind.to_owned(),
    };
    let target = record.target.as_deref().map(|id| match names.get(id) {
        Some(_) => names.with_id(id),
        // A deleted object has its name in its record only.
        None => match record.detail["name"].as_str() {
            Some(name) => format!("{name} ({id})"),
            None => id.to_owned(),
        },
    });
    let address = match record.address.as_deref() {
        Some(text) if is_erased(text) => Some("erased"),
        address => address,
    };
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        at,
        actor,
        record.action.clone(),
        record.outcome.clone(),
        or_dash(target),
        or_dash(address.map(str::to_owned)),
    ]
    .map(|cell| plain(&cell).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(target: &str) -> AuditRecord {
        let record = json!({
            "sequence": 1, "hash": "0", "id": "evt_1", "at": "not a moment",
            "action": "session.refused", "outcome": "refused", "actor_kind": "client",
            "actor_id": "cli", "method": "none", "request_id": "-", "target": target,
            "detail": {}
        });
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_control_characters_removed() {
        let records = [
            record("a\u{1b}[2J\u{202e}b\nc"),
            record("张伟"),
            record("long name"),
        ];
        let table = records_table(&records, &Names::default(), None);
        assert_eq!(
            table,
            "TIME          ACTOR       ACTION           OUTCOME  TARGET     ADDRESS\n\
             not a moment  client cli  session.refused  refused  a[2Jbc     -\n\
             not a moment  client cli  session.refused  refused  张伟       -\n\
             not a moment  client cli  session.refused  refused  long name  -"
        );
    }
}
