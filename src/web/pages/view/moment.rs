//! Times in words.

use chrono::{DateTime, NaiveDate, Utc};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// An instant for display: in words, with the exact time available.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Relative to the request: `3 minutes ago`, `in 90 days`.
    pub relative: String,
    /// Machine-readable: `2026-11-22T01:40:10Z`.
    pub iso: String,
    /// Exact and human-readable: `2026-11-22 01:40:10 UTC`.
    pub title: String,
    /// The date: `22 November 2026`.
    pub day: String,
    /// The date for tables: `22 Nov 2026`.
    pub short_day: String,
    /// The date with the day of the week: `Sunday, 22 November 2026`.
    pub weekday: String,
    /// The time of day in UTC: `01:40:10`.
    pub clock: String,
}

impl Moment {
    /// Describes `at` relative to `now`.
    pub fn new(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            relative: relative((at - now).num_seconds()),
            iso: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            title: at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            day: day_words(at.date_naive()),
            short_day: at.format("%-d %b %Y").to_string(),
            weekday: at.format("%A, %-d %B %Y").to_string(),
            clock: at.format("%H:%M:%S").to_string(),
        }
    }

    /// The distance without the direction: `3 minutes`.
    pub fn distance(&self) -> &str {
        let ahead = self.relative.strip_prefix("in ");
        let ago = self.relative.strip_suffix(" ago");
        ahead.or(ago).unwrap_or("less than a minute")
    }
}

/// The rows of a log by day, in their order.
pub fn by_day<T>(rows: &[T], at: impl Fn(&T) -> &Moment) -> Vec<(&str, &[T])> {
    let days = rows.chunk_by(|a, b| at(a).weekday == at(b).weekday);
    days.filter_map(|day| Some((at(day.first()?).weekday.as_str(), day)))
        .collect()
}

/// A date in words: `22 November 2026`.
pub fn day_words(day: NaiveDate) -> String {
    day.format("%-d %B %Y").to_string()
}

fn relative(seconds_ahead: i64) -> String {
    let seconds = seconds_ahead.unsigned_abs();
    match (seconds < MINUTE, seconds_ahead > 0) {
        (true, true) => "in less than a minute".to_owned(),
        (true, false) => "just now".to_owned(),
        (false, true) => format!("in {}", duration_words(seconds)),
        (false, false) => format!("{} ago", duration_words(seconds)),
    }
}

/// A duration in its largest unit, rounded to the nearest: `4 minutes`, `90 days`.
pub fn duration_words(seconds: u64) -> String {
    let rounded = |unit: u64| (seconds + unit / 2) / unit;
    // Days are used below 100, so that a token with 90 days shows this number.
    let (count, unit) = if seconds < MINUTE {
        (seconds, "second")
    } else if rounded(MINUTE) < 60 {
        (rounded(MINUTE), "minute")
    } else if rounded(HOUR) < 24 {
        (rounded(HOUR), "hour")
    } else if rounded(DAY) < 100 {
        (rounded(DAY), "day")
    } else if rounded(DAY) < 365 {
        (rounded(30 * DAY), "month")
    } else {
        (rounded(365 * DAY), "year")
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone};

    #[test]
    fn relative_time_is_in_words() {
        for (seconds, words) in [
            (0, "just now"),
            (-59, "just now"),
            (1, "in less than a minute"),
            (-60, "1 minute ago"),
            (-170, "3 minutes ago"),
            (599, "in 10 minutes"),
            (59 * 60 + 40, "in 1 hour"),
            (-(23 * 3600 + 50 * 60), "1 day ago"),
            (90 * 86_400 - 2, "in 90 days"),
            (200 * 86_400, "in 7 months"),
            (365 * 86_400 - 2, "in 1 year"),
            (-800 * 86_400, "2 years ago"),
        ] {
            assert_eq!(relative(seconds), words, "{seconds}");
        }
    }

    #[test]
    fn moment_includes_the_exact_time() {
        let at = Utc.with_ymd_and_hms(2026, 11, 22, 1, 40, 10).unwrap();
        let moment = Moment::new(at, at + TimeDelta::minutes(3));
        assert_eq!(moment.relative, "3 minutes ago");
        assert_eq!(moment.iso, "2026-11-22T01:40:10Z");
        assert_eq!(moment.title, "2026-11-22 01:40:10 UTC");
        assert_eq!(moment.day, "22 November 2026");
        assert_eq!(moment.short_day, "22 Nov 2026");
        assert_eq!(moment.weekday, "Sunday, 22 November 2026");
        assert_eq!(moment.clock, "01:40:10");
        assert_eq!(moment.distance(), "3 minutes");
        assert_eq!(Moment::new(at, at).distance(), "less than a minute");
        let before = Moment::new(at, at - TimeDelta::days(5));
        assert_eq!(before.distance(), "5 days");
    }
}
