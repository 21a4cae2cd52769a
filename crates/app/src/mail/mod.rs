//! Mail, where the configuration names a server that takes it. What people need never hangs
//! on it: whatever is sent is also shown to whoever caused it.

mod invitation;
mod outbox;

pub use invitation::Invitation;
pub(super) use outbox::Outbox;

use super::App;
use domain::is_disguise;
use lettre::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use std::time::SystemTime;

/// A letter in plain text. It may hold a one-time link, so it has no `Debug`.
pub struct Message {
    /// The address that it is for.
    pub to: String,
    /// The subject; line breaks and what else disguises text become spaces.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Says that a program wrote a message, so that no other program answers it (RFC 3834
/// section 5).
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

/// Whether anything is sent at all.
pub fn is_configured(app: &App) -> bool {
    app.config().mail.is_some()
}

/// Sends a message soon, from another thread. It returns at once and never fails: a message
/// that cannot be sent is tried again a few times, then the log says so. Without `[mail]` it
/// does nothing.
pub fn send(app: &App, message: Message) {
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
        tracing::warn!(id, "a message is not sent: its address makes no sense");
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
        .body(message.text);
    match built {
        Ok(email) => app.outbox().put(id, email),
        Err(error) => tracing::warn!(id, %error, "a message is not sent: it cannot be written"),
    }
}
