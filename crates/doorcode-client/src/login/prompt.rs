//! The text that shows the page and the code.

use std::process::Command;

use console::measure_text_width;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};
use url::Url;

use super::browser;
use crate::branding::Branding;
use crate::error::Error;
use crate::host::{is_loopback, web_address};
use crate::output::plain;
use crate::terminal::Screen;
use wire::oauth::DeviceAuthorizationResponse;

/// Rows below the text: the status line, and the prompt of the shell after the sign-in.
const ROWS_BELOW: usize = 2;

/// Whether to open the page in a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Browser {
    /// Open it on this machine, if the user can see it.
    Open,
    /// The user opens it, possibly on another device.
    Leave,
}

/// The page and the code of a device grant.
pub struct Prompt<'a> {
    grant: &'a DeviceAuthorizationResponse,
    link: Url,
    screen: Screen,
}

impl<'a> Prompt<'a> {
    /// The prompt for this grant on this screen. Refuses a link that a browser cannot open.
    pub fn new(grant: &'a DeviceAuthorizationResponse, screen: Screen) -> Result<Self, Error> {
        let link = web_address(&grant.verification_uri_complete).ok_or_else(|| {
            Error::Failed("The server's response has no valid verification address.".to_owned())
        })?;
        Ok(Self {
            grant,
            link,
            screen,
        })
    }

    /// The programs that can open the page.
    pub fn openers(&self, branding: &Branding) -> Vec<Command> {
        browser::openers(&self.link, branding)
    }

    /// The page and the code for a program that shows them itself.
    pub fn event(&self) -> Value {
        json!({
            "event": "code",
            "verification_uri": self.grant.verification_uri,
            "verification_uri_complete": self.grant.verification_uri_complete,
            "user_code": self.grant.user_code,
            "expires_in": self.grant.expires_in,
        })
    }

    /// The text where a browser opens here.
    pub fn with_browser(&self) -> String {
        format!(
            "The page opens in your browser. Approve only if it shows the same code.\n\n{}",
            self.page_and_code()
        )
    }

    /// The text where the user opens the page, here or on another device. The page and the code
    /// are last, so that they stay on the screen.
    pub fn without_browser(&self) -> String {
        let link = format!("This link has the code filled in:\n\n    {}\n\n", self.link);
        let page = format!(
            "To sign in, open this page and enter the code:\n\n{}",
            self.page_and_code()
        );
        match self.picture(&format!("{link}{page}")) {
            Some(picture) => format!("{link}{picture}\n{page}"),
            None => link + &page,
        }
    }

    fn page_and_code(&self) -> String {
        format!(
            "    Page:  {}\n    Code:  {}\n",
            plain(&self.grant.verification_uri),
            self.screen.bold(&plain(&self.grant.user_code)),
        )
    }

    /// A QR code of the link, if it fits on the screen together with the text. Another device
    /// cannot open a loopback address.
    fn picture(&self, text: &str) -> Option<String> {
        let (columns, rows) = self.screen.size?;
        if !self.screen.escapes || !self.screen.unicode || is_loopback(&self.link) {
            return None;
        }
        let picture = qr(self.link.as_str(), self.screen.colour)?;
        let fits = picture.columns <= columns
            && picture.rows + 1 + rows_of(text, columns) + ROWS_BELOW <= rows;
        fits.then_some(picture.text)
    }
}

/// The number of rows that a text takes on a screen.
fn rows_of(text: &str, columns: usize) -> usize {
    let rows = |line| measure_text_width(line).div_ceil(columns.max(1)).max(1);
    text.lines().map(rows).sum()
}

struct Picture {
    text: String,
    columns: usize,
    rows: usize,
}

/// A QR code of the link. In colour, black and white are set explicitly; without, the light parts
/// are drawn, which is right on a dark terminal.
fn qr(link: &str, colour: bool) -> Option<Picture> {
    const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
    let code = QrCode::with_error_correction_level(link, EcLevel::L).ok()?;
    let mut drawing = code.render::<Dense1x2>();
    if !colour {
        drawing
            .dark_color(Dense1x2::Light)
            .light_color(Dense1x2::Dark);
    }
    let drawn = drawing.build();
    let line = |line: &str| match colour {
        true => format!("{BLACK_ON_WHITE}{line}\x1b[0m\n"),
        false => format!("{line}\n"),
    };
    Some(Picture {
        columns: drawn.lines().map(|line| line.chars().count()).max()?,
        rows: drawn.lines().count(),
        text: drawn.lines().map(line).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(columns: usize, rows: usize) -> Screen {
        Screen {
            size: Some((columns, rows)),
            escapes: true,
            colour: true,
            unicode: true,
            job: false,
        }
    }

    fn shown(server: &str, screen: Screen) -> String {
        let grant = serde_json::json!({
            "device_code": "d",
            "user_code": "WDJB-MJHT",
            "verification_uri": format!("{server}/device"),
            "verification_uri_complete": format!("{server}/device?user_code=WDJB-MJHT"),
            "expires_in": 600,
            "interval": 5,
        });
        let grant = serde_json::from_value(grant).unwrap();
        Prompt::new(&grant, screen).unwrap().without_browser()
    }

    const SERVER: &str = "https://auth.example.com";

    #[test]
    fn the_qr_code_is_shown_where_it_fits_with_the_text() {
        let has_picture = |text: &str| text.contains(['█', '▀', '▄']);
        for (columns, rows, fits) in [
            (80, 24, false),
            (40, 24, false),
            (200, 50, true),
            (80, 50, true),
            (30, 50, false),
        ] {
            let text = shown(SERVER, screen(columns, rows));
            assert_eq!(has_picture(&text), fits, "{columns}x{rows}\n{text}");
            let last: Vec<_> = text.lines().rev().take(2).collect();
            assert!(last[0].starts_with("    Code:  ") && last[1].starts_with("    Page:  "));
        }
        let large = screen(200, 50);
        for small in [
            Screen {
                size: None,
                ..large
            },
            Screen {
                escapes: false,
                ..large
            },
            Screen {
                unicode: false,
                ..large
            },
        ] {
            assert!(!has_picture(&shown(SERVER, small)), "{small:?}");
        }
        for loopback in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]"] {
            assert!(!has_picture(&shown(loopback, large)), "{loopback}");
        }
    }

    #[test]
    fn the_smallest_screen_with_a_qr_code_shows_the_whole_text() {
        let has_picture = |rows| shown(SERVER, screen(80, rows)).contains('█');
        let rows = (24..60).find(|rows| has_picture(*rows)).unwrap();
        let text = shown(SERVER, screen(80, rows));
        assert_eq!(text.lines().count() + ROWS_BELOW, rows);
    }

    #[test]
    fn the_qr_code_is_black_on_white_or_drawn_for_a_dark_terminal() {
        let link = "https://auth.example.com/device?user_code=WDJB-MJHT";
        let picture = qr(link, true).unwrap();
        for row in picture.text.lines() {
            assert!(row.starts_with("\x1b[38;5;16;48;5;231m    "), "{row:?}");
            assert!(row.ends_with("    \x1b[0m"), "{row:?}");
        }
        let plain = qr(link, false).unwrap();
        assert_eq!((plain.columns, plain.rows), (picture.columns, picture.rows));
        for row in plain.text.lines() {
            // The last row may be half a row.
            assert!(
                row.starts_with(['█', '▀']) && !row.contains('\x1b'),
                "{row:?}"
            );
        }
    }

    #[test]
    fn long_lines_take_several_rows() {
        assert_eq!(rows_of("12345\n\n123456\n", 5), 4);
    }
}
