//! The reference pages of `docs` match the program.
//!
//! `DOORCODE_WRITE_DOCS=1 cargo test docs` writes their generated parts.

use crate::api::description::described;
use crate::public_text::list_help;
use crate::support::TestApp;
use crate::support::source::root;
use doorcode::config::Config;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

fn read(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).unwrap()
}

/// The part of a page between the marker with this name and the end marker, against `expected`.
#[track_caller]
pub fn assert_generated(page: &str, name: &str, expected: &str) {
    let marker = format!("<!-- generated: {name} -->\n");
    let text = read(page);
    let (before, rest) = text.split_once(&marker).unwrap();
    let (found, after) = rest.split_once("<!-- end -->").unwrap();
    if std::env::var_os("DOORCODE_WRITE_DOCS").is_some() {
        let written = format!("{before}{marker}{expected}<!-- end -->{after}");
        std::fs::write(root().join(page), written).unwrap();
        return;
    }
    assert!(
        found == expected,
        "{page} is stale: DOORCODE_WRITE_DOCS=1 cargo test docs writes it"
    );
}

#[test]
fn command_line_reference_is_current() {
    let mut help = String::new();
    list_help(&[], &mut help);
    let expected = format!("\n```text\n{}\n```\n\n", help.trim());
    assert_generated("docs/reference/cli.md", "help", &expected);
}

/// Servers answer from this file.
#[test]
fn openapi_description_is_current() {
    const FILE: &str = "docs/reference/openapi.json";
    let expected = serde_json::to_string_pretty(&doorcode::web::openapi::describe()).unwrap();
    if std::env::var_os("DOORCODE_WRITE_DOCS").is_some() {
        std::fs::write(root().join(FILE), expected + "\n").unwrap();
        return;
    }
    assert!(
        read(FILE).trim_end() == expected,
        "{FILE} is stale: DOORCODE_WRITE_DOCS=1 cargo test docs writes it"
    );
}

#[actix_web::test]
async fn metrics_reference_is_current() {
    let test = TestApp::start().await;
    // A metric is listed once it has a value.
    test.anon().get(test.at("/healthz")).send().await.unwrap();
    let answer = test.anon().get(test.at("/metrics")).send().await;
    let figures = answer.unwrap().text().await.unwrap();
    let types: BTreeMap<_, _> = figures
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    let mut table = "\n| metric | type | meaning |\n|---|---|---|\n".to_owned();
    for (name, help) in figures
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '))
    {
        writeln!(table, "| `{name}` | {} | {help} |", types[name]).unwrap();
    }
    assert!(table.lines().count() > 5, "{table}");
    assert_generated("docs/reference/metrics.md", "metrics", &(table + "\n"));
}

#[actix_web::test]
async fn api_reference_is_current() {
    let test = TestApp::start().await;
    let document = described(&test).await;
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let scopes: Vec<_> = operation["security"][0]["bearer"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|scope| format!("`{}`", scope.as_str().unwrap()))
                .collect();
            let group = operation["tags"][0].as_str().unwrap();
            groups.entry(group).or_default().push(format!(
                "| `{} {path}` | {} | {} |\n",
                method.to_uppercase(),
                // A long summary has line breaks, which would end the row of the table.
                operation["summary"].as_str().unwrap().replace('\n', " "),
                scopes.join(", "),
            ));
        }
    }
    let mut listed = String::new();
    for (group, rows) in groups {
        let rows = rows.concat();
        write!(
            listed,
            "\n### {group}\n\n| request | what it does | scope |\n|---|---|---|\n{rows}"
        )
        .unwrap();
    }
    assert_generated("docs/reference/http-api.md", "operations", &(listed + "\n"));
}

/// `section.key` of each value in a table.
fn keys(settings: &toml::Table) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (section, value) in settings {
        if let Some(values) = value.as_table() {
            found.extend(values.keys().map(|key| format!("{section}.{key}")));
        }
    }
    found
}

/// The page names each setting, and only settings that exist.
#[test]
fn configuration_reference_is_complete() {
    let page = read("docs/reference/configuration.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let documented: toml::Table = example.parse().unwrap();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("doorcode.toml");
    let logo = home.path().join("logo.svg").display().to_string();
    std::fs::copy(root().join("static/icon.svg"), &logo).unwrap();
    let logos = example.replace("logo-dark.svg", &logo);
    let logos = logos.replace("\"logo.svg", &format!("\"{logo}"));
    std::fs::write(&path, logos).unwrap();
    let config = Config::load(Some(&path), []).unwrap();
    let effective: toml::Table = config.describe().parse().unwrap();
    assert_eq!(keys(&documented), keys(&effective));
}

/// Each relative link of the documentation leads to a file.
#[test]
fn links_lead_to_files() {
    let mut pages = vec![root().join("docs")];
    let mut found = Vec::new();
    while let Some(path) = pages.pop() {
        match path.is_dir() {
            true => pages.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path())),
            false if path.extension().is_some_and(|kind| kind == "md") => found.push(path),
            false => {}
        }
    }
    found.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| root().join(page)));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(found.len() > 20, "{found:?}");
    let mut broken = Vec::new();
    for page in found {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let file = link.split('#').next().unwrap();
            let is_local = !file.is_empty() && !file.contains("://");
            if is_local && !page.parent().unwrap().join(file).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    let lines = read("README.md").lines().count();
    assert!(lines <= 200, "README.md has {lines} lines");
}
