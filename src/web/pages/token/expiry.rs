//! The choices for the expiry of a new token.

use crate::web::pages::view::Choice;
use crate::web::pages::view::token_form::ExpiryChoice;
use app::token::Choices;
use chrono::Duration;
use domain::Instant;
use wire::form::Form;

/// The values of the form with their labels and lifetimes in days.
const EXPIRIES: [(&str, &str, Option<i64>); 5] = [
    ("30d", "30 days", Some(30)),
    ("90d", "90 days", Some(90)),
    ("1y", "1 year", Some(365)),
    ("never", "Never", None),
    ("custom", "Custom", None),
];

/// The choices. Selected is the form's value if it is within the longest lifetime, otherwise the
/// one that is nearest to the default.
pub fn choices(choices: &Choices, form: &Form) -> Vec<ExpiryChoice> {
    let now = choices.now;
    let is_over = |value: &str, end: Option<Instant>| match (choices.latest, end) {
        (None, _) => false,
        (Some(latest), Some(end)) => end > latest,
        (Some(_), None) => value != "custom",
    };
    let default = match choices.default_end.map(|end| end - now) {
        None => "never",
        Some(default) if default >= Duration::days(365) => "1y",
        Some(default) if default >= Duration::days(90) => "90d",
        Some(default) if default >= Duration::days(30) => "30d",
        Some(_) => "custom",
    };
    let mut offered: Vec<_> = EXPIRIES
        .iter()
        .map(|(value, label, days)| {
            let end = days.map(|days| now + Duration::days(days));
            let is_over = is_over(value, end);
            ExpiryChoice {
                choice: Choice {
                    value: (*value).to_owned(),
                    label: (*label).to_owned(),
                    selected: false,
                },
                note: match (end, *value) {
                    _ if is_over => "Over the limit".to_owned(),
                    (Some(end), _) => end.format("%-d %b %Y").to_string(),
                    (None, "never") => "Until revoked".to_owned(),
                    (None, _) => "Choose a day".to_owned(),
                },
                is_over,
            }
        })
        .collect();
    let wanted = form.value("expires").unwrap_or_default();
    let at = |value: &str| {
        let is_it = |one: &ExpiryChoice| one.choice.value == value && !one.is_over;
        offered.iter().position(is_it)
    };
    if let Some(at) = at(wanted).or_else(|| at(default)) {
        offered[at].choice.selected = true;
    }
    offered
}
