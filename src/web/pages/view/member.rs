//! The members of an organization.

use super::invitation::{Delivery, InvitationRow};
use super::org::{Departure, OrganizationHead};
use super::{Choice, Chrome, FieldErrors, Moment};
use askama::Template;
use domain::org::Role;

/// `/o/{org}/members`. Posts to `/o/{org}/members/{user}/role` the field `role`, and to
/// `/o/{org}/invitations` the fields `email`, `role`.
#[derive(Debug, Template)]
#[template(path = "members.html")]
pub struct MembersPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// Its members.
    pub members: Vec<MemberRow>,
    /// Where the list goes on, if it does.
    pub next: Option<String>,
    /// What those who may invite see; `None` for the others.
    pub invite: Option<InviteForm>,
    /// What was just done, if anything.
    pub notice: Option<MembersNotice>,
    /// What is wrong; fields `email`, `role`. What is wrong with a row has no field.
    pub errors: FieldErrors,
}

/// A member in the list.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The person's id, for the URL.
    pub id: String,
    /// Their name.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// Since when they are a member.
    pub since: Moment,
    /// When they last did something here; `None` if it is not known.
    pub last_active: Option<Moment>,
    /// Who the row is about.
    pub who: Who,
    /// What can be done with the row.
    pub control: MemberControl,
}

impl MemberRow {
    /// Whether the row is about the person who reads it.
    fn is_you(&self) -> bool {
        self.who == Who::You
    }
}

/// Who a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The person who reads the page.
    You,
    /// Somebody else.
    Other,
}

/// What can be done with a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberControl {
    /// Nothing: the person may not.
    Nothing,
    /// Nothing: an organization keeps one owner.
    LastOwner,
    /// The role can be changed to one of these, and the member removed.
    Change(Vec<Choice>),
}

/// Open invitations, and the form for one more.
#[derive(Debug, Clone)]
pub struct InviteForm {
    /// Those nobody has used yet, the newest first.
    pub open: Vec<InvitationRow>,
    /// Where they go on.
    pub next: Option<String>,
    /// What was typed as the email.
    pub email: String,
    /// The roles that this person can give, one of them selected.
    pub roles: Vec<Choice>,
    /// What becomes of the link.
    pub delivery: Delivery,
    /// What lets the form make one invitation, however often it is sent.
    pub form_nonce: String,
}

/// What was just done to the members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembersNotice {
    /// This person's role was changed.
    RoleChanged(String, Role),
    /// Somebody was removed.
    Removed,
    /// An invitation was withdrawn.
    Withdrawn,
}

/// `GET /o/{org}/members/{user}/remove`. Posts to the same path.
#[derive(Debug, Template)]
#[template(path = "member_remove.html")]
pub struct RemoveMemberPage {
    /// What is around the content.
    pub chrome: Chrome,
    /// The organization.
    pub org: OrganizationHead,
    /// The person's id, for the URL.
    pub member_id: String,
    /// Their name.
    pub member: String,
    /// The address they sign in with.
    pub email: String,
    /// Their role.
    pub role: Role,
    /// What would end.
    pub departure: Departure,
}

/// The roles up to `highest`, the one `selected` chosen.
pub fn role_choices(highest: Role, selected: Role) -> Vec<Choice> {
    Role::ALL
        .into_iter()
        .filter(|role| *role <= highest)
        .map(|role| Choice {
            value: role.as_str().to_owned(),
            label: role.as_str().to_owned(),
            selected: role == selected,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gives_more_than_they_may() {
        let values = |highest| {
            let choices = role_choices(highest, Role::Member);
            assert!(choices[0].selected);
            choices.into_iter().map(|c| c.value).collect::<Vec<_>>()
        };
        assert_eq!(values(Role::Admin), ["member", "admin"]);
        assert_eq!(values(Role::Owner), ["member", "admin", "owner"]);
    }
}
