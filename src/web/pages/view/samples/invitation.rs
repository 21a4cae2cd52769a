//! Invitations, in every state.

use super::super::FieldErrors;
use super::super::invitation::*;
use super::member::invitation;
use super::{HOSTILE, LONG, Sample, acme, ada, days, hostile_org, sample, stranger};
use app::mail::MailStatus;
use app::org::NewUser;
use domain::role::Role;

fn sent() -> Vec<InvitedRow> {
    let row = |address: &str, result| InvitedRow {
        address: address.into(),
        result,
    };
    let link = |may_create_user| InvitedResult::NotSent {
        url: format!("https://auth.example.com/invite?link={}", "0f".repeat(32)),
        may_create_user,
    };
    vec![
        row("gita@example.com", InvitedResult::Sent),
        row("hal@example.com", link(true)),
        row(LONG, link(false)),
        row("ada@example.com", InvitedResult::AlreadyMember),
        row(HOSTILE, InvitedResult::Invalid),
    ]
}

fn offer() -> Offer {
    Offer {
        organization: "Acme".into(),
        role: Role::Member,
        inviter: Some("Bob Byron".into()),
        email: None,
        expires: days(6),
    }
}

fn hostile_offer() -> Offer {
    Offer {
        organization: HOSTILE.into(),
        role: Role::Owner,
        inviter: Some(LONG.into()),
        email: Some(HOSTILE.into()),
        expires: days(1),
    }
}

fn created(email: Option<&str>, mail: Option<MailStatus>) -> InvitationCreatedPage {
    InvitationCreatedPage {
        chrome: ada(),
        org: acme(),
        id: "inv_1".into(),
        url: Some("https://login.example.com/invite?link=0123456789abcdef0123456789abcdef".into()),
        email: email.map(str::to_owned),
        role: Role::Member,
        expires: days(7),
        mail,
        may_create_user: true,
    }
}

fn join(offer: Offer, errors: FieldErrors) -> InvitePage {
    InvitePage {
        chrome: ada(),
        link: "one-time".into(),
        offer,
        return_to: "/invite?link=one-time".into(),
        errors,
    }
}

fn user() -> InviteUserPage {
    InviteUserPage {
        chrome: stranger(),
        link: "one-time".into(),
        offer: offer(),
        login_path: "/login".into(),
        new_user: NewUser::Joins,
        is_mailed: false,
        name: String::new(),
        email: "charles@example.com".into(),
        errors: FieldErrors::none(),
    }
}

/// Invitations.
pub fn samples() -> Vec<Sample> {
    let withdraw = |email| WithdrawPage {
        chrome: ada(),
        org: acme(),
        invitation: invitation("inv_1", email),
    };
    let mut errors = FieldErrors::on("name", "Enter your name.");
    errors.push("email", "This email has an account. Sign in with it.");
    errors.push("password", "Use at least 15 characters.");
    let account_with_errors = InviteUserPage {
        offer: hostile_offer(),
        name: HOSTILE.into(),
        errors,
        ..user()
    };
    let mail_again = InviteUserPage {
        new_user: NewUser::ReceivesLink,
        offer: Offer {
            email: Some("charles@example.com".into()),
            ..offer()
        },
        ..user()
    };
    let without_form = |new_user| InviteUserPage { new_user, ..user() };
    let for_users = InvitationCreatedPage {
        may_create_user: false,
        ..created(None, None)
    };
    let conflict = FieldErrors::whole("The invitation changed meanwhile. Try again.");
    let by_operator = Offer {
        inviter: None,
        ..offer()
    };
    let closed = |reason| InviteClosedPage {
        chrome: stranger(),
        reason,
    };
    let already = InviteClosedPage {
        chrome: ada(),
        reason: InviteClosed::AlreadyMember {
            slug: hostile_org().slug,
            name: hostile_org().name,
        },
    };
    let shown = InvitationCreatedPage {
        url: None,
        ..created(None, None)
    };
    let results = InvitationsSentPage {
        chrome: ada(),
        org: acme(),
        results: Some(sent()),
    };
    let by_hand = InvitationsSentPage {
        chrome: ada(),
        org: hostile_org(),
        results: Some(sent().split_off(1)),
    };
    let results_shown = InvitationsSentPage {
        chrome: ada(),
        org: acme(),
        results: None,
    };
    let new = |state, email, mail| sample("invitation-created", state, &created(email, mail));
    let joining = |state, offer, errors| sample("invite", state, &join(offer, errors));
    let none = FieldErrors::none;
    vec![
        new("plain", None, None),
        new("email", Some(LONG), None),
        new("sent", Some(HOSTILE), Some(MailStatus::Sent)),
        new("not-sent", Some(LONG), Some(MailStatus::NotSent)),
        sample("invitation-created", "existing-users", &for_users),
        sample("invitation-created", "shown", &shown),
        sample("invitations-sent", "several", &results),
        sample("invitations-sent", "by-hand", &by_hand),
        sample("invitations-sent", "shown", &results_shown),
        sample("invitation-withdraw", "email", &withdraw(Some(HOSTILE))),
        sample("invitation-withdraw", "open", &withdraw(None)),
        joining("plain", offer(), none()),
        joining("operator", by_operator, none()),
        joining("hostile", hostile_offer(), conflict),
        sample("invite-account", "empty", &user()),
        sample("invite-account", "errors", &account_with_errors),
        sample(
            "invite-account",
            "needs-account",
            &without_form(NewUser::NeedsUser),
        ),
        sample(
            "invite-account",
            "email",
            &without_form(NewUser::ReceivesLink),
        ),
        sample("invite-account", "mail-again", &mail_again),
        sample(
            "invite-account",
            "too-many",
            &without_form(NewUser::TooMany),
        ),
        sample("invite-closed", "bad-link", &closed(InviteClosed::BadLink)),
        sample("invite-closed", "already", &already),
    ]
}
