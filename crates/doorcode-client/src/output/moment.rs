//! Times of the server, as texts.

use chrono::{DateTime, Local, TimeDelta, Utc};

use super::plain;

/// The time on this machine, from which the end of a token is measured.
#[expect(
    clippy::disallowed_methods,
    reason = "the clock that tests set is the one of the server"
)]
pub fn current_time() -> DateTime<Utc> {
    Utc::now()
}

fn read(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
}

/// The end of a token in the local time zone, with the days that are left; `never` without an
/// end.
pub fn end(text: Option<&str>, now: DateTime<Utc>) -> String {
    let Some(text) = text else {
        return "never".to_owned();
    };
    let Some(at) = read(text) else {
        return plain(text).into_owned();
    };
    let local = at.with_timezone(&Local).format("%-d %B %Y, %H:%M (UTC%:z)");
    format!("{local}, {}", left(at - now))
}

/// The same for a table: the day alone.
pub fn end_day(text: Option<&str>, now: DateTime<Utc>) -> String {
    let Some(text) = text else {
        return "never".to_owned();
    };
    match read(text) {
        Some(at) => format!("{}, {}", day(at), left(at - now).trim_start_matches("in ")),
        None => plain(text).into_owned(),
    }
}

/// The day of a time in the local time zone; `never` without a time.
pub fn last_day(text: Option<&str>) -> String {
    match text.map(|text| (text, read(text))) {
        None => "never".to_owned(),
        Some((_, Some(at))) => day(at),
        Some((text, None)) => plain(text).into_owned(),
    }
}

/// How long it is to a time. `None` if the text is not a time, or if it has passed.
pub fn until(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let left = read(text)? - now;
    (left > TimeDelta::zero()).then_some(left)
}

/// How long it is to a time, rounded to the nearest unit, as a text such as `in 5 days`: a token of
/// 90 days has 90 days left after its sign-in.
pub fn left(left: TimeDelta) -> String {
    let rounded = |unit: TimeDelta| (left + unit / 2).num_seconds() / unit.num_seconds();
    let (hours, days) = (rounded(TimeDelta::hours(1)), rounded(TimeDelta::days(1)));
    match (hours, days) {
        _ if left <= TimeDelta::zero() => "ended".to_owned(),
        _ if left < TimeDelta::hours(1) => "in less than an hour".to_owned(),
        (1, _) => "in 1 hour".to_owned(),
        (..24, _) => format!("in {hours} hours"),
        (_, 1) => "in 1 day".to_owned(),
        _ => format!("in {days} days"),
    }
}

fn day(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_is_rounded_to_the_nearest_unit() {
        const DAY: i64 = 24 * 60;
        for (minutes, expected) in [
            (-1, "ended"),
            (0, "ended"),
            (1, "in less than an hour"),
            (59, "in less than an hour"),
            (60, "in 1 hour"),
            (89, "in 1 hour"),
            (90, "in 2 hours"),
            (23 * 60 + 29, "in 23 hours"),
            (23 * 60 + 30, "in 1 day"),
            (DAY, "in 1 day"),
            (DAY + DAY / 2 - 1, "in 1 day"),
            (DAY + DAY / 2, "in 2 days"),
            (14 * DAY - 1, "in 14 days"),
            (90 * DAY - 1, "in 90 days"),
        ] {
            assert_eq!(left(TimeDelta::minutes(minutes)), expected, "{minutes}");
        }
    }

    #[test]
    fn an_end_has_its_day_and_what_is_left() {
        let now = read("2030-01-01T12:00:00Z").unwrap();
        let end_at = |text| (end(text, now), end_day(text, now));
        let never = || "never".to_owned();
        assert_eq!(end_at(None), (never(), never()));
        let (long, short) = end_at(Some("2030-01-11T12:00:00Z"));
        assert!(long.starts_with("11 January 2030, ") || long.starts_with("12 January 2030, "));
        assert!(long.ends_with(", in 10 days") && short.ends_with(", 10 days"));
        let odd = "so\u{1b}on".to_owned();
        assert_eq!(end_at(Some(&odd)), ("soon".to_owned(), "soon".to_owned()));
    }
}
