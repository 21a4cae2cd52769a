//! Which file of the program uses which other.

use super::source::{Source, sources};
use std::collections::{BTreeMap, BTreeSet};

/// A module by its path, crate first: `["app", "token", "create"]`.
pub type Module = Vec<String>;

/// The modules that each module uses. Its own submodules do not count: a parent declares and
/// re-exports them.
pub type Imports = BTreeMap<Module, BTreeSet<Module>>;

/// The imports of all modules of the program, without tests.
pub fn imports() -> Imports {
    let modules: BTreeMap<Module, Source> = sources()
        .into_iter()
        .filter(|source| !source.is_test() && !source.path.ends_with("build.rs"))
        .map(|source| (module(&source), source))
        .collect();
    let used_by = |(module, source): (&Module, &Source)| {
        let used = paths(&source.tokens)
            .iter()
            .filter_map(|path| resolve(path, module, &modules))
            .filter(|used| !used.starts_with(module))
            .collect();
        (module.clone(), used)
    };
    modules.iter().map(used_by).collect()
}

fn module(source: &Source) -> Module {
    let mut parts: Vec<String> = source
        .path
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().to_owned())
        .collect();
    if parts[0] == "crates" {
        parts.remove(2);
        parts.remove(0);
        parts[0] = parts[0].replace('-', "_");
    } else {
        let is_program = matches!(parts[1].as_str(), "main" | "command");
        parts[0] = if is_program { "main" } else { "doorcode" }.to_owned();
    }
    if parts.len() > 1 && matches!(parts.last().unwrap().as_str(), "mod" | "lib" | "main") {
        parts.pop();
    }
    parts
}

/// The paths that the code names: `a::b::c` is one, and each item of a `use` is one.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at] == "use" && tokens[at + 1] != "<" {
            at = use_tree(tokens, at + 1, &Vec::new(), &mut found);
        } else if tokens.get(at + 1).is_some_and(|next| next == "::") {
            let mut path = vec![tokens[at].clone()];
            while tokens.get(at + 1).is_some_and(|next| next == "::") && at + 2 < tokens.len() {
                path.push(tokens[at + 2].clone());
                at += 2;
            }
            found.push(path);
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one tree of a `use`, and returns where it ends.
fn use_tree(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = prefix.to_vec();
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                at += 1;
                while !matches!(tokens[at].as_str(), "}" | ";") {
                    at = use_tree(tokens, at, &path, found);
                    if tokens[at] == "," {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "," | ";" | "}" => break,
            "as" => at += 1,
            "::" => {}
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    found.push(path);
    at
}

/// The module that a path in `module` leads to, or the module of the item that it names.
fn resolve(path: &[String], module: &Module, modules: &BTreeMap<Module, Source>) -> Option<Module> {
    let first = path.first()?;
    let up = path.iter().take_while(|part| *part == "super").count();
    let is_crate = modules.contains_key(std::slice::from_ref(first));
    let (mut reached, rest) = match first.as_str() {
        "crate" => (vec![module[0].clone()], &path[1..]),
        "self" => (module.clone(), &path[1..]),
        "super" => (
            module[..module.len().checked_sub(up)?].to_vec(),
            &path[up..],
        ),
        name if modules.contains_key(&[&module[..], &[name.to_owned()]].concat()) => {
            (module.clone(), path)
        }
        name if is_crate => (vec![name.to_owned()], &path[1..]),
        _ => return None,
    };
    let mut found = modules.contains_key(&reached).then(|| reached.clone());
    for part in rest {
        reached.push(part.clone());
        if !modules.contains_key(&reached) {
            break;
        }
        found = Some(reached.clone());
    }
    found.filter(|found| found != module)
}

/// Modules of which each uses the next and the last uses the first.
pub fn circles(imports: &Imports) -> Vec<Vec<&Module>> {
    // Of what uses nothing that is left, or is used by nothing that is left, none is in a circle.
    let mut left: BTreeSet<&Module> = imports.keys().collect();
    loop {
        let is_between = |module: &&&Module| {
            let uses = imports[**module].iter().any(|used| left.contains(used));
            uses && left.iter().any(|user| imports[*user].contains(**module))
        };
        let between: BTreeSet<&Module> = left.iter().filter(is_between).copied().collect();
        if between.len() == left.len() {
            break;
        }
        left = between;
    }
    let mut circles: Vec<Vec<&Module>> = Vec::new();
    for start in left.iter().copied() {
        if circles.iter().any(|circle| circle.contains(&start)) {
            continue;
        }
        // Follows the first module that is left until one repeats.
        let mut circle = vec![start];
        loop {
            let used = &imports[*circle.last().unwrap()];
            let next = left
                .iter()
                .copied()
                .find(|module| used.contains(*module))
                .unwrap();
            if let Some(begin) = circle.iter().position(|module| *module == next) {
                circle.drain(..begin);
                break;
            }
            circle.push(next);
        }
        if !circles.iter().any(|known| known.contains(&circle[0])) {
            circles.push(circle);
        }
    }
    circles
}
