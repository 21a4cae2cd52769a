//! Opens the page in the user's browser.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Child, Command};
use std::vec;

use url::Url;

use crate::branding::Branding;
use crate::terminal::spawn_in_background;

/// A browser that was started.
pub struct Opening {
    child: Child,
    /// The programs to try if it fails.
    others: vec::IntoIter<Command>,
}

impl Opening {
    /// Starts the first program that exists; `None` if there is none.
    pub fn start(commands: Vec<Command>) -> Option<Self> {
        next_child(commands.into_iter())
    }

    /// Completes when this program and all others have failed. A program that succeeds, or that
    /// runs for as long as the browser is open, has not failed.
    pub async fn failed(self) {
        let outcome = tokio::task::spawn_blocking(move || {
            let mut opening = self;
            loop {
                if opening.child.wait().is_ok_and(|status| status.success()) {
                    return true;
                }
                match next_child(opening.others) {
                    Some(next) => opening = next,
                    None => return false,
                }
            }
        });
        if let Ok(true) = outcome.await {
            std::future::pending::<()>().await;
        }
    }
}

fn next_child(mut commands: vec::IntoIter<Command>) -> Option<Opening> {
    let child = commands.find_map(|mut command| spawn_in_background(&mut command).ok())?;
    Some(Opening {
        child,
        others: commands,
    })
}

/// The programs that can open the link, in the order of preference: those of the client's own
/// variable or `BROWSER`, which remote editors and containers set, else the openers of this
/// system, if the user can see what they open.
pub fn openers(link: &Url, branding: &Branding) -> Vec<Command> {
    choose(link, branding, |name| {
        std::env::var_os(name).filter(|value| !value.is_empty())
    })
}

fn choose(
    link: &Url,
    branding: &Branding,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<Command> {
    let own = variable(&branding.variable("BROWSER")).or_else(|| variable("BROWSER"));
    match own {
        Some(list) => std::env::split_paths(&list)
            .filter_map(|entry| command(entry.as_os_str(), link.as_str()))
            .collect(),
        None if is_visible(variable) => open::commands(link.as_str()),
        None => Vec::new(),
    }
}

/// Whether the user can see a browser that is opened here: not over SSH, and on Linux not
/// without a display. Under WSL the browser of Windows opens.
fn is_visible(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let any = |names: &[&str]| names.iter().any(|name| variable(name).is_some());
    let display = !cfg!(target_os = "linux")
        || any(&[
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "WSL_DISTRO_NAME",
            "WSL_INTEROP",
        ]);
    display && !any(&["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"])
}

/// The command of an entry of `BROWSER`: a program, possibly with arguments. `%s` stands for the
/// link, which is else the last argument. No shell reads it, since links contain `&`.
fn command(entry: &OsStr, link: &str) -> Option<Command> {
    // The path of a program may contain spaces.
    let text = entry.to_str().filter(|_| !Path::new(entry).is_file());
    let Some(text) = text else {
        let mut command = Command::new(entry);
        command.arg(link);
        return Some(command);
    };
    let mut words = text.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words.map(|word| word.replace("%s", link)));
    if !text.contains("%s") {
        command.arg(link);
    }
    Some(command)
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://auth.example.com/device?user_code=A&b=%25";

    fn chosen(variables: &[(&str, &str)]) -> Vec<Vec<String>> {
        let link = Url::parse(LINK).unwrap();
        let commands = choose(&link, &Branding::default(), |name| {
            let found = variables.iter().find(|(own, _)| *own == name);
            found.map(|(_, value)| OsString::from(value))
        });
        let words = |command: &Command| {
            std::iter::once(command.get_program())
                .chain(command.get_args())
                .map(|word| word.to_string_lossy().into_owned())
                .collect()
        };
        commands.iter().map(words).collect()
    }

    #[test]
    fn browser_variable_is_a_list_of_programs() {
        let ssh = ("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22");
        assert_eq!(chosen(&[("BROWSER", "code"), ssh]), [["code", LINK]]);
        assert_eq!(
            chosen(&[("BROWSER", "w3m -x %s:firefox --new-tab")]),
            [["w3m", "-x", LINK], ["firefox", "--new-tab", LINK]]
        );
        let own = [("DOORCODE_BROWSER", "mine"), ("BROWSER", "other")];
        assert_eq!(chosen(&own), [["mine", LINK]]);
    }

    #[test]
    fn browser_of_the_system_opens_where_it_is_visible() {
        let ssh = ("SSH_TTY", "/dev/pts/1");
        for (variables, opens) in [
            (&[("DISPLAY", ":0")][..], true),
            (&[("WSL_DISTRO_NAME", "Debian")], true),
            (&[("DISPLAY", ":0"), ssh], false),
            (&[], false),
        ] {
            assert_eq!(!chosen(variables).is_empty(), opens, "{variables:?}");
        }
    }
}
