//! `doorcode audit`: the client commands.

use super::{ClientOptions, Context};
use crate::error::Error;
use crate::output::{plain, table};
use chrono::{DateTime, Local, NaiveDate, NaiveTime, SecondsFormat, Utc};
use domain::audit::personal::is_erased;
use serde_json::Value;
use wire::api::{AuditRecord, List};

/// Maximum page size of the API.
const LARGEST_PAGE: u32 = 100;

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
    #[arg(long, value_name = "ORG")]
    org: Option<String>,
    /// An action, or its first part, such as token
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// The user, token or client that acted, by its id, or a kind of actor, such as operator
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Records by or about this token, by its id
    #[arg(long, value_name = "ID")]
    token: Option<String>,
    /// Records since this date or time, such as 2030-01-31 or 2030-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN", value_parser = read_moment)]
    since: Option<DateTime<Utc>>,
    /// The maximum number of records
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

/// Parses a time, or a date, which means midnight in the local time zone.
fn read_moment(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.to_utc());
    }
    let date: NaiveDate = text
        .parse()
        .map_err(|_| "write a date such as 2030-01-31, or 2030-01-31T12:00:00Z".to_owned())?;
    let midnight = date.and_time(NaiveTime::MIN).and_local_timezone(Local);
    // Where daylight saving time starts at midnight, the day starts later.
    let begins = midnight.earliest().map(|at| at.to_utc());
    Ok(begins.unwrap_or_else(|| date.and_time(NaiveTime::MIN).and_utc()))
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
    let settings = context.settings()?;
    let (client, token) = (settings.client()?, settings.token()?);
    let since = options.since;
    let since = since.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    let filters = [
        ("organization", &options.org),
        ("action", &options.action),
        ("actor", &options.actor),
        ("token", &options.token),
        ("since", &since),
    ];
    let mut found = List::<Value> {
        items: Vec::new(),
        next_cursor: None,
    };
    let mut left = options.limit;
    while left > 0 {
        let limit = left.min(LARGEST_PAGE).to_string();
        let mut query = vec![("limit", limit.as_str())];
        let given = filters.iter();
        query.extend(given.filter_map(|(name, value)| Some((*name, value.as_deref()?))));
        query.extend(
            found
                .next_cursor
                .as_deref()
                .map(|cursor| ("cursor", cursor)),
        );
        let page: List<Value> = client.ask(token, "/v1/audit", &query).await?;
        let count = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        found.items.extend(page.items);
        found.next_cursor = page.next_cursor;
        left = match found.next_cursor {
            Some(_) if count > 0 => left.saturating_sub(count),
            _ => 0,
        };
    }
    let records = found
        .items
        .iter()
        .map(serde::Deserialize::deserialize)
        .collect::<Result<Vec<AuditRecord>, _>>()
        .map_err(|cause| client.unexpected(cause.to_string()))?;
    context.out.answer(&found, records_table(&records))?;
    if found.next_cursor.is_some() {
        context.out.note(format_args!(
            "There are more records. Use --limit {} to show them.",
            options.limit.saturating_mul(2)
        ));
    }
    Ok(())
}

/// The records as an aligned table.
fn records_table(records: &[AuditRecord]) -> String {
    if records.is_empty() {
        return "No records were found.".to_owned();
    }
    let headings = ["TIME", "ACTOR", "ACTION", "TARGET", "ADDRESS"];
    table(headings, records.iter().map(cells))
}

/// The cells of a record; times are in the local time zone.
fn cells(record: &AuditRecord) -> [String; 5] {
    let at = match DateTime::parse_from_rfc3339(&record.at) {
        Ok(at) => at
            .with_timezone(&Local)
            .format("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => record.at.clone(),
    };
    let actor = match (&record.actor_id, record.actor_kind.as_str()) {
        // The prefix of these ids states the kind.
        (Some(id), "user" | "token") => id.clone(),
        (Some(id), kind) => format!("{kind} {id}"),
        (None, kind) => kind.to_owned(),
    };
    let or_dash = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let address = match record.address.as_deref() {
        Some(text) if is_erased(text) => Some("erased"),
        address => address,
    };
    [
        at,
        actor,
        record.action.clone(),
        or_dash(record.target.as_deref()),
        or_dash(address),
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
        let table = records_table(&records);
        assert_eq!(
            table,
            "TIME          ACTOR       ACTION           TARGET     ADDRESS\n\
             not a moment  client cli  session.refused  a[2Jbc     -\n\
             not a moment  client cli  session.refused  张伟       -\n\
             not a moment  client cli  session.refused  long name  -"
        );
    }

    #[test]
    fn since_accepts_a_date_or_a_time() {
        let read = |text| read_moment(text).map(|at| at.to_rfc3339());
        let at = read("2030-01-31T12:00:00+02:00");
        assert_eq!(at.as_deref(), Ok("2030-01-31T10:00:00+00:00"));
        assert!(read("2030-01-31").is_ok_and(|at| at.starts_with("2030-01-3")));
        for bad in ["", "yesterday", "2030-02-30", "2030-01-31T12:00:00"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
