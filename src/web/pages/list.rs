//! Paginated lists. The URL of a page names the last item of the previous page. It is unsigned:
//! changing it only shows another page of a list that the user may see anyway.

use domain::Instant;
use domain::page::{Page, Position};
use wire::form::Form;

/// Number of items on a page.
const SHOWN: u16 = 50;

/// The page that a query requests. An invalid position means the first page.
pub fn page(query: &Form) -> Page {
    page_after(query, "after")
}

/// The same for one of several lists, with its position in `parameter`.
pub fn page_after(query: &Form, parameter: &str) -> Page {
    Page {
        limit: SHOWN,
        after: query.value(parameter).and_then(read),
    }
}

/// Truncates the items to the page and returns the URL of the next page.
pub fn cut<T>(
    page: &Page,
    found: &mut Vec<T>,
    path: &str,
    position: impl Fn(&T) -> Position,
) -> Option<String> {
    cut_after(page, found, &format!("{path}?after="), position)
}

/// The same for one of several lists; `address` is the URL up to the position.
pub fn cut_after<T>(
    page: &Page,
    found: &mut Vec<T>,
    address: &str,
    position: impl Fn(&T) -> Position,
) -> Option<String> {
    let goes_on = page.cut(found);
    let last = found.last().filter(|_| goes_on)?;
    let (at, id) = position(last);
    Some(format!("{address}{}.{id}", at.timestamp_millis()))
}

fn read(text: &str) -> Option<Position> {
    let (at, id) = text.split_once('.')?;
    let at = Instant::from_timestamp_millis(at.parse().ok()?)?;
    // Only the years that databases support, up to 9999.
    let is_usual = (0..253_402_300_800_000).contains(&at.timestamp_millis());
    let is_id = id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    (is_usual && is_id).then(|| (at, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_url_names_the_last_item() {
        let at = Instant::from_timestamp_millis(1_795_348_800_123).unwrap();
        let page = Page {
            limit: 1,
            after: None,
        };
        let position = |id: &&str| (at, (*id).to_owned());
        let mut found = vec!["tok_1", "tok_2"];
        let next = cut(&page, &mut found, "/tokens", position);
        assert_eq!(next.as_deref(), Some("/tokens?after=1795348800123.tok_1"));
        assert_eq!(found, ["tok_1"]);
        assert_eq!(cut(&page, &mut found, "/tokens", position), None);
        assert_eq!(read("1795348800123.tok_1"), Some((at, "tok_1".to_owned())));
    }

    #[test]
    fn invalid_position_is_ignored() {
        for bad in [
            "",
            "1",
            ".x",
            "x.tok_1",
            "1.tok 1",
            "-1.tok_1",
            "9999999999999999.x",
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
