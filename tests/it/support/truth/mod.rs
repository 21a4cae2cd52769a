//! What the commands that sign in, sign out, revoke and rotate say, compared with the server.
//!
//! Each run of such a command in any test is read sentence by sentence. A sentence that states
//! something about a token has its check in [`claims`], which asks the server or reads the
//! credentials files. A sentence that is neither there nor in the list of those that state nothing
//! fails the test, so that a new sentence gets its check.

mod checks;
mod claims;
mod credentials;
mod document;
pub mod figures;
mod sentences;
mod server;

use super::program::Finished;
use credentials::Entries;
use figures::Total;
use serde_json::Value;
use server::{Asked, Server};
use std::path::PathBuf;
use std::process::Command;

/// What became of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is so.
    Holds,
    /// It is not so.
    Wrong,
    /// There is no server to ask: the test has stopped it, or stands in for one.
    Unasked,
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        match holds {
            true => Self::Holds,
            false => Self::Wrong,
        }
    }
}

/// The commands whose output is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Login,
    Logout,
    Revoke,
    RevokeAll,
    Rotate,
}

impl Subject {
    fn of(words: &[String]) -> Option<Self> {
        let has = |word: &str| words.iter().any(|own| own == word);
        if has("--help") {
            return None;
        }
        let after_token = words.iter().skip_while(|word| *word != "token").nth(1);
        match after_token.map(String::as_str) {
            Some("revoke") => Some(Self::Revoke),
            Some("revoke-all") => Some(Self::RevokeAll),
            Some("rotate") => Some(Self::Rotate),
            _ if has("login") => Some(Self::Login),
            _ if has("logout") => Some(Self::Logout),
            _ => None,
        }
    }
}

/// The value of a flag.
fn argument(words: &[String], flag: &str) -> Option<String> {
    let at = words.iter().position(|word| word == flag)?;
    words.get(at + 1).cloned()
}

/// A run of such a command, from its start on.
pub struct Witness {
    subject: Subject,
    program: PathBuf,
    words: Vec<String>,
    home: Option<PathBuf>,
    file: Option<PathBuf>,
    /// The server that the flags or the environment name.
    host: Option<String>,
    /// The environment of the program.
    variables: Vec<(String, String)>,
    /// Tokens that are given by hand: in the environment, as an argument, on standard input.
    given: Vec<String>,
    before: Entries,
    /// Whose tokens the command is about, if a token of the machine shows it.
    owner: Option<Owner>,
}

/// The owner of the tokens that a command is about.
struct Owner {
    server: Server,
    user: Option<String>,
    org: Option<String>,
    /// The token by which the owner was found.
    token: String,
    /// The tokens before the run.
    tokens: Vec<Value>,
    /// The organizations of the token, by ID.
    organizations: Vec<String>,
    /// The number of their pending invitations before the run.
    invitations: usize,
}

/// The same after its end.
struct Run<'a> {
    witness: &'a Witness,
    after: Entries,
    finished: &'a Finished,
}

impl Witness {
    /// The witness of a program that is about to start. `None` if its output is not compared.
    pub fn of(command: &Command, input: &str) -> Option<Self> {
        let words: Vec<_> = command
            .get_args()
            .filter_map(|argument| argument.to_str())
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect();
        let subject = Subject::of(&words)?;
        let variables: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let variable = |is_it: &dyn Fn(&str) -> bool| {
            let found = variables.iter().find(|(name, _)| is_it(name));
            found.map(|(_, value)| value.clone())
        };
        let argument = |flag: &str| argument(&words, flag);
        let host = argument("--host")
            .or_else(|| variable(&|name| name.ends_with("_HOST") || name.ends_with("_BASE_URL")));
        let is_token = |name: &str| name.ends_with("_TOKEN") || name.ends_with("_API_KEY");
        let given = [
            variable(&is_token),
            argument("--token"),
            Some(input.trim().to_owned()),
        ];
        let mut witness = Self {
            subject,
            home: variable(&|name| name == "HOME").map(PathBuf::from),
            file: variable(&|name| name.ends_with("_CONFIG")).map(PathBuf::from),
            host,
            given: given
                .into_iter()
                .flatten()
                .filter(|text| text.contains('_'))
                .collect(),
            before: Entries::default(),
            owner: None,
            program: PathBuf::from(command.get_program()),
            variables,
            words,
        };
        witness.before = witness.entries();
        witness.owner = witness.find_owner();
        Some(witness)
    }

    fn entries(&self) -> Entries {
        let places = [self.home.as_deref(), self.file.as_deref()];
        Entries::read(places.into_iter().flatten(), self.host.as_deref())
    }

    /// The owner of the first token that the server of the command accepts.
    fn find_owner(&self) -> Option<Owner> {
        let host = self.host.clone().or_else(|| self.before.default_host())?;
        let server = Server::at(&host)?;
        let stored = self.before.tokens_at(&host);
        let mut known = self.given.iter().chain(&stored);
        let (token, me) = known.find_map(|token| match server.me(token) {
            Asked::Active(me) => Some((token.clone(), me)),
            _ => None,
        })?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let org = self.org();
        let mut owner = Owner {
            user: text(&me["user"]["id"]),
            org: org.or_else(|| text(&me["organization"]["id"])),
            server,
            token,
            tokens: Vec::new(),
            organizations: ids(&me["organizations"]),
            invitations: 0,
        };
        owner.tokens = owner.tokens_now()?;
        owner.invitations = owner.invitations_now();
        Some(owner)
    }

    fn org(&self) -> Option<String> {
        self.argument("--org")
    }

    fn argument(&self, flag: &str) -> Option<String> {
        argument(&self.words, flag)
    }

    fn has_variable(&self, name: &str) -> bool {
        self.variables.iter().any(|(own, _)| own == name)
    }

    /// The token that the program prints for a server: of one in the keyring, no file has it.
    fn printed(&self, host: &str) -> Option<String> {
        let profile = self.argument("--profile");
        let profile = profile.iter().flat_map(|name| ["--profile", name]);
        let is_token = |name: &str| name.ends_with("_TOKEN");
        let variables = self.variables.iter().filter(|(name, _)| !is_token(name));
        let printed = Command::new(&self.program)
            .args(["token", "print", "--host", host])
            .args(profile)
            .env_clear()
            .envs(variables.map(|(name, value)| (name, value)))
            .output()
            .ok()?;
        let token = String::from_utf8(printed.stdout).ok()?;
        printed.status.success().then(|| token.trim().to_owned())
    }

    /// Compares what the program said. Fails on a sentence that does not hold or that is unknown.
    #[track_caller]
    pub fn compare(&self, finished: &Finished) {
        let run = Run {
            witness: self,
            after: self.entries(),
            finished,
        };
        let mut wrong = Vec::new();
        let mut total = Total {
            runs: 1,
            checked: 0,
            unasked: 0,
            wrong: 0,
        };
        for (sentence, verdict) in run.verdicts() {
            match verdict {
                Some(Verdict::Holds) => total.checked += 1,
                Some(Verdict::Unasked) => total.unasked += 1,
                Some(Verdict::Wrong) => {
                    total.checked += 1;
                    total.wrong += 1;
                    wrong.push(format!("not so: {sentence}"));
                }
                None => wrong.push(format!("a sentence without a check: {sentence}")),
            }
        }
        total.count();
        assert!(
            wrong.is_empty(),
            "{:?}: {wrong:#?}\n{finished:#?}",
            self.words
        );
    }
}

/// The IDs of the members of a list.
fn ids(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .filter_map(|item| item["id"].as_str().map(str::to_owned))
        .collect()
}

impl Owner {
    /// The tokens, as the operator of the server sees them; `None` if the server is gone.
    fn tokens_now(&self) -> Option<Vec<Value>> {
        self.server
            .tokens(self.user.as_deref(), self.org.as_deref())
    }

    /// The number of pending invitations to the organizations.
    fn invitations_now(&self) -> usize {
        let pending = |org: &String| self.server.invitations(org);
        self.organizations.iter().map(pending).sum()
    }

    /// The number of tokens that were active before the run and are not any more.
    fn ended(&self) -> Option<usize> {
        let now = self.tokens_now()?;
        let is_live = |token: &&Value| token["state"] == "live";
        let is_live_now = |id: &Value| now.iter().filter(is_live).any(|token| token["id"] == *id);
        let before = self.tokens.iter().filter(is_live);
        Some(before.filter(|token| !is_live_now(&token["id"])).count())
    }
}

impl Run<'_> {
    /// The sentences that state something, with their verdicts; `None` for an unknown one.
    fn verdicts(&self) -> Vec<(String, Option<Verdict>)> {
        let usage = "For more information, try '";
        let Finished { stdout, stderr, .. } = self.finished;
        if stdout.contains(usage) || stderr.contains(usage) {
            return Vec::new();
        }
        let (documents, text) = sentences::split(self.finished);
        let mut verdicts = document::verdicts(self, &documents);
        for sentence in text {
            if sentences::states_nothing(&sentence) {
                continue;
            }
            verdicts.push((sentence.clone(), claims::check(self, &sentence)));
        }
        verdicts
    }

    /// The server that the output names, else that of the command.
    fn host(&self) -> String {
        let (documents, text) = sentences::split(self.finished);
        let forms = [
            "Signed in to * as *.",
            "Signed out of *.",
            "The token for * is deleted *",
        ];
        let named = text.iter().find_map(|sentence| {
            let mut parts = forms
                .iter()
                .filter_map(|form| sentences::parts(form, sentence));
            Some(parts.next()?[0].to_owned())
        });
        let documented = || documents.last()?["host"].as_str().map(str::to_owned);
        let host = named
            .or_else(documented)
            .or_else(|| self.witness.host.clone());
        host.or_else(|| self.witness.before.default_host())
            .unwrap_or_default()
    }

    /// The secret that a rotation wrote to standard output.
    fn secret(&self) -> Option<String> {
        let (documents, _) = sentences::split(self.finished);
        match documents.last() {
            Some(document) => document["token"].as_str().map(str::to_owned),
            None => Some(self.finished.stdout.trim().to_owned()),
        }
    }

    /// The tokens for a server that were kept before and are not any more.
    fn removed(&self, host: &str) -> Vec<String> {
        let kept = self.after.tokens_at(host);
        let mut removed = self.witness.before.tokens_at(host);
        removed.retain(|token| !kept.contains(token));
        removed
    }

    /// The token for a server that the sign-in stored.
    fn stored(&self, host: &str) -> Option<String> {
        let before = self.witness.before.tokens_at(host);
        let kept = self.after.tokens_at(host);
        let is_new = |token: &&String| !before.contains(token);
        let given = kept.iter().find(|token| self.witness.given.contains(token));
        let found = given.or_else(|| kept.iter().find(is_new)).cloned();
        found.or_else(|| match self.after.has_keyring() {
            true => self.witness.printed(host),
            false => None,
        })
    }

    /// Whether the files have the same tokens as before.
    fn is_unchanged(&self) -> Verdict {
        (self.after == self.witness.before).into()
    }
}
