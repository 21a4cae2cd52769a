//! The examples for Prometheus and Grafana fit the metrics.

use crate::support::TestApp;
use crate::support::source::root;
use std::collections::BTreeSet;

const BOARD: &str = "examples/monitoring/grafana.json";
const RULES: &str = "examples/monitoring/alerts.yml";

/// The names of all samples: a counter ends in `_total`, a histogram has three of them.
async fn names() -> BTreeSet<String> {
    let test = TestApp::start().await;
    // A metric of requests is listed once it has a value.
    test.anon().get(test.at("/healthz")).send().await.unwrap();
    let answer = test.anon().get(test.at("/metrics")).send().await;
    let figures = answer.unwrap().text().await.unwrap();
    figures
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect()
}

/// The metrics of Doorcode that a text names.
fn named(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("doorcode_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[actix_web::test]
async fn board_and_rules_name_metrics_that_exist() {
    let names = names().await;
    let mut used = BTreeSet::new();
    for file in [BOARD, RULES] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let missing: Vec<_> = named(&text).difference(&names).cloned().collect();
        assert!(missing.is_empty(), "{file} names {missing:?}");
        used.extend(named(&text));
    }
    // The board or a rule shows each metric.
    for name in &names {
        let base = ["_bucket", "_sum", "_count", "_records"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        let is_used = used.iter().any(|used| used.starts_with(base));
        assert!(is_used, "{name} is on no board and in no rule");
    }
}

#[test]
fn board_is_a_grafana_board() {
    let text = std::fs::read_to_string(root().join(BOARD)).unwrap();
    let board: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for target in targets {
            assert_balanced(target["expr"].as_str().unwrap());
        }
    }
}

#[track_caller]
fn assert_balanced(expression: &str) {
    for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
        let count = |c| expression.matches(c).count();
        assert_eq!(count(open), count(close), "{expression}");
    }
}

/// The lines of the rules, each with its depth. They use a small part of YAML, without flow
/// collections, anchors or tabs.
fn lines(text: &str) -> Vec<(usize, &str)> {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|line| (line.len() - line.trim_start().len(), line.trim()))
        .collect()
}

#[test]
fn rules_have_the_form_of_prometheus() {
    let text = std::fs::read_to_string(root().join(RULES)).unwrap();
    assert!(!text.contains('\t'));
    let lines = lines(&text);
    assert_eq!(lines[0], (0, "groups:"));
    assert_eq!(lines[1..3], [(2, "- name: doorcode"), (4, "rules:")]);
    let mut names = BTreeSet::new();
    let rules = lines[3..].split(|(depth, line)| *depth == 6 && !line.starts_with("- alert: "));
    assert_eq!(rules.count(), 1, "something else than a rule");
    let starts = lines
        .iter()
        .enumerate()
        .filter(|(_, (_, line))| line.starts_with("- alert: "))
        .map(|(at, _)| at)
        .chain([lines.len()])
        .collect::<Vec<_>>();
    for rule in starts.windows(2).map(|range| &lines[range[0]..range[1]]) {
        let name = rule[0].1.strip_prefix("- alert: ").unwrap();
        assert!(names.insert(name), "{name} is there twice");
        assert_eq!(rule[0].0, 6);
        let keys: Vec<_> = rule[1..]
            .iter()
            .filter(|(depth, _)| *depth == 8)
            .map(|(_, line)| line.split_once(':').unwrap().0)
            .collect();
        assert_eq!(keys, ["expr", "for", "labels", "annotations"], "{name}");
        let inner: Vec<_> = rule
            .iter()
            .filter(|(depth, line)| *depth == 10 && line.contains(": "))
            .map(|(_, line)| line.split_once(": ").unwrap())
            .filter(|(key, _)| !key.contains(' ') && !key.contains('('))
            .collect();
        let [(severity, level), (summary, said), (description, more)] = inner[..] else {
            panic!("{name}: {inner:?}");
        };
        assert_eq!(
            [severity, summary, description],
            ["severity", "summary", "description"]
        );
        assert!(["critical", "warning"].contains(&level), "{name}");
        // A template in braces would be a mapping without quotes.
        for text in [said, more] {
            assert!(
                text.starts_with('"') && text.ends_with('"'),
                "{name}: {text}"
            );
        }
        let expression: String = rule
            .iter()
            .skip_while(|(_, line)| !line.starts_with("expr:"))
            .take_while(|(_, line)| !line.starts_with("for:"))
            .map(|(_, line)| *line)
            .collect();
        assert_balanced(&expression);
        // YAML would end a plain text there.
        let plain = expression.strip_prefix("expr: ").unwrap();
        assert!(!plain.contains(": ") && !plain.contains(" #"), "{name}");
    }
    assert!(names.len() > 10);
}
