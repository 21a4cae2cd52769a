//! Browsers and terminals that are signed in, and signing them out.

use super::filters;
use super::{Chrome, Moment};
use askama::Template;

/// `/devices`.
#[derive(Debug, Template)]
#[template(path = "devices.html")]
pub struct DevicesPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The notice of the last action.
    pub notice: Option<DevicesNotice>,
    /// The devices of the page: this browser, then the last active first.
    pub devices: Vec<DeviceRow>,
    /// Number of all devices.
    pub all: usize,
    /// The number of the first device of the page, from 1.
    pub first: usize,
    /// URL of the page before.
    pub newer: Option<String>,
    /// URL of the page after.
    pub older: Option<String>,
}

impl DevicesPage {
    /// The number of the last device of the page.
    fn last(&self) -> usize {
        (self.first + self.devices.len()).saturating_sub(1)
    }
}

/// The last action on the devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DevicesNotice {
    /// A browser was signed out.
    Browser,
    /// A terminal was signed out.
    Terminal,
    /// All others were signed out.
    Others,
}

/// A browser or a terminal.
#[derive(Debug, Clone)]
pub struct DeviceRow {
    /// What it is.
    pub kind: DeviceKind,
    /// Whether this page is shown in it.
    pub is_this_browser: bool,
    /// The path of its pages.
    pub path: String,
    /// Short name of the browser, or the name that the device gave itself; may be empty.
    pub name: String,
    /// The name of the client; `None` for a browser.
    pub client: Option<String>,
    /// When it signed in.
    pub since: Moment,
    /// When it was last active; `None` if never.
    pub last_active: Option<Moment>,
    /// The address: of the sign-in for a browser, of the last use for a terminal.
    pub address: Option<String>,
    /// When its access ends at the latest; `None` if never.
    pub ends: Option<Moment>,
    /// Number of its scopes; 0 for a browser.
    pub scopes: usize,
    /// How many of them have a high risk.
    pub high_risk: usize,
    /// Number of its active tokens; 0 for a browser.
    pub tokens: usize,
}

impl DeviceRow {
    /// Its name, or the name of the client if it has none.
    fn title(&self) -> &str {
        match (self.name.is_empty(), &self.client) {
            (true, Some(client)) => client,
            _ => &self.name,
        }
    }

    /// The name of its icon.
    fn icon(&self) -> &'static str {
        match self.kind {
            DeviceKind::Browser => "browser",
            DeviceKind::Phone => "phone",
            DeviceKind::Terminal => "terminal",
        }
    }
}

/// What a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceKind {
    /// A browser.
    Browser,
    /// A browser on a phone.
    Phone,
    /// A device on which a client signed in.
    Terminal,
}

/// `GET /devices/browsers/{id}/sign-out` and `GET /devices/terminals/{id}/sign-out`. Posts to the
/// same path.
#[derive(Debug, Template)]
#[template(path = "device_sign_out.html")]
pub struct SignOutPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The device.
    pub device: DeviceRow,
}

/// `GET /devices/sign-out-others`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "device_sign_out_others.html")]
pub struct SignOutOthersPage {
    /// The page frame.
    pub chrome: Chrome,
    /// The devices to be signed out.
    pub devices: Vec<DeviceRow>,
}
