//! Completions and man pages of the program.

use super::Machine;
use crate::support::program::Program;
use std::process::Command;

/// What bash completes after these words, the last of which is incomplete.
fn complete(machine: &Machine, words: &[&str]) -> Vec<String> {
    let script = machine.home().join("doorcode.bash");
    let completions = Program::new(machine.home(), &["completions", "bash"])
        .run()
        .exited(0);
    std::fs::write(&script, completions.stdout).unwrap();
    let source = r#"
        source "$0" && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1))
        _doorcode doorcode "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", source]).arg(script).args(words);
    let output = bash.output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && problem.is_empty(), "{problem}");
    let listed = String::from_utf8(output.stdout).unwrap();
    listed.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let machine = Machine::at("http://127.0.0.1:1");
    for (words, expected) in [
        (&["doorcode", "log"][..], &["login", "logout"][..]),
        (&["doorcode", "token", "re"], &["revoke", "revoke-all"]),
        (
            &["doorcode", "token", "list", "--al"],
            &["--all", "--allow-http"],
        ),
        (&["doorcode", "project", ""], &["add", "list", "use"]),
        (&["doorcode", "completions", "z"], &["zsh"]),
        (
            &["doorcode", "audit", "list", "--action", "project.r"],
            &["project.renamed"],
        ),
    ] {
        let found = complete(&machine, words);
        for piece in expected {
            assert!(
                found.iter().any(|word| word == piece),
                "{words:?}: {found:?}"
            );
        }
        let last = words.last().unwrap();
        assert!(
            found.iter().all(|word| word.starts_with(last)),
            "{words:?}: {found:?}"
        );
    }
}

/// Lets the shell parse its script, on a machine that has the shell.
fn assert_parsed(machine: &Machine, shell: &str, script: &str) {
    let path = machine.home().join(shell);
    std::fs::write(&path, script).unwrap();
    match Command::new(shell).arg("-n").arg(&path).output() {
        Err(cause) => assert_eq!(cause.kind(), std::io::ErrorKind::NotFound),
        Ok(parsed) => assert!(parsed.status.success(), "{parsed:?}"),
    }
}

#[test]
fn other_shells_and_man_pages_have_every_client_command() {
    let machine = Machine::at("http://127.0.0.1:1");
    let run = |arguments: &[&str]| Program::new(machine.home(), arguments).run();
    for shell in ["zsh", "fish"] {
        let script = run(&["completions", shell]).exited(0);
        assert_parsed(&machine, shell, &script.stdout);
        script.says(&["whoami", "revoke-all", "created-before", "completions"]);
    }
    run(&["completions", "tcsh"]).exited(2);
    run(&["man", "no-such"])
        .exited(1)
        .complains(&["Create the folder first"]);
    run(&["man", "."]).exited(0);
    for (page, pieces) in [
        (
            "doorcode.1",
            &["doorcode\\-whoami(1)", "doorcode\\-token(1)"][..],
        ),
        (
            "doorcode-token-create.1",
            &["\\-\\-scope", "only this once"],
        ),
        ("doorcode-config-show.1", &["\\-\\-profile"]),
    ] {
        let text = std::fs::read_to_string(machine.home().join(page)).unwrap();
        for piece in pieces {
            assert!(text.contains(piece), "no {piece} in {page}:\n{text}");
        }
    }
    assert!(!run(&["--help"]).exited(0).stdout.contains("  man "));
}
