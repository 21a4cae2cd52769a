//! The log as CSV (RFC 4180) for spreadsheets and other programs. It cannot be verified.

use super::canonical::moment;
use super::chain::Sealed;
use super::record::Record;
use serde_json::Value;

/// The column names.
const COLUMNS: [&str; 18] = [
    "sequence",
    "hash",
    "id",
    "at",
    "action",
    "outcome",
    "actor_kind",
    "actor_id",
    "method",
    "user_id",
    "token_id",
    "client_id",
    "organization_id",
    "target",
    "request_id",
    "address",
    "agent",
    "detail",
];

/// The header line.
pub fn header() -> String {
    line(COLUMNS)
}

/// The line of a record.
pub fn row(Sealed { record, hash }: &Sealed) -> String {
    let Record {
        sequence,
        id,
        at,
        action,
        actor_kind,
        actor_id,
        user_id,
        token_id,
        client_id,
        organization_id,
        target,
        outcome,
        method,
        request_id,
        address,
        agent,
        detail,
        // CSV cannot be verified.
        salt: _,
    } = record;
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        sequence.to_string(),
        hash.to_string(),
        id.clone(),
        moment::write(*at),
        action.clone(),
        outcome.as_str().to_owned(),
        actor_kind.clone(),
        or_empty(actor_id),
        method.as_str().to_owned(),
        or_empty(user_id),
        or_empty(token_id),
        or_empty(client_id),
        or_empty(organization_id),
        or_empty(target),
        request_id.clone(),
        or_empty(address),
        or_empty(agent),
        Value::from(detail.clone()).to_string(),
    ];
    line(cells.map(harmless))
}

/// Marks a cell as text that a spreadsheet would take for a formula.
fn harmless(cell: String) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => format!("'{cell}"),
        false => cell,
    }
}

#[expect(
    clippy::unwrap_used,
    reason = "writes to memory succeed, and the cells are UTF-8"
)]
fn line<C: AsRef<[u8]>>(cells: impl IntoIterator<Item = C>) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(cells).unwrap();
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_marked_as_text() {
        for (cell, written) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("a=1", "a=1"),
            ("'=1", "'=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell.to_owned()), written, "{cell:?}");
        }
    }

    #[test]
    fn separators_in_a_cell_are_quoted() {
        assert_eq!(
            line(["a,b", "c\"d", "e\r\nf", ""]),
            "\"a,b\",\"c\"\"d\",\"e\r\nf\",\r\n"
        );
        assert!(header().starts_with("sequence,hash,id,at,action,"));
    }
}
