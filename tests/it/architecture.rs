//! The layers and the few rules of the source, read from the source itself.

use std::path::{Path, PathBuf};

/// A layer, the layers that it may use, and what it must not mention.
struct Layer {
    name: &'static str,
    uses: &'static [&'static str],
    never: &'static [&'static str],
}

const ACTIX: &str = "actix";
const ASKAMA: &str = "askama";
const DIESEL: &str = "diesel";
const RAND: &str = "rand";
const TOKIO: &str = "tokio";

/// From the first to the last; each uses only layers above its own.
const LAYERS: [Layer; 7] = [
    Layer {
        name: "domain",
        uses: &[],
        never: &[
            ACTIX, DIESEL, TOKIO, ASKAMA, RAND, "reqwest", "now", "SystemTime", "Local", "fs",
            "env", "process", "thread", "TcpStream", "TcpListener", "UdpSocket",
        ],
    },
    Layer {
        name: "config",
        uses: &["domain"],
        never: &[ACTIX, DIESEL, TOKIO, ASKAMA, RAND, "reqwest", "now", "static"],
    },
    Layer {
        name: "wire",
        uses: &["domain"],
        never: &[ACTIX, DIESEL, TOKIO, ASKAMA, RAND, "reqwest", "now"],
    },
    Layer {
        name: "store",
        uses: &["domain", "config"],
        never: &[ACTIX, ASKAMA, RAND, "reqwest", "now"],
    },
    Layer {
        name: "app",
        uses: &["domain", "config", "wire", "store"],
        never: &[ACTIX, ASKAMA, DIESEL, "reqwest"],
    },
    Layer {
        name: "web",
        uses: &["domain", "config", "wire", "app"],
        never: &[DIESEL, RAND, "reqwest", "SystemTime", "Utc"],
    },
    Layer {
        name: "cli",
        uses: &["domain", "wire"],
        never: &[ACTIX, DIESEL, ASKAMA, RAND, "SystemTime", "Utc"],
    },
];

/// A source file, split into words and signs, without comments, texts and tests.
struct Source {
    path: PathBuf,
    tokens: Vec<String>,
    lines: usize,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        Self {
            path: path.strip_prefix(root()).unwrap().to_owned(),
            tokens: without_tests(tokens(&text)),
            lines: text.lines().count(),
        }
    }

    /// The first folder or file below `src`: the layer.
    fn layer(&self) -> String {
        let below = self.path.strip_prefix("src").unwrap();
        let first = below.iter().next().unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    }

    fn is_test(&self) -> bool {
        let name = self.path.to_str().unwrap();
        name.contains("/tests/") || name.ends_with("_tests.rs")
    }

    /// Whether these words and signs stand in it, one after the other.
    fn has(&self, sequence: &[&str]) -> bool {
        let mut windows = self.tokens.windows(sequence.len());
        windows.any(|window| window == sequence)
    }

    /// A word of the name itself, or of a crate with that beginning: `actix_web` is `actix`.
    fn mentions(&self, name: &str) -> bool {
        let prefix = format!("{name}_");
        let is_crate = [ACTIX, ASKAMA, DIESEL, TOKIO].contains(&name);
        self.tokens
            .iter()
            .any(|token| token == name || (is_crate && token.starts_with(&prefix)))
    }

    /// The layers that it uses, by `crate::x` or `crate::{x, y}`.
    fn layers_used(&self) -> Vec<String> {
        let mut used = Vec::new();
        for (at, window) in self.tokens.windows(3).enumerate() {
            if !matches!(window[0].as_str(), "crate" | "doorcode") || window[1] != "::" {
                continue;
            }
            if window[2] != "{" {
                used.push(window[2].clone());
                continue;
            }
            let mut depth = 0;
            for (token, before) in self.tokens[at + 2..].iter().zip(&self.tokens[at + 1..]) {
                match token.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ if depth == 1 && matches!(before.as_str(), "{" | ",") => {
                        used.push(token.clone());
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        used
    }
}

/// The words and signs of Rust, without comments and texts.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = |pattern: &str| rest.find(pattern).map_or(rest.len(), |at| at + pattern.len());
        let length = if rest.starts_with("//") {
            end("\n")
        } else if rest.starts_with("/*") {
            end("*/")
        } else if let Some(hashes) = raw_text(rest) {
            let opening = rest.find('"').unwrap() + 1;
            let closing = format!("\"{hashes}");
            opening + rest[opening..].find(&closing).unwrap() + closing.len()
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else if first.is_alphanumeric() || first == '_' {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The hashes of a raw text that begins here.
fn raw_text(rest: &str) -> Option<String> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then(|| "#".repeat(hashes))
}

/// Whether the quote begins a character and no lifetime.
fn is_character(rest: &str) -> bool {
    let mut after = rest.chars().skip(1);
    after.next() == Some('\\') || after.next() == Some('\'')
}

/// The length of a text in quotes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Tests stand at the end of a file, in a module of their own.
fn without_tests(mut tokens: Vec<String>) -> Vec<String> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    if let Some(at) = tokens
        .windows(attribute.len())
        .position(|window| window == attribute)
        // A module in a file of its own is a line, after which the file goes on.
        .filter(|at| tokens.get(at + attribute.len() + 1).is_some_and(|token| token == "{"))
    {
        tokens.truncate(at);
    }
    tokens
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

fn sources() -> Vec<Source> {
    files("src").iter().map(|path| Source::read(path)).collect()
}

/// Nothing wrong, or all of it at once.
#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn each_layer_uses_only_layers_above_its_own() {
    let mut wrong = Vec::new();
    for (at, layer) in LAYERS.iter().enumerate() {
        for used in layer.uses {
            assert!(LAYERS[..at].iter().any(|above| above.name == *used), "{used}");
        }
        let own: Vec<_> = sources()
            .into_iter()
            .filter(|source| source.layer() == layer.name)
            .collect();
        assert!(!own.is_empty(), "{}", layer.name);
        for source in own {
            for used in source.layers_used() {
                let is_layer = LAYERS.iter().any(|other| other.name == used);
                if is_layer && used != layer.name && !layer.uses.contains(&used.as_str()) {
                    wrong.push(format!("{}: uses crate::{used}", source.path.display()));
                }
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn no_layer_mentions_what_is_not_its_business() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let layer = source.layer();
        for layer in LAYERS.iter().filter(|other| other.name == layer) {
            for name in layer.never.iter().filter(|name| source.mentions(name)) {
                wrong.push(format!("{}: mentions {name}", source.path.display()));
            }
        }
    }
    assert_none(&wrong);
}

/// Only what wires everything stands beside the layers.
#[test]
fn every_file_belongs_to_a_layer() {
    let others = ["lib", "main", "command"];
    let strangers: Vec<_> = sources()
        .iter()
        .filter(|source| {
            let layer = source.layer();
            !others.contains(&layer.as_str()) && LAYERS.iter().all(|other| other.name != layer)
        })
        .map(|source| source.path.display().to_string())
        .collect();
    assert_none(&strangers);
}

#[test]
fn time_and_random_bytes_have_one_source() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        if source.path == Path::new("src/app/mod.rs") {
            assert!(source.has(&["Utc", "::", "now"]) && source.mentions(RAND));
            continue;
        }
        let asks_clock = source.has(&["Utc", "::", "now"])
            || source.has(&["Local", "::", "now"])
            || source.has(&["SystemTime", "::", "now"]);
        if asks_clock || source.mentions(RAND) || source.mentions("getrandom") {
            wrong.push(source.path.display().to_string());
        }
    }
    assert_none(&wrong);
}

#[test]
fn nothing_is_left_open_and_no_failure_is_a_panic() {
    let mut wrong = Vec::new();
    for source in sources() {
        let never = [
            (&[".", "unwrap", "("][..], "unwrap()"),
            (&[".", "expect", "("], "expect()"),
            (&["todo", "!"], "todo!"),
            (&["unimplemented", "!"], "unimplemented!"),
            (&["dbg", "!"], "dbg!"),
            (&["#", "[", "allow"], "#[allow] instead of #[expect]"),
        ];
        let excused = source.has(&["clippy", "::", "unwrap_used"])
            || source.has(&["clippy", "::", "expect_used"]);
        for (sequence, name) in never {
            let is_panic = name.ends_with("()");
            if source.has(sequence) && !(is_panic && (source.is_test() || excused)) {
                wrong.push(format!("{}: {name}", source.path.display()));
            }
        }
    }
    for path in ["src", "tests"].into_iter().flat_map(files) {
        let text = std::fs::read_to_string(&path).unwrap();
        let tokens = tokens(&text);
        let has = |sequence: &[&str]| {
            let mut windows = tokens.windows(sequence.len());
            windows.any(|window| window == sequence)
        };
        if has(&["#", "[", "ignore"]) {
            wrong.push(format!("{}: #[ignore]", path.display()));
        }
        if path.starts_with(root().join("tests"))
            && (has(&["thread", "::", "sleep"]) || has(&["time", "::", "sleep"]))
        {
            wrong.push(format!("{}: sleeps", path.display()));
        }
        for mark in ["TODO", "FIXME", "XXX:"] {
            let is_here = path.ends_with("architecture.rs");
            if !is_here && text.contains(mark) {
                wrong.push(format!("{}: {mark}", path.display()));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let long: Vec<_> = ["src", "tests"]
        .into_iter()
        .flat_map(files)
        .map(|path| Source::read(&path))
        .filter(|source| source.lines > 400)
        .map(|source| format!("{}: {} lines", source.path.display(), source.lines))
        .collect();
    assert_none(&long);
}

/// The reader itself must not be blind.
#[test]
fn the_reader_sees_code_and_skips_the_rest() {
    let text = r##"
        // crate::web in a comment, /* and */ too
        /* diesel */ use crate::{domain, store::{self, Conn}, web::Page};
        fn f<'a>(c: &'a str) -> char { let _ = "actix \" tokio"; let _ = r#"a " rand"#; 'x' }
        const QUOTE: char = '\''; use doorcode::app::App;
        #[cfg(test)]
        mod tests { use crate::cli; }
    "##;
    let source = Source {
        path: "src/x.rs".into(),
        tokens: without_tests(tokens(text)),
        lines: 0,
    };
    assert_eq!(source.layers_used(), ["domain", "store", "web", "app"]);
    for hidden in ["diesel", ACTIX, TOKIO, RAND, "cli", "x", "tests"] {
        assert!(!source.mentions(hidden), "{hidden}: {:?}", source.tokens);
    }
    assert!(source.has(&["&", "'", "a", "str"]), "{:?}", source.tokens);
    assert!(Source { tokens: tokens("use actix_web::web;"), ..source }.mentions(ACTIX));
}
