//! The members of an organization, in every state.

use super::super::FieldErrors;
use super::super::invitation::{Delivery, InvitationRow};
use super::super::member::*;
use super::super::org::{Departure, DepartureExtent};
use super::{HOSTILE, LONG, Sample, acme, ada, days, ending, hostile_org, minutes, sample};
use domain::role::Role;

/// A member other than the reader.
fn row(id: &str, name: &str, role: Role, control: MemberControl) -> MemberRow {
    MemberRow {
        id: format!("usr_{id}"),
        name: name.into(),
        email: format!("{id}@example.com"),
        is_email_verified: true,
        role,
        since: days(-300),
        last_active: Some(minutes(-20)),
        who: Who::Other,
        reset: PasswordReset::NotOffered,
        control,
    }
}

/// An open invitation.
pub(super) fn invitation(id: &str, email: Option<&str>) -> InvitationRow {
    InvitationRow {
        id: id.into(),
        can_send: email.is_some(),
        email: email.map(str::to_owned),
        role: Role::Member,
        inviter: Some("Ada Lovelace".into()),
        expires: days(6),
    }
}

fn invite(delivery: Delivery, open: Vec<InvitationRow>) -> Option<InviteForm> {
    Some(InviteForm {
        next: open
            .last()
            .map(|last| format!("/o/acme/members?invited=0.{}", last.id)),
        open,
        email: String::new(),
        most: 20,
        roles: role_choices(Role::Owner, Role::Member),
        delivery,
        form_nonce: "inv_0197b9c000007000800000000000000a.00".into(),
    })
}

/// As seen by the owner Ada.
fn members(notice: Option<MembersNotice>) -> MembersPage {
    let change = |role| MemberControl::Change(role_choices(Role::Owner, role));
    MembersPage {
        chrome: ada(),
        org: acme(),
        members: vec![
            MemberRow {
                who: Who::You,
                ..row("ada", "Ada Lovelace", Role::Owner, MemberControl::LastOwner)
            },
            MemberRow {
                reset: PasswordReset::Offered,
                ..row("bob", "Bob Byron", Role::Admin, change(Role::Admin))
            },
            MemberRow {
                last_active: None,
                is_email_verified: false,
                ..row("c", HOSTILE, Role::Member, change(Role::Member))
            },
            row(LONG, LONG, Role::Member, change(Role::Member)),
        ],
        next: Some("/o/acme/members?cursor=abc".into()),
        text: String::new(),
        role: role_filter(""),
        invite: invite(
            Delivery::ByHand,
            vec![
                invitation("inv_1", Some("charles@example.com")),
                invitation("inv_2", None),
                invitation("inv_3", Some(LONG)),
            ],
        ),
        notice,
        errors: FieldErrors::none(),
    }
}

/// The members of an ordinary organization.
fn ordinary() -> MembersPage {
    let control = |role| MemberControl::Change(role_choices(Role::Owner, role));
    let member = |id, name, role| row(id, name, role, control(role));
    let mut page = members(None);
    page.members.truncate(1);
    page.members.extend([
        member("grace", "Grace Hopper", Role::Admin),
        member("bob", "Bob Byron", Role::Member),
        MemberRow {
            is_email_verified: false,
            last_active: None,
            ..member("mary", "Mary Somerville", Role::Member)
        },
    ]);
    page.next = None;
    page.invite = invite(
        Delivery::Mail,
        vec![
            invitation("inv_1", Some("charles@example.com")),
            invitation("inv_2", None),
        ],
    );
    if let Some(invite) = &mut page.invite {
        invite.next = None;
    }
    page
}

/// Members, and the removal of one.
pub fn samples() -> Vec<Sample> {
    let nothing = MemberControl::Nothing;
    let seen_by_member = MembersPage {
        members: vec![
            MemberRow {
                who: Who::You,
                ..row("ada", "Ada Lovelace", Role::Member, nothing.clone())
            },
            row("bob", "Bob Byron", Role::Owner, nothing),
        ],
        invite: None,
        ..members(None)
    };
    let none_invited = MembersPage {
        invite: invite(Delivery::Mail, Vec::new()),
        ..members(None)
    };
    let mut errors = FieldErrors::on("email", "Enter an email such as ada@example.com.");
    errors.push("role", "Choose a role that you can give.");
    errors.push(
        "",
        "Bob Byron is the last owner. Make another member an owner first.",
    );
    let again = MembersPage {
        org: hostile_org(),
        errors,
        ..members(None)
    };
    let not_found = MembersPage {
        members: Vec::new(),
        text: HOSTILE.into(),
        role: role_filter("admin"),
        ..members(None)
    };
    let remove = |extent, tokens| RemoveMemberPage {
        chrome: ada(),
        org: acme(),
        member_id: "usr_bob".into(),
        member: "Bob Byron".into(),
        email: "bob@example.com".into(),
        role: Role::Admin,
        departure: Departure { extent, tokens },
    };
    let hostile = RemoveMemberPage {
        org: hostile_org(),
        member: HOSTILE.into(),
        email: LONG.into(),
        ..remove(DepartureExtent::All, Vec::new())
    };
    let removal = |state, extent, tokens| sample("member-remove", state, &remove(extent, tokens));
    let done = |state, notice| sample("members", state, &members(Some(notice)));
    let changed = MembersNotice::RoleChanged(HOSTILE.into(), Role::Admin);
    vec![
        sample("members", "ordinary", &ordinary()),
        sample("members", "owner", &members(None)),
        done("changed", changed),
        done("removed", MembersNotice::Removed),
        done("reset-sent", MembersNotice::ResetSent),
        done("withdrawn", MembersNotice::Withdrawn),
        sample("members", "nobody-invited", &none_invited),
        sample("members", "member", &seen_by_member),
        sample("members", "errors", &again),
        sample("members", "not-found", &not_found),
        removal("limited", DepartureExtent::LimitedToIt, ending()),
        removal("no-tokens", DepartureExtent::LimitedToIt, Vec::new()),
        removal("only", DepartureExtent::All, ending()),
        sample("member-remove", "hostile", &hostile),
    ]
}
