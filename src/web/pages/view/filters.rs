//! Filters of the templates.

use askama::{Result, Template, Values};
use config::Words;
use std::any::Any;
use std::fmt::Display;

/// The key of the words among the values of a rendering.
const WORDS: &str = "words";

/// The values of a rendering.
struct Brand<'a>(&'a Words);

impl Values for Brand<'_> {
    fn get_value<'a>(&'a self, key: &str) -> Option<&'a dyn Any> {
        (key == WORDS).then_some(self.0 as &dyn Any)
    }
}

/// Renders a page, whose texts have these words.
pub fn render(page: &impl Template, words: &Words) -> Result<String> {
    page.render_with_values(&Brand(words))
}

/// A text of the program in the words of the brand; it must not contain names that users chose.
#[askama::filter_fn]
pub fn words(text: impl Display, values: &dyn Values) -> Result<String> {
    reworded(&text.to_string(), values)
}

/// A number with its noun: `1 project`, `3 projects`.
#[askama::filter_fn]
pub fn counted(count: impl Display, values: &dyn Values, noun: &str) -> Result<String> {
    let count = count.to_string();
    let noun = match count.as_str() {
        "1" => noun.to_owned(),
        _ => domain::words::plural(noun),
    };
    Ok(format!("{count} {}", reworded(&noun, values)?))
}

/// A number with a comma before each group of three digits: `12,408`.
#[askama::filter_fn]
pub fn grouped(number: impl Display, _: &dyn Values) -> Result<String> {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    Ok(text)
}

fn reworded(text: &str, values: &dyn Values) -> Result<String> {
    let words: &Words = askama::get_value(values, WORDS)?;
    Ok(words.apply(text).into_owned())
}
