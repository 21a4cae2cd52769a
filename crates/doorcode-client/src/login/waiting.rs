//! The status line between the code and the token.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::time::Duration;

use console::Term;
use tokio::time::{Instant, MissedTickBehavior};

use crate::branding::Branding;
use crate::output::{Output, duration};

/// Duration of one frame of the spinner.
const FRAME: Duration = Duration::from_millis(120);

/// The frames of the spinner.
const FRAMES: [char; 8] = ['⣾', '⣽', '⣻', '⢿', '⡿', '⣟', '⣯', '⣷'];

/// The frames of the spinner in ASCII.
const ASCII_FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// The note while a request is repeated.
pub const TROUBLE: &str = "The server did not respond. Retrying.";

/// The status line while the user decides, with a countdown where it can be drawn. Dropping it
/// clears the line.
pub struct Waiting {
    line: Option<Term>,
    frames: &'static [char],
    deadline: Instant,
    in_trouble: Cell<bool>,
}

impl Waiting {
    /// Starts the countdown to the expiry of the code. Where no line can be redrawn, one line
    /// states how long the code is valid.
    pub fn start(deadline: Instant, branding: &Branding, out: &Output) -> Self {
        let screen = out.screen();
        if !screen.redraws() {
            let life = deadline.saturating_duration_since(Instant::now());
            out.note(format_args!(
                "Waiting for approval. The code is valid for {}. A job that runs without a user \
                 needs a token in {} instead.",
                duration(life),
                branding.variable("TOKEN")
            ));
        }
        Self {
            line: screen.redraws().then(Term::stderr),
            frames: if screen.unicode {
                &FRAMES
            } else {
                &ASCII_FRAMES
            },
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
            for frame in self.frames {
                ticks.tick().await;
                // A drawing error must not end the sign-in.
                let _ = self.draw(line, *frame);
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

    /// Clears the line, so that text can be written in its place.
    pub fn clear(&self) {
        if let Some(line) = &self.line {
            // An error is ignored: the terminal is gone.
            let _ = line.clear_line();
        }
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
        self.clear();
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
    fn time_left_is_minutes_and_seconds() {
        assert_eq!(countdown(Duration::from_millis(599_900)), "9:59");
        assert_eq!(countdown(Duration::from_secs(3_605)), "60:05");
        assert_eq!(countdown(Duration::ZERO), "0:00");
    }
}
