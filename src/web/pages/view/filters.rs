//! Filters of the templates.

use askama::{Result, Template, Values};
use config::Words;
use std::any::Any;
use std::borrow::Cow;
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
    reworded(text.to_string(), values)
}

/// A number with its noun: `1 project`, `3 projects`.
#[askama::filter_fn]
pub fn counted(count: impl Display, values: &dyn Values, noun: &str) -> Result<String> {
    let count = count.to_string();
    let noun = match count.as_str() {
        "1" => noun.to_owned(),
        _ => domain::words::plural(noun),
    };
    Ok(format!("{count} {}", reworded(noun, values)?))
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

fn reworded(text: String, values: &dyn Values) -> Result<String> {
    let words: &Words = askama::get_value(values, WORDS)?;
    let own = match words.apply(&text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(own) => Some(own),
    };
    Ok(own.unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::{Words, render};
    use crate::web::pages::view::filters;
    use askama::Template;

    #[derive(Template)]
    #[template(
        source = r#"{{ "An organization"|words }}: {{ 1|counted("project") }}, {{ 12|counted("project") }}"#,
        ext = "txt"
    )]
    struct OwnWords;

    #[test]
    fn nouns_are_those_of_the_brand() {
        let words = Words {
            organization: "workspace".to_owned(),
            project: "company".to_owned(),
        };
        let text = render(&OwnWords, &words).unwrap();
        assert_eq!(text, "A workspace: 1 company, 12 companies");
    }

    #[derive(Template)]
    #[template(
        source = "{{ 7|grouped }} {{ 999|grouped }} {{ 12408|grouped }} {{ 1000000|grouped }}",
        ext = "txt"
    )]
    struct Numbers;

    #[test]
    fn digits_are_grouped_by_three() {
        let text = render(&Numbers, &Words::default()).unwrap();
        assert_eq!(text, "7 999 12,408 1,000,000");
    }
}
