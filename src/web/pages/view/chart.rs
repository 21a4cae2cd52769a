//! A chart of uses per day, drawn without scripts.

use super::moment::day_words;
use chrono::NaiveDate;

/// The height of the chart; the number of bars determines its width.
const HEIGHT: u64 = 100;
/// The width of a bar and the gap after it.
const STEP: usize = 10;
/// The minimum height of a bar, so that a single use is visible.
const LEAST: u64 = 3;

/// Uses per day, as bars. The browser stretches the chart to the available width.
#[derive(Debug, Clone)]
pub struct UseChart {
    /// The bars, the earliest first.
    pub bars: Vec<Bar>,
    /// Number of uses on all days.
    pub total: u64,
    /// Number of uses on the busiest day.
    pub most: u64,
    /// The busiest day; `None` if there was no use.
    pub busiest: Option<String>,
}

/// One day.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The day: `22 November 2026`.
    pub day: String,
    /// Number of uses.
    pub count: u64,
    /// Its left edge.
    pub x: usize,
    /// Its upper edge.
    pub y: u64,
    /// Its height.
    pub height: u64,
}

impl UseChart {
    /// Builds the chart from counts per day.
    pub fn new(days: &[(NaiveDate, u64)]) -> Self {
        let most = days.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let height = |count: u64| match count {
            0 => 0,
            count => (count * HEIGHT / most).max(LEAST),
        };
        let bars: Vec<_> = days
            .iter()
            .enumerate()
            .map(|(n, (day, count))| Bar {
                day: day_words(*day),
                count: *count,
                x: n * STEP,
                y: HEIGHT - height(*count),
                height: height(*count),
            })
            .collect();
        let busiest = bars.iter().rev().find(|bar| bar.count == most && most > 0);
        Self {
            total: days.iter().map(|(_, count)| *count).sum(),
            busiest: busiest.map(|bar| bar.day.clone()),
            most,
            bars,
        }
    }

    /// The width of the chart, without the gap after the last bar.
    pub fn width(&self) -> usize {
        (self.bars.len() * STEP).saturating_sub(2)
    }

    /// Uses per day on average, rounded.
    pub fn average(&self) -> u64 {
        let days = u64::try_from(self.bars.len()).unwrap_or(1).max(1);
        (self.total + days / 2) / days
    }

    /// The first day.
    pub fn first(&self) -> &str {
        self.bars.first().map_or("", |bar| &bar.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busiest_day_has_the_highest_bar_and_one_use_is_visible() {
        let day = |n| NaiveDate::from_ymd_opt(2026, 11, n).unwrap();
        let chart = UseChart::new(&[
            (day(1), 0),
            (day(2), 1),
            (day(3), 1_000_000),
            (day(4), 500_000),
        ]);
        let bars: Vec<_> = chart
            .bars
            .iter()
            .map(|bar| (bar.x, bar.y, bar.height))
            .collect();
        assert_eq!(bars, [(0, 100, 0), (10, 97, 3), (20, 0, 100), (30, 50, 50)]);
        assert_eq!(chart.busiest.as_deref(), Some("3 November 2026"));
        assert_eq!(
            (chart.total, chart.most, chart.width()),
            (1_500_001, 1_000_000, 38)
        );
    }

    #[test]
    fn chart_without_uses_has_no_busiest_day() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let chart = UseChart::new(&[(day, 0)]);
        assert_eq!((chart.busiest, chart.total), (None, 0));
    }
}
