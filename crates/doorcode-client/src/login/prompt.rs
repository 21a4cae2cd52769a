//! Terminal output between the code and the token.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use console::Term;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use tokio::time::{Instant, MissedTickBehavior};

use crate::error::Error;
use crate::host::web_address;
use crate::output::{self, Output, plain};
use wire::oauth::DeviceAuthorizationResponse;

/// Duration of one frame of the spinner.
const FRAME: Duration = Duration::from_millis(120);

/// The frames of the spinner.
const FRAMES: [char; 8] = ['⣾', '⣽', '⣻', '⢿', '⡿', '⣟', '⣯', '⣷'];

/// The note while a request is repeated.
pub const TROUBLE: &str = "The server did not respond. Retrying.";

/// Whether to open the page in a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// Open it on this machine, if it has a display.
    Open,
    /// The user opens it, possibly on another device.
    Leave,
}

/// Shows the address and the code; then opens the browser, or shows a link and a QR code for
/// another device.
pub fn show(
    grant: &DeviceAuthorizationResponse,
    browser: Browser,
    out: &Output,
) -> Result<(), Error> {
    let link = web_address(&grant.verification_uri_complete).ok_or_else(|| {
        Error::Failed("The server's response has no valid verification address.".to_owned())
    })?;
    out.say(format_args!(
        "To sign in, open this page and enter the code:\n\n    \
         Page:  {}\n    \
         Code:  {}\n",
        plain(&grant.verification_uri),
        out.bold(&plain(&grant.user_code)),
    ))?;
    if browser == Browser::Open && has_screen() && open::that_detached(link.as_str()).is_ok() {
        out.say("The page opens in your browser. Approve only if it shows the same code.\n")?;
        return Ok(());
    }
    out.say(format_args!(
        "This link has the code filled in:\n\n    {link}\n"
    ))?;
    if let Some(picture) = out
        .colour_columns()
        .and_then(|columns| qr(link.as_str(), columns))
    {
        out.say(picture)?;
    }
    Ok(())
}

/// Whether the user can see a browser that is opened here: not over SSH, and on Linux not
/// without a display.
fn has_screen() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let display = !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY");
    display && !set("SSH_CONNECTION")
}

/// A QR code of the link, if the terminal is wide enough. Black and white are set explicitly,
/// since cameras cannot read an inverted code on a dark terminal.
fn qr(link: &str, columns: usize) -> Option<String> {
    const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
    let code = QrCode::with_error_correction_level(link, EcLevel::L).ok()?;
    let picture = code.render::<Dense1x2>().build();
    let fits = picture.lines().all(|line| line.chars().count() <= columns);
    fits.then(|| {
        picture
            .lines()
            .map(|line| format!("{BLACK_ON_WHITE}{line}\x1b[0m\n"))
            .collect()
    })
}

/// The status line while the user decides, with a countdown where it can be drawn. Dropping it
/// clears the line.
pub struct Waiting {
    line: Option<Term>,
    deadline: Instant,
    in_trouble: Cell<bool>,
}

impl Waiting {
    /// Starts the countdown to the expiry of the code.
    pub fn start(deadline: Instant, out: &Output) -> Self {
        let line = output::status_line();
        if line.is_none() {
            out.note("Waiting for approval…");
        }
        Self {
            line,
            deadline,
            in_trouble: Cell::new(false),
        }
    }

    /// Keeps the countdown running for as long as it is polled.
    pub async fn animate(&self) -> Infallible {
        let Some(line) = &self.line else {
            return std::future::pending().await;
        };
        let mut ticks = tokio::time::interval(FRAME);
        // After a stop and continue, missed frames are skipped.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            for frame in FRAMES {
                ticks.tick().await;
                // A drawing error must not end the sign-in.
                let _ = self.draw(line, frame);
            }
        }
    }

    fn draw(&self, line: &Term, frame: char) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let trouble = if self.in_trouble.get() { TROUBLE } else { "" };
        let text = format!(
            "{frame} Waiting for approval, {} left. {trouble}",
            countdown(left)
        );
        // Leaves space for the ^C that the terminal prints; at the edge it would wrap, and this
        // line could not be cleared.
        let (_, columns) = line.size();
        let room = usize::from(columns).saturating_sub(4);
        let text: String = text.chars().take(room).collect();
        line.clear_line()?;
        line.write_str(&text)
    }

    /// The server responds.
    pub fn all_is_well(&self) {
        self.in_trouble.set(false);
    }

    /// The server does not respond; the request will be retried.
    pub fn trouble(&self, out: &Output) {
        if !self.in_trouble.replace(true) && self.line.is_none() {
            out.note(TROUBLE);
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            // An error is ignored: the terminal is gone.
            let _ = line.clear_line();
        }
    }
}

fn countdown(left: Duration) -> String {
    let seconds = left.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_qr_code_is_black_on_white_with_a_quiet_zone_or_missing() {
        let link = "https://auth.example.com/device?user_code=WDJB-MJHT";
        let picture = qr(link, 80).unwrap();
        let rows: Vec<_> = picture.lines().collect();
        for row in &rows {
            assert!(row.starts_with("\x1b[38;5;16;48;5;231m    "), "{row:?}");
            assert!(row.ends_with("    \x1b[0m"), "{row:?}");
        }
        let width = rows[0].matches(' ').count();
        assert!(qr(link, width).is_some());
        assert!(qr(link, width - 1).is_none());
    }

    #[test]
    fn time_left_is_minutes_and_seconds() {
        assert_eq!(countdown(Duration::from_millis(599_900)), "9:59");
        assert_eq!(countdown(Duration::from_secs(3_605)), "60:05");
        assert_eq!(countdown(Duration::ZERO), "0:00");
    }
}
