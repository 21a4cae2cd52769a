//! The sentences of an output.

use crate::support::program::Finished;
use serde_json::Value;

/// Sentences that state nothing about tokens: instructions, questions, reasons of a failure whose
/// effect another sentence states.
const STATING_NOTHING: &[&str] = &[
    // A sign-in in progress.
    "To sign in, open this page and enter the code:",
    "The page opens in your browser.",
    "The page could not be opened in a browser here.",
    "Approve only if it shows the same code.",
    "This link has the code filled in:",
    "http*",
    "Page:  *",
    "Code:  *",
    "*Waiting for approval*",
    "The code is valid for *.",
    "A job that runs without a user needs a token in * instead.",
    "Paste the token (it is not shown) and press Enter:",
    "The server did not respond.",
    "Retrying.",
    // What to do next.
    "Run `*` to show this again, or `*` to * the token.",
    "Run `*` to sign in.",
    "Run `*` to sign in again.",
    "To try again, run `*`.",
    "Unset it to use the new token.",
    "Continue? [y/N]*",
    "y",
    "n",
    "^C",
    "If you approved the sign-in just now, a token may exist: revoke it on the server's Tokens page.",
    "If it is not in use, revoke it on the server's Tokens page.",
    "If it has not expired, it stays valid until you revoke it on the server's Tokens page.",
    "Revoke it on the server's Tokens page.",
    "Revoke the token on the server's Tokens page, then run `*` again.",
    "Only you can read it now.",
    "Repair it, or move it away and sign in again.",
    "Add --yes to *.",
    "Run `*` to replace it.",
    "Run `*` to revoke and delete it.",
    "Run `*` to add the scope to what you have.",
    "Set one that has the scope *.",
    "Set another one, or unset the variable and run `*`.",
    "Unset the variable with `*`, and revoke the token on the server's Tokens page.",
    "Use an ID: *.",
    "`*` shows the tokens.",
    "The secret is shown only this once.",
    "Store it now.",
    "Organization: *",
    "Projects: *",
    // Why it failed.
    "Cannot reach *",
    "Cannot connect to *",
    "Cannot read the credentials file *",
    "Cannot write the credentials file *",
    "Cannot use * as --ca-cert: *",
    "The response from * is not as expected: *",
    "* is not available now (HTTP *).",
    "The server refused: *",
    "* is not a file that can store credentials.",
    "Replace it on the server.",
    "Set it in * for the command that needs it.",
    "The credentials file * is broken: *",
    "The keyring of the kernel cannot be used for the tokens of *",
    "The connection to * is not encrypted, so the network could read the token.",
    "The token is malformed: *",
    "The token lacks the scope *.",
    "Use a token that has it. (request *)",
    "The policy of the organization *",
    "There is no scope *.",
    "No token of this server has the scope of this request.",
    "Use the console, or the operator token. (request *)",
    "The sign-in needs at least one scope.",
    "Choose what you need: `*`.",
    "Choose what you need:",
    "Repeat --scope for several.",
    "Ask the server's administrator which scopes this program may request.",
    "The scopes are: *.",
    "There is no profile * in *.",
    "The profiles are: *.",
    "Is the server running?",
    "Start it with *",
    "Name another server with --host URL.",
    "Name an HTTP proxy in ALL_PROXY, or add the server to NO_PROXY.",
    "Check *",
    "Try again *",
    "Correct the permissions, or name another file in *.",
    "Sign in without --keyring, and without *",
    "Add them to the variable: *",
    "If it is right, the server needs another certificate.",
    "If you trust it, pass the certificate of its authority with --ca-cert FILE, *",
    "If the server uses *",
    "Make the server's certificate again, *",
    "Use the name of the certificate in the address.",
    "Use https://, or add --allow-http if you trust the whole network.",
    "Ask an owner to change your role or the policy, then sign in again.",
];

/// The JSON documents and the sentences of an output.
pub fn split(finished: &Finished) -> (Vec<Value>, Vec<String>) {
    let is_document = finished.stdout.trim_start().starts_with('{');
    let (documents, stdout) = match is_document {
        true => (finished.stdout.as_str(), ""),
        false => ("", finished.stdout.as_str()),
    };
    let documents = serde_json::Deserializer::from_str(documents).into_iter();
    let documents = documents.map_while(Result::ok).collect();
    let text = without_control(&format!("{stdout}\n{}", finished.stderr));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !is_secret(line) && !is_picture(line));
    let sentences = lines.flat_map(of_line).map(str::to_owned).collect();
    (documents, sentences)
}

/// Whether a line is a secret for a script.
fn is_secret(line: &str) -> bool {
    let digits = line.rsplit_once('_').map(|(_, digits)| digits);
    digits.is_some_and(|digits| digits.len() == 48 && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Whether a line is a row of a QR code.
fn is_picture(line: &str) -> bool {
    line.chars().all(|c| " █▀▄".contains(c))
}

/// The text with line breaks instead of what moves the cursor.
fn without_control(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\r' => plain.push('\n'),
            '\u{1b}' => {
                // A control sequence ends with a letter; that of a color is within a line.
                let end = characters.by_ref().find(char::is_ascii_alphabetic);
                if end != Some('m') {
                    plain.push('\n');
                }
            }
            c => plain.push(c),
        }
    }
    plain
}

/// The sentences of a line: each ends before a capital letter or a command.
fn of_line(line: &str) -> Vec<&str> {
    let line = line
        .trim_start_matches("error: ")
        .trim_start_matches("warning: ");
    let mut sentences = Vec::new();
    let mut rest = line;
    let mut from = 0;
    while let Some(at) = rest[from..].find(['.', '?']).map(|at| at + from) {
        let after = &rest[at + 1..];
        let starts = |c: char| c.is_uppercase() || c == '`';
        if after
            .strip_prefix(' ')
            .is_some_and(|next| next.starts_with(starts))
        {
            sentences.push(&rest[..=at]);
            (rest, from) = (after.trim_start(), 0);
        } else {
            from = at + 1;
        }
    }
    sentences.push(rest);
    sentences
}

/// Whether a sentence is one of those that state nothing about tokens.
pub fn states_nothing(sentence: &str) -> bool {
    STATING_NOTHING
        .iter()
        .any(|form| parts(form, sentence).is_some())
}

/// The parts of a sentence that a form has an asterisk for. `None` if it has another form.
pub fn parts<'a>(form: &str, sentence: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = form.split('*');
    let mut rest = sentence.strip_prefix(pieces.next()?)?;
    let mut parts = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = match pieces.peek() {
            None => rest
                .len()
                .checked_sub(piece.len())
                .filter(|at| rest.is_char_boundary(*at))?,
            Some(_) => rest.find(piece)?,
        };
        if !rest[at..].starts_with(piece) {
            return None;
        }
        parts.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(parts)
}

#[test]
fn forms_have_parts() {
    assert_eq!(
        parts("a *, b *.", "a x, b y, b z."),
        Some(vec!["x", "y, b z"])
    );
    assert_eq!(parts("a *.", "a x"), None);
    assert_eq!(parts("a", "ab"), None);
    let line = "error: A 1.5 b. Run `x`. `y` does. Is it? No";
    assert_eq!(
        of_line(line),
        ["A 1.5 b.", "Run `x`.", "`y` does.", "Is it?", "No"]
    );
}
