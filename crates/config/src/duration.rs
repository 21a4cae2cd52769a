//! Durations in text form: a whole number and one unit, such as `10m` or `90d`.
//!
//! A year is exactly 365 days, here and in every choice of an expiry. Crates that parse durations
//! use 365.25 days, which moves an expiry by six hours.

use std::ops::RangeInclusive;
use std::time::Duration;

/// The units and their seconds, largest first.
const UNITS: [(char, u64); 5] = [
    ('y', 365 * 86_400),
    ('d', 86_400),
    ('h', 3_600),
    ('m', 60),
    ('s', 1),
];

/// The longest duration that a setting accepts: dates stay far from the end of the calendar.
pub(super) const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// Parses a duration; `None` if the text is not one.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let (digits, seconds) = UNITS
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// Parses a duration within bounds.
pub(super) fn parse_within(
    text: &str,
    accepted: &RangeInclusive<Duration>,
) -> Result<Duration, String> {
    let Some(duration) = parse(text) else {
        return Err(format!(
            "{text:?} is not a duration; write a whole number and a unit: s, m, h, d or y, \
             such as {}",
            write(*accepted.start())
        ));
    };
    if accepted.contains(&duration) {
        Ok(duration)
    } else {
        Err(format!(
            "{text:?} is out of bounds; write a duration from {} to {}",
            write(*accepted.start()),
            write(*accepted.end())
        ))
    }
}

/// Parses how long a rotated token stays active beside its successor: `0`, or a duration of at
/// most 30 days.
pub fn overlap(text: &str) -> Result<Duration, String> {
    match parse(text) {
        _ if text == "0" => Ok(Duration::ZERO),
        Some(overlap) if overlap <= DAY * 30 => Ok(overlap),
        _ => Err("write 0 or a duration of at most 30d, such as 90m or 24h".to_owned()),
    }
}

/// Formats a duration of whole seconds in the largest unit that fits, so that it parses back.
pub(super) fn write(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let whole = |(_, unit): &&(char, u64)| seconds != 0 && seconds.is_multiple_of(*unit);
    let (name, unit) = UNITS.iter().find(whole).unwrap_or(&('s', 1));
    format!("{}{name}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("5s", 5),
            ("10m", 600),
            ("24h", 86_400),
            ("90d", 7_776_000),
            ("1y", 31_536_000),
            ("007d", 604_800),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for bad in [
            "",
            "5",
            "s",
            "-5s",
            "+5s",
            "5 s",
            " 5s",
            "5S",
            "1M",
            "1.5h",
            "1h30m",
            "5ms",
            "٥s",
            "99999999999999999999s",
            "9223372036854775807y",
            "18446744073709551616s",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_overlap_may_be_none_and_is_bounded() {
        assert_eq!(overlap("0"), Ok(Duration::ZERO));
        assert_eq!(overlap("0s"), Ok(Duration::ZERO));
        assert_eq!(overlap("24h"), Ok(DAY));
        assert_eq!(overlap("30d"), Ok(DAY * 30));
        for bad in ["31d", "1", "-1h", "soon", ""] {
            assert!(overlap(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_duration_is_written_in_the_largest_unit() {
        for text in ["0s", "1s", "90s", "10m", "25h", "14d", "90d", "1y", "2y"] {
            assert_eq!(parse(text).map(write).as_deref(), Some(text));
        }
    }

    proptest! {
        #[test]
        fn a_written_duration_reads_back(seconds in any::<u64>()) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse(&write(duration)), Some(duration));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse(&text);
        }
    }
}
