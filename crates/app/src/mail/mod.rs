//! Mail, if a mail server is configured. Without one, the operator passes links on.

mod account;
mod address;
mod invitation;
mod name;
mod outbox;
mod rotation;
mod security;

pub use account::PasswordReset;
pub(super) use account::{tell_address_changed, tell_password_changed};
pub(super) use address::{address_changed, address_link, address_taken};
pub use invitation::Invitation;
pub(super) use name::{admin_name, organization_name};
pub(super) use outbox::Outbox;
pub use outbox::{Backlog, MailSlot};
pub(super) use rotation::RotationRequest;
pub(crate) use security::{SecurityChange, tell_security_changed};

use super::App;
use config::Branding;
use domain::{Instant, is_disguise};
use lettre::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use std::time::SystemTime;

/// A plain-text message. It may contain a one-time link, so it has no `Debug`.
pub struct Message {
    /// Address of the recipient.
    pub to: String,
    /// Subject; line breaks and other disguising characters become spaces.
    pub subject: String,
    /// Body.
    pub text: String,
}

/// Marks a message as automatic, so that no program replies to it (RFC 3834 section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// A time in the text of a message.
fn moment(at: Instant) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// The end of every message: where users get help, whose message it is, and its pages.
fn footer(branding: &Branding) -> String {
    let Branding { name, links, .. } = branding;
    let help = match &branding.support {
        Some(support) => format!("contact {support}"),
        None => format!("ask the people who run {name}"),
    };
    let mut text = format!("\nIf you need help, {help}.\n\n{name}");
    if let Some(home) = &links.home {
        text += &format!(": {home}");
    }
    for (title, page) in [("Terms", &links.terms), ("Privacy", &links.privacy)] {
        if let Some(page) = page {
            text += &format!("\n{title}: {page}");
        }
    }
    text + "\n"
}

/// Whether mail is configured.
pub fn is_configured(app: &App) -> bool {
    app.config().mail.is_some()
}

/// Whether a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailStatus {
    /// It is queued for sending.
    Sent,
    /// It is not sent: there is no mail server, a limit is reached, or the queue is full.
    NotSent,
}

impl MailStatus {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NotSent => "not_sent",
        }
    }
}

/// Takes a place in the queue for a message of a sender: the id of a user or organization,
/// `operator`, or the network of an anonymous visitor. `None` if the message cannot be sent.
pub fn reserve(app: &App, sender: &str) -> Option<MailSlot> {
    let slot = app.outbox().reserve(sender);
    if slot.is_none() && is_configured(app) {
        tracing::warn!(sender, "message not sent: too many are waiting");
    }
    slot
}

/// Queues a message for sending on another thread. Returns immediately and never fails: sending
/// is retried a few times, then a failure is logged.
pub fn send(app: &App, slot: MailSlot, message: Message) {
    let Some(mail) = &app.config().mail else {
        return;
    };
    let host = app.config().server.public_url.host();
    let id = format!("<{}@{host}>", app.draw_request_id());
    let from = Mailbox {
        name: mail
            .from
            .name
            .clone()
            .or_else(|| Some(app.config().branding.name.clone())),
        email: mail.from.email.clone(),
    };
    let Ok(to) = message.to.parse::<Address>() else {
        tracing::warn!(id, "message not sent: its address is invalid");
        return;
    };
    let subject = message.subject.replace(is_disguise, " ");
    let built = MessageBuilder::new()
        .date(SystemTime::from(app.now()))
        .message_id(Some(id.clone()))
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(subject)
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN)
        .body(message.text + &footer(&app.config().branding));
    match built {
        Ok(email) => app.outbox().put(slot, id, email),
        Err(error) => tracing::warn!(id, %error, "message not sent: it cannot be encoded"),
    }
}
