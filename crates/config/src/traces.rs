//! `[traces]`: the export of traces.

use super::table::Table;
use url::Url;

/// The export of traces.
#[derive(Debug, Clone)]
pub struct Traces {
    /// The address of a collector that accepts OTLP over HTTP as JSON, if any.
    pub export_to: Option<Url>,
    /// One of this many requests is recorded, besides those whose trace a trusted proxy records.
    pub one_in: u32,
}

/// Parses the address of a collector; `None` for `off`.
fn parse(text: &str) -> Result<Option<Url>, String> {
    if text == "off" {
        return Ok(None);
    }
    let example = "write off, or an address such as http://127.0.0.1:4318/v1/traces";
    let url =
        Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}; {example}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("names a user or a password; {example}"));
    }
    let is_http = ["http", "https"].contains(&url.scheme()) && url.host().is_some();
    match is_http {
        true => Ok(Some(url)),
        false => Err(format!("{text:?} is no address of HTTP; {example}")),
    }
}

impl Traces {
    pub(super) fn read(table: &mut Table) -> Self {
        let written = |url: &Option<Url>| match url {
            Some(url) => url.to_string(),
            None => "off".to_owned(),
        };
        Self {
            export_to: table.text_as("export_to", None, parse, written),
            one_in: table.number("one_in", 1, 1..=1_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collector_is_an_address_of_http() {
        for text in [
            "http://127.0.0.1:4318/v1/traces",
            "http://collector:4318/v1/traces",
            "https://traces.example.com/v1/traces",
        ] {
            assert_eq!(parse(text).unwrap().unwrap().as_str(), text);
        }
        assert_eq!(parse("off"), Ok(None));
        for (text, reason) in [
            ("", "is no URL"),
            ("collector:4318", "is no address of HTTP"),
            ("grpc://collector:4317", "is no address of HTTP"),
            (
                "https://u:p@traces.example.com",
                "names a user or a password",
            ),
        ] {
            let fault = parse(text).unwrap_err();
            assert!(fault.contains(reason), "{text}: {fault}");
        }
    }
}
