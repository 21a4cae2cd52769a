//! Rules of single fields, for `#[serde(deserialize_with = "…")]`.

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error};

/// An optional whole number within bounds.
pub fn within<'de, D: Deserializer<'de>, const LEAST: u32, const MOST: u32>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    let Some(number) = Option::<i64>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let within = u32::try_from(number).ok();
    let within = within.filter(|number| (LEAST..=MOST).contains(number));
    within.map(Some).ok_or_else(|| {
        let detail = format!("This is {number}. Send a whole number from {LEAST} to {MOST}.");
        D::Error::custom(detail)
    })
}

/// The same for a key whose absence and `null` differ: `None` if it is absent, `Some(None)` if it
/// is `null`.
pub fn present_within<'de, D: Deserializer<'de>, const LEAST: u32, const MOST: u32>(
    deserializer: D,
) -> Result<Option<Option<u32>>, D::Error> {
    within::<D, LEAST, MOST>(deserializer).map(Some)
}

/// An optional time (RFC 3339).
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let time = DateTime::parse_from_rfc3339(&text)
        .map_err(|_| D::Error::custom("Write an RFC 3339 time such as 2030-01-31T12:00:00Z."))?;
    Ok(Some(time.to_utc()))
}
