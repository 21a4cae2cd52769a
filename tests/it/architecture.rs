//! The layers and the few rules of the source, read from the source itself.

use crate::support::imports::{Module, circles, imports};
use crate::support::source::{Source, files, root, sources, tokens};
use std::path::Path;

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

/// Names that a layer without I/O, clock and randomness must not mention.
const PURE: [&str; 15] = [
    ACTIX,
    DIESEL,
    TOKIO,
    ASKAMA,
    RAND,
    "reqwest",
    "SystemTime",
    "Local",
    "fs",
    "env",
    "process",
    "thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
];

/// From the first to the last; each uses only layers above its own.
const LAYERS: [Layer; 8] = [
    Layer {
        name: "audit_log",
        uses: &[],
        never: &PURE,
    },
    Layer {
        name: "domain",
        uses: &["audit_log"],
        never: &PURE,
    },
    Layer {
        name: "config",
        uses: &["domain"],
        never: &[ACTIX, DIESEL, TOKIO, ASKAMA, RAND, "reqwest"],
    },
    Layer {
        name: "wire",
        uses: &["domain"],
        never: &[ACTIX, DIESEL, TOKIO, ASKAMA, RAND, "reqwest"],
    },
    Layer {
        name: "store",
        uses: &["domain", "config"],
        never: &[ACTIX, ASKAMA, RAND, "reqwest"],
    },
    Layer {
        name: "app",
        uses: &["domain", "config", "wire", "store"],
        never: &[ACTIX, ASKAMA, DIESEL],
    },
    Layer {
        name: "web",
        uses: &["domain", "config", "wire", "app"],
        never: &[DIESEL, RAND, "reqwest", "SystemTime"],
    },
    Layer {
        name: "doorcode_client",
        uses: &["domain", "wire"],
        never: &[ACTIX, DIESEL, ASKAMA, RAND, "SystemTime"],
    },
];

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
            assert!(
                LAYERS[..at].iter().any(|above| above.name == *used),
                "{used}"
            );
        }
        let own: Vec<_> = sources()
            .into_iter()
            .filter(|source| source.layer() == layer.name)
            .collect();
        assert!(!own.is_empty(), "{}", layer.name);
        for source in own {
            for used in source.roots_used() {
                let is_layer = LAYERS.iter().any(|other| other.name == used);
                if is_layer && used != layer.name && !layer.uses.contains(&used.as_str()) {
                    wrong.push(format!("{}: uses {used}", source.path.display()));
                }
            }
        }
    }
    assert_none(&wrong);
}

/// What a crate does not name it cannot use, so that this holds for each of its files.
#[test]
fn each_crate_depends_only_on_layers_above_its_own() {
    let mut wrong = Vec::new();
    for layer in &LAYERS {
        let folder = root().join("crates").join(layer.name.replace('_', "-"));
        let Ok(manifest) = std::fs::read_to_string(folder.join("Cargo.toml")) else {
            assert!(layer.name == "web", "{}", layer.name);
            continue;
        };
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        for used in manifest["dependencies"].as_table().unwrap().keys() {
            let used = &used.replace('-', "_");
            let is_below = LAYERS.iter().any(|other| other.name == used)
                && !layer.uses.contains(&used.as_str());
            let is_banned = layer.never.iter().any(|name| used.starts_with(name));
            if is_below || is_banned {
                wrong.push(format!("{} depends on {used}", layer.name));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let imports = imports();
    let found: Vec<_> = circles(&imports)
        .into_iter()
        .map(|circle| {
            let names: Vec<_> = circle.iter().map(|module| module.join("::")).collect();
            names.join(" -> ")
        })
        .collect();
    assert_none(&found);
    assert!(imports.len() > 250, "{}", imports.len());
}

/// What two of them need belongs beside them, in `web`.
#[test]
fn oauth_api_and_pages_do_not_use_each_other() {
    let mut wrong = Vec::new();
    let surface = |module: &Module| match module.as_slice() {
        [_, web, surface, ..] if web == "web" => {
            let name = surface.as_str();
            matches!(name, "oauth" | "api" | "pages").then(|| name.to_owned())
        }
        _ => None,
    };
    for (module, used) in &imports() {
        for used in used {
            if let (Some(own), Some(other)) = (surface(module), surface(used))
                && own != other
            {
                wrong.push(format!("{} uses {}", module.join("::"), used.join("::")));
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
        if source.path == Path::new("crates/app/src/lib.rs") {
            assert!(source.has(&["Utc", "::", "now"]) && source.mentions(RAND));
            continue;
        }
        // Users see how much is left until the end of a token.
        if source.path == Path::new("crates/doorcode-client/src/output/moment.rs") {
            assert!(source.has(&["Utc", "::", "now"]));
            continue;
        }
        // Its generator has a seed from there.
        let is_seeded = source.path == Path::new("crates/app/src/tx/draws.rs");
        // How long something took is no time of day; only whoever waits may ask for it.
        let waits = ["store", "web", "doorcode_client"].contains(&source.layer().as_str())
            || source.path == Path::new("crates/app/src/trace/span.rs");
        let asks_clock = source
            .before(&["::", "now"])
            .any(|clock| clock != "Instant" || !waits);
        if asks_clock || (source.mentions(RAND) && !is_seeded) || source.mentions("getrandom") {
            wrong.push(source.path.display().to_string());
        }
    }
    assert_none(&wrong);
}

/// Names that users type are checked by the rules of the server, which recognize its tokens.
#[test]
fn only_the_configuration_checks_texts_without_the_rules_for_names() {
    let wrong: Vec<_> = sources()
        .iter()
        .filter(|source| !source.is_test() && source.has(&["name", "::", "line"]))
        .filter(|source| source.layer() != "config")
        .map(|source| source.path.display().to_string())
        .collect();
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
    for path in ["src", "crates", "tests"].into_iter().flat_map(files) {
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
    let long: Vec<_> = ["src", "crates", "tests"]
        .into_iter()
        .flat_map(files)
        .map(|path| Source::read(&path))
        .filter(|source| source.lines > 400)
        .map(|source| format!("{}: {} lines", source.path.display(), source.lines))
        .collect();
    assert_none(&long);
}

#[test]
fn no_browser_test_sleeps() {
    let folders = ["tests/e2e", "tests/e2e/harness", "tests/clients"];
    let entries = folders.map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let scripts: Vec<_> = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "mjs"))
        .collect();
    assert!(scripts.len() > 20, "{scripts:?}");
    let sleeping: Vec<_> = scripts
        .iter()
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            text.contains("waitForTimeout")
        })
        .map(|path| format!("{}: sleeps", path.display()))
        .collect();
    assert_none(&sleeping);
}
