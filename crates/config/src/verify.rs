//! `[verify]`: how `/auth/verify` writes refusals, which proxies hand to the callers of the API.

use super::table::Table;

/// The form of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFormat {
    /// `error` and `error_description` (RFC 6749 section 5.2), with the codes of RFC 6750.
    OAuth,
    /// `code`, `message` and `request_id`.
    Code,
    /// Problem details (RFC 9457), with `code` and `request_id`.
    Problem,
}

/// How refusals are written.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The form of the body.
    pub errors: ErrorFormat,
    /// The code of every 401; `None` for the exact one.
    pub code_401: Option<String>,
    /// The code of every 403 about missing rights; `None` for the exact one.
    pub code_403: Option<String>,
}

impl Verify {
    pub(super) fn read(table: &mut Table) -> Self {
        let formats = [
            ("oauth", ErrorFormat::OAuth),
            ("code", ErrorFormat::Code),
            ("problem", ErrorFormat::Problem),
        ];
        let errors = table.choice("errors", formats, "is not one of oauth, code, problem");
        let mut read = |key| {
            table.text_as(key, None, code, |code: &Option<String>| {
                code.clone().unwrap_or_default()
            })
        };
        Self {
            errors,
            code_401: read("code_401"),
            code_403: read("code_403"),
        }
    }
}

/// A code; empty for none.
fn code(text: &str) -> Result<Option<String>, String> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    match text {
        "" => Ok(None),
        text if text.len() <= 50 && text.bytes().all(legal) => Ok(Some(text.to_owned())),
        text => Err(format!(
            "{text:?} is not a code; write up to 50 letters, digits and _-. such as forbidden"
        )),
    }
}
