//! The table of `docs/reference/systems.md`, generated from the tests: each line is the comment of
//! a test that checks it.

use super::system::example;
use crate::docs::assert_generated;
use crate::support::source::root;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The systems: letter, name, folder in `examples/`, and number of statements.
const SYSTEMS: [(char, &str, &str, usize); 5] = [
    ('a', "Cloud Waste Scanner", "cloud-waste-scanner", 24),
    ('b', "Comwit Cloud", "comwit-cloud", 35),
    ('c', "CMDOP", "cmdop", 25),
    ('d', "CloudAIPilot", "cloudaipilot", 20),
    ('e', "walwarden", "walwarden", 27),
];

/// The verdicts, as a comment starts them.
const VERDICTS: [&str; 3] = ["Holds", "Differently", "Does not hold"];

/// A statement with its test.
struct Line {
    test: String,
    statement: String,
    /// Index in [`VERDICTS`].
    verdict: usize,
    reason: String,
}

/// The comment above a test, as paragraphs.
fn paragraphs(above: &[&str]) -> Vec<String> {
    let mut comment: Vec<_> = above
        .iter()
        .rev()
        .skip_while(|line| line.starts_with("#["))
        .map_while(|line| line.strip_prefix("///"))
        .collect();
    comment.reverse();
    let joined = comment.join("\n");
    let parts = joined.split("\n\n");
    parts
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|part| !part.is_empty())
        .collect()
}

/// The statements of a source file by number.
fn read(path: &Path, letter: char, found: &mut BTreeMap<usize, Line>) {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let Some((_, rest)) = line.split_once("fn ") else {
            continue;
        };
        let Some(number) = rest.strip_prefix(&format!("{letter}_")) else {
            continue;
        };
        let test = rest.split('(').next().unwrap().to_owned();
        assert!(
            lines[..at]
                .iter()
                .rev()
                .take(2)
                .any(|line| line.ends_with("test]")),
            "{test} is no test"
        );
        let number: usize = number.split('_').next().unwrap().parse().unwrap();
        let mut said = paragraphs(&lines[..at]).into_iter();
        let statement = said.next().unwrap_or_else(|| panic!("{test} says nothing"));
        let other = said.next().unwrap_or_default();
        let (verdict, reason) = (1..VERDICTS.len())
            .find_map(|at| {
                let rest = other.strip_prefix(VERDICTS[at])?.strip_prefix(": ")?;
                Some((at, rest.to_owned()))
            })
            .unwrap_or_default();
        let line = Line {
            test,
            statement: statement.replace('|', "\\|"),
            verdict,
            reason,
        };
        assert!(found.insert(number, line).is_none(), "{letter}_{number}");
    }
}

/// Lines of a file that are neither empty nor comments.
fn lines_of(folder: &str, name: &str) -> usize {
    let text = example(folder, name);
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .count()
}

#[test]
fn table_of_systems_is_current() {
    let mut counts = String::new();
    let mut tables = String::new();
    let mut sums = [0; VERDICTS.len()];
    for (letter, name, folder, number) in SYSTEMS {
        let mut lines = BTreeMap::new();
        let sources = root().join("tests/seeds").join(folder.replace('-', "_"));
        for entry in fs::read_dir(sources).unwrap() {
            read(&entry.unwrap().path(), letter, &mut lines);
        }
        let numbers: Vec<_> = lines.keys().copied().collect();
        assert_eq!(numbers, (1..=number).collect::<Vec<_>>(), "{name}");

        let of = |verdict| {
            lines
                .values()
                .filter(|line| line.verdict == verdict)
                .count()
        };
        let verdicts = [of(0), of(1), of(2)];
        sums.iter_mut()
            .zip(verdicts)
            .for_each(|(sum, of)| *sum += of);
        let [holds, differently, not] = verdicts;
        let (server, client) = (
            lines_of(folder, "doorcode.toml"),
            lines_of(folder, "branding.toml"),
        );
        writeln!(
            counts,
            "| [{name}](../../examples/{folder}/README.md) | {number} | {holds} | {differently} | {not} | {server} | {client} |"
        )
        .unwrap();
        write!(
            tables,
            "\n## {name}\n\n| | statement | verdict | test |\n|---|---|---|---|\n"
        )
        .unwrap();
        for (number, line) in &lines {
            let mut verdict = VERDICTS[line.verdict].to_lowercase();
            if !line.reason.is_empty() {
                write!(verdict, ": {}", line.reason).unwrap();
            }
            writeln!(
                tables,
                "| {}{number} | {} | {verdict} | `{}` |",
                letter.to_ascii_uppercase(),
                line.statement,
                line.test
            )
            .unwrap();
        }
    }
    let [holds, differently, not] = sums;
    let all = holds + differently + not;
    let expected = format!(
        "\n| system | statements | hold | differently | do not hold | lines of doorcode.toml | of branding.toml |\n\
         |---|---|---|---|---|---|---|\n{counts}| all | {all} | {holds} | {differently} | {not} | | |\n{tables}\n"
    );
    assert_generated("docs/reference/systems.md", "systems", &expected);
}
