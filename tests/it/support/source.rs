//! Source files of the program, parsed as far as the architecture rules need.

use std::path::{Path, PathBuf};

/// A source file as tokens, without comments, string literals and tests.
pub struct Source {
    /// Path from the root.
    pub path: PathBuf,
    /// Its tokens.
    pub tokens: Vec<String>,
    /// Its length.
    pub lines: usize,
}

impl Source {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        Self {
            path: path.strip_prefix(root()).unwrap().to_owned(),
            tokens: without_tests(tokens(&text)),
            lines: text.lines().count(),
        }
    }

    /// The layer: its folder in `crates` as Rust names the crate, or the first folder or file below
    /// `src`.
    pub fn layer(&self) -> String {
        let mut parts = self.path.iter();
        assert!(matches!(
            parts.next().unwrap().to_str(),
            Some("src" | "crates")
        ));
        let first = parts.next().unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").replace('-', "_")
    }

    /// Whether it is compiled for tests only.
    pub fn is_test(&self) -> bool {
        let name = self.path.to_str().unwrap();
        name.contains("/tests/") || name.contains("/samples/") || name.ends_with("_tests.rs")
    }

    /// Whether it contains this sequence of tokens.
    pub fn has(&self, sequence: &[&str]) -> bool {
        let mut windows = self.tokens.windows(sequence.len());
        windows.any(|window| window == sequence)
    }

    /// The tokens before each occurrence of this sequence.
    pub fn before<'a>(&'a self, sequence: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.tokens
            .windows(sequence.len() + 1)
            .filter(move |window| window[1..] == *sequence)
            .map(|window| window[0].as_str())
    }

    /// Whether it has the name, or a crate with that prefix: `actix_web` matches `actix`.
    pub fn mentions(&self, name: &str) -> bool {
        let prefix = format!("{name}_");
        let is_crate = ["actix", "askama", "diesel", "tokio"].contains(&name);
        self.tokens
            .iter()
            .any(|token| token == name || (is_crate && token.starts_with(&prefix)))
    }

    /// The first names of the paths that it uses: `x::y`, `crate::x` or `crate::{x, y}`.
    pub fn roots_used(&self) -> Vec<String> {
        let begins = |window: &&[String]| window[0] != "::" && window[2] == "::";
        let mut used: Vec<_> = self
            .tokens
            .windows(3)
            .filter(begins)
            .map(|window| window[1].clone())
            .collect();
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

/// Tokens of Rust code, without comments and string literals.
pub fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = |pattern: &str| {
            rest.find(pattern)
                .map_or(rest.len(), |at| at + pattern.len())
        };
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

/// The hashes of a raw string literal that begins here.
fn raw_text(rest: &str) -> Option<String> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then(|| "#".repeat(hashes))
}

/// Whether the quote begins a character literal and not a lifetime.
fn is_character(rest: &str) -> bool {
    let mut after = rest.chars().skip(1);
    after.next() == Some('\\') || after.next() == Some('\'')
}

/// Length of a quoted literal.
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

/// Removes the tests, which are in a module at the end of a file.
fn without_tests(mut tokens: Vec<String>) -> Vec<String> {
    let attribute = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    if let Some(at) = tokens
        .windows(attribute.len())
        .position(|window| window == attribute)
        // A `mod` item for another file is one line, followed by more code.
        .filter(|at| {
            tokens
                .get(at + attribute.len() + 1)
                .is_some_and(|token| token == "{")
        })
    {
        tokens.truncate(at);
    }
    tokens
}

/// The root of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder.
pub fn files(folder: &str) -> Vec<PathBuf> {
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

/// Every source of the program.
pub fn sources() -> Vec<Source> {
    ["src", "crates"]
        .into_iter()
        .flat_map(files)
        .map(|path| Source::read(&path))
        .collect()
}

/// Tests the tokenizer itself.
#[test]
fn tokenizer_keeps_code_and_skips_comments_and_literals() {
    let text = r##"
        // crate::web in a comment, /* and */ too
        /* diesel */ use crate::{domain, store::{self, Conn}, web::Page}; use wire::form::Form;
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
    let used = source.roots_used();
    for name in ["domain", "store", "web", "app", "wire"] {
        assert!(used.iter().any(|root| root == name), "{name}: {used:?}");
    }
    assert!(!used.iter().any(|root| root == "form"), "{used:?}");
    for hidden in ["diesel", "actix", "tokio", "rand", "cli", "x", "tests"] {
        assert!(!source.mentions(hidden), "{hidden}: {:?}", source.tokens);
    }
    assert!(source.has(&["&", "'", "a", "str"]), "{:?}", source.tokens);
    assert!(
        Source {
            tokens: tokens("use actix_web::web;"),
            ..source
        }
        .mentions("actix")
    );
}
