//! Mail: delivery, and behaviour without a working mail server.

use crate::email::{link_of, path_in};
use crate::support::smtp::Sink;
use crate::support::{PASSWORD, TestApp, log};
use base64::Engine;
use doorcode::app::mail::{self, Message};
use doorcode::domain::role::Role;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A server that sends its mail to an address. Its name is in the id of each message.
async fn with_mail(name: &str, sink: SocketAddr, query: &str) -> TestApp {
    let smtp_url = format!("smtp://ada:hunter%2B2@{sink}{query}");
    let test = TestApp::empty(&format!(
        "[server]\npublic_url = \"http://{name}.localhost\"\n\
         [branding]\nname = \"Bräu, Söhne\"\n\
         [mail]\nfrom = \"login@example.com\"\n\
         smtp_url = \"{smtp_url}\"\n"
    ))
    .await;
    test.canaries.add_url(&smtp_url);
    test
}

fn message(to: &str, subject: &str, text: &str) -> Message {
    Message {
        to: to.to_owned(),
        subject: subject.to_owned(),
        text: text.to_owned(),
    }
}

/// Queues a message; `false` if it is not sent.
fn send(test: &TestApp, message: Message) -> bool {
    let slot = mail::reserve(&test.app, "operator");
    let is_sent = slot.is_some();
    if let Some(slot) = slot {
        mail::send(&test.app, slot, message);
    }
    is_sent
}

/// Whether the log has `what` about a message of the server with this name.
fn is_logged(name: &str, what: &str) -> bool {
    let of_it = format!("@{name}.localhost");
    let log = log::text();
    let mut lines = log.lines().filter(|line| line.contains(&of_it));
    lines.any(|line| line.contains(what))
}

#[actix_web::test]
async fn message_arrives_unchanged() {
    let sink = Sink::start(&[]);
    let test = with_mail("arrives", sink.address, "").await;
    assert!(mail::is_configured(&test.app));
    let text = "Open this link:\n\nhttps://id.example.com/invitation?link=tulip-4711\n\n.\n..\n";
    send(&test, message("eve@example.com", "Ada invites you", text));
    let received = sink.next();
    let credentials = base64::engine::general_purpose::STANDARD.encode("\0ada\0hunter+2");
    let commands: Vec<_> = received.commands.lines().collect();
    assert_eq!(
        commands,
        [
            "EHLO arrives.localhost",
            &format!("AUTH PLAIN {credentials}"),
            "MAIL FROM:<login@example.com>",
            "RCPT TO:<eve@example.com>",
            "DATA",
        ]
    );
    assert_eq!(received.header("To"), "eve@example.com");
    assert_eq!(received.header("Subject"), "Ada invites you");
    assert_eq!(received.header("Date"), "Sun, 22 Nov 2026 12:00:00 +0000");
    assert_eq!(received.header("Auto-Submitted"), "auto-generated");
    assert_eq!(received.header("Content-Type"), "text/plain; charset=utf-8");
    let from = received.header("From");
    assert!(
        from.ends_with(" <login@example.com>") && from.is_ascii(),
        "{from}"
    );
    assert!(
        received
            .header("Message-ID")
            .ends_with("@arrives.localhost>")
    );
    let footer = "\nIf you need help, ask the people who run Bräu, Söhne.\n\nBräu, Söhne";
    assert_eq!(received.text().trim_end(), format!("{text}{footer}"));
    assert!(sink.is_empty());

    for secret in ["tulip-4711", "hunter+2", "hunter%2B2", &credentials] {
        assert!(!log::text().contains(secret), "{secret}");
    }
}

/// INJ-01: names are user input and cannot add a header or a recipient.
#[actix_web::test]
async fn name_adds_no_header_or_recipient() {
    let sink = Sink::start(&[]);
    let test = with_mail("injected", sink.address, "").await;
    for to in [
        "eve@example.com\r\nRCPT TO:<mallory@example.com>",
        "eve@example.com, mallory@example.com",
        "Eve <eve@example.com>",
        "eve",
        "",
    ] {
        send(&test, message(to, "Hello", "canary"));
    }
    let break_out = "Hi\r\nBcc: mallory@example.com\r\n\r\nText\n.\nQUIT é \u{202e}\0";
    send(
        &test,
        message("eve@example.com", break_out, "canary\r\n.\r\nQUIT\r\n"),
    );
    let received = sink.next();
    assert_eq!(received.commands.matches("RCPT").count(), 1, "{received:?}");
    let head = received.data.split("\r\n\r\n").next().unwrap();
    let names: Vec<_> = head
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "Date",
            "Message-ID",
            "From",
            "To",
            "Subject",
            "Auto-Submitted",
            "Content-Type",
            "Content-Transfer-Encoding",
        ]
    );
    assert!(head.is_ascii(), "{head}");
    assert!(received.text().starts_with("canary\n.\nQUIT\n"));
    assert!(sink.is_empty());
    assert!(is_logged("injected", "its address is invalid"));
}

#[actix_web::test]
async fn temporary_error_is_retried_and_permanent_error_is_not() {
    let sink = Sink::start(&["451 later", "250 taken", "554 no: canary-9f2c"]);
    let test = with_mail("busy", sink.address, "").await;
    send(&test, message("eve@example.com", "First", "canary-9f2c"));
    let (first, second) = (sink.next(), sink.next());
    assert_eq!(first.data, second.data);
    send(&test, message("eve@example.com", "Second", "canary-9f2c"));
    send(&test, message("eve@example.com", "Third", "canary-9f2c"));
    assert_eq!(sink.next().header("Subject"), "Second");
    assert_eq!(sink.next().header("Subject"), "Third");
    test.app.stop().await;
    assert!(sink.is_empty());
    assert!(is_logged("busy", "the mail server answered 554"));
    // The mail server's response may repeat the message.
    assert!(!log::text().contains("canary-9f2c"));
}

/// One recipient's mail server asks for a later attempt.
#[actix_web::test]
async fn message_that_waits_for_its_retry_delays_no_other() {
    let sink = Sink::start(&["451 later"]);
    let test = with_mail("retries", sink.address, "").await;
    for subject in ["First", "Second"] {
        assert!(send(&test, message("eve@example.com", subject, "Hello")));
    }
    for subject in ["First", "Second", "First"] {
        assert_eq!(sink.next().header("Subject"), subject);
    }
    test.app.stop().await;
    assert!(sink.is_empty());
}

/// A silent or absent mail server delays no request.
#[actix_web::test]
async fn unavailable_mail_server_delays_no_request() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [&silent, &gone].map(|listener| listener.local_addr().unwrap());
    drop(gone);
    for (name, address) in ["silent", "gone"].into_iter().zip(addresses) {
        let test = with_mail(name, address, "").await;
        let started = Instant::now();
        let sent = (0..150)
            .filter(|_| send(&test, message("eve@example.com", "Hello", "canary-77aa")))
            .count();
        // The thread may have taken one message before the queue was full.
        assert!((100..=101).contains(&sent), "{sent}");
        let ready = test
            .anon()
            .get(test.at("/readyz"))
            .header("host", "localhost");
        assert_eq!(ready.send().await.unwrap().status(), 200);
        test.app.stop().await;
        // The silent server has 10 seconds for its first response.
        assert!(started.elapsed() < Duration::from_secs(10));
        assert!(log::text().contains("too many are waiting"), "{name}");
    }
    assert!(is_logged("gone", "message not sent: the program ends"));
    assert!(!log::text().contains("canary-77aa"));
}

/// CFG-01: with TLS required, nothing is sent without it.
#[actix_web::test]
async fn nothing_is_sent_without_the_required_tls() {
    let sink = Sink::start(&[]);
    let test = with_mail("plain", sink.address, "?tls=required").await;
    send(&test, message("eve@example.com", "Hello", "canary"));
    test.app.stop().await;
    assert!(sink.is_empty());
    assert!(is_logged("plain", "message not sent: the program ends"));
}

/// CFG-01: without the setting nothing is sent.
#[actix_web::test]
async fn nothing_is_sent_without_a_mail_server() {
    let test = TestApp::empty("[server]\npublic_url = \"http://unset.localhost\"").await;
    assert!(!mail::is_configured(&test.app));
    assert!(!send(&test, message("eve", "Hello", "canary")));
    test.app.stop().await;
    assert!(!is_logged("unset", "message"));
}

/// Issue 3.7: an invitation created on the page for an address is also mailed to it.
#[actix_web::test]
async fn invitation_created_on_the_page_is_mailed() {
    let sink = Sink::start(&[]);
    let test = with_mail("invites", sink.address, "").await;
    let owner = Some(("Acme", Role::Owner));
    test.add_user("ada@example.com", PASSWORD, owner).await;
    let mut browser = test.browser();
    browser.set_header("host", "invites.localhost");
    browser.sign_in("ada@example.com", PASSWORD).await;
    browser.get("/o/acme/members").await;
    for email in ["", "eve@example.com"] {
        let fields = [("role", "admin"), ("email", email)];
        let page = browser.post("/o/acme/invitations", &fields).await;
        assert_eq!(page.status, 200, "{}", page.body);
        if email.is_empty() {
            continue;
        }
        assert!(page.contains("It was sent to eve@example.com."));
        let received = sink.next();
        assert_eq!(received.header("To"), email);
        let (_, link) = page.body.split_once("/invite?link=").unwrap();
        let (link, _) = link.split_once('<').unwrap();
        let mailed = path_in(&test, &received, "/invite");
        assert_ne!(
            link_of(&mailed),
            link,
            "the inviter must not see the mailed link"
        );
        for link in [link, link_of(&mailed)] {
            assert!(!log::text().contains(link));
        }
    }
    test.app.stop().await;
    assert!(
        sink.is_empty(),
        "an invitation without an address is not sent"
    );
}
