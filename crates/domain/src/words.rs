//! Replaces words of the program's texts with those of a brand.

/// A text of the program with words replaced, each given with its replacement: nouns in lower
/// case. Plurals, capitals and articles follow. The text must not contain names that users chose.
/// Names of the program such as `projects:read`, `default_project` or a word in backticks stay.
pub fn replace(text: &str, words: &[(&str, &str)]) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part_of_word) {
        let (before, tail) = rest.split_at(start);
        let end = tail.find(|c| !is_part_of_word(c)).unwrap_or(tail.len());
        let (word, after) = tail.split_at(end);
        replaced.push_str(before);
        let scope = after.strip_prefix(':');
        let is_scope = scope.is_some_and(|end| end.starts_with(char::is_alphanumeric));
        let is_name = is_scope || before.ends_with('`');
        match replacement(word, words).filter(|_| !is_name) {
            Some(own) => {
                fit_article(&mut replaced, &own);
                replaced.push_str(&own);
            }
            None => replaced.push_str(word),
        }
        rest = after;
    }
    replaced + rest
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What replaces a word, in its number and with its capitals; `None` if it stays.
fn replacement(word: &str, words: &[(&str, &str)]) -> Option<String> {
    let lower = word.to_lowercase();
    let own = words.iter().find_map(|&(from, to)| {
        let is_plural = match lower.strip_prefix(from)? {
            "" => false,
            "s" => true,
            _ => return None,
        };
        match (from == to, is_plural) {
            (true, _) => None,
            (false, true) => Some(plural(to)),
            (false, false) => Some(to.to_owned()),
        }
    })?;
    Some(match word {
        word if word == lower => own,
        word if word == word.to_uppercase() => own.to_uppercase(),
        _ => capitalized(&own),
    })
}

/// The regular plural of a noun.
pub fn plural(noun: &str) -> String {
    let is_vowel = |c: char| "aeiou".contains(c);
    if let Some(stem) = noun.strip_suffix('y')
        && !stem.ends_with(is_vowel)
    {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"];
    match hisses.iter().any(|end| noun.ends_with(end)) {
        true => format!("{noun}es"),
        false => format!("{noun}s"),
    }
}

/// The word with a capital at its start.
fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).collect()
}

/// Makes an article at the end of a text fit the next word.
fn fit_article(text: &mut String, next: &str) {
    let next = next.to_lowercase();
    let sounds_like_consonant = ["uni", "use", "eu", "one"];
    let is_vowel = next.starts_with(|c: char| "aeiou".contains(c))
        && !sounds_like_consonant
            .iter()
            .any(|start| next.starts_with(start));
    for (article, fitting) in [("a ", "an "), ("an ", "a "), ("A ", "An "), ("An ", "A ")] {
        let has_it = text
            .strip_suffix(article)
            .is_some_and(|before| !before.ends_with(char::is_alphanumeric));
        if has_it && (fitting.len() > article.len()) == is_vowel {
            text.truncate(text.len() - article.len());
            text.push_str(fitting);
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_but_names_are_not() {
        let words = [("organization", "fleet"), ("project", "environment")];
        for (text, expected) in [
            ("Limit it to an organization", "Limit it to a fleet"),
            ("A project, by its ID", "An environment, by its ID"),
            ("Organizations: none", "Fleets: none"),
            ("ORGANIZATION", "FLEET"),
            ("the organization's projects", "the fleet's environments"),
            ("orgs:read projects:read", "orgs:read projects:read"),
            ("default_project", "default_project"),
            ("Name a `project`.", "Name a `project`."),
            ("an organizational matter", "an organizational matter"),
        ] {
            assert_eq!(replace(text, &words), expected);
            let same = [("organization", "organization"), ("project", "project")];
            assert_eq!(replace(text, &same), text);
        }
    }

    /// A word that replaces another one is not replaced in turn.
    #[test]
    fn each_word_is_replaced_once() {
        let words = [("organization", "project"), ("project", "service")];
        let text = "Projects of an organization";
        assert_eq!(replace(text, &words), "Services of a project");
    }

    #[test]
    fn plurals_and_articles_are_regular_english() {
        for (noun, plurals, with_article) in [
            ("company", "Companies", "A company"),
            ("key", "Keys", "A key"),
            ("box", "Boxes", "A box"),
            ("unit", "Units", "A unit"),
            ("estate", "Estates", "An estate"),
        ] {
            let words = [("organization", noun)];
            assert_eq!(replace("Organizations", &words), plurals);
            assert_eq!(replace("An organization", &words), with_article);
        }
    }
}
