//! The overview of an organization for its admins: what needs attention, and whether the log is
//! intact.

use super::audit::badge;
use super::org_request::OrgPageRequest;
use super::token_access::part_path;
use super::view::Moment;
use super::view::org_overview::{AdminOverview, TodoItem, TodoLine};
use crate::web::failure::Failure;
use app::org::{self, AccessPart, Urgent};

/// Loads the overview.
pub async fn overview(req: &OrgPageRequest) -> Result<AdminOverview, Failure> {
    let attention = org::attention(req, req.id()).await?;
    let parts = attention.parts.into_iter();
    let mut todo: Vec<_> = parts.filter_map(|found| line(req, found)).collect();
    let (one, several) = (
        "invitation waits for its answer",
        "invitations wait for an answer",
    );
    if attention.invitations > 0 {
        todo.push(TodoLine {
            count: attention.invitations,
            is_warn: false,
            what: if attention.invitations == 1 {
                one
            } else {
                several
            },
            named: Vec::new(),
            href: req.path("/members#invited"),
            verb: "View",
        });
    }
    Ok(AdminOverview {
        todo,
        own_tokens: attention.own,
        personal_tokens: attention.personal,
        is_cut: attention.is_cut,
        log: badge(req).await?,
    })
}

/// The line of a part of the tokens.
fn line(
    req: &OrgPageRequest,
    (part, count, first): (AccessPart, usize, Vec<Urgent>),
) -> Option<TodoLine> {
    let (one, several, is_warn) = match part {
        AccessPart::All => return None,
        AccessPart::Grace => (
            "token loses access when its grace period ends",
            "tokens lose access when their grace period ends",
            true,
        ),
        AccessPart::ExpiresSoon => (
            "token expires within 7 days",
            "tokens expire within 7 days",
            true,
        ),
        AccessPart::Replaced => (
            "replaced token still works until its overlap ends",
            "replaced tokens still work until their overlap ends",
            false,
        ),
        AccessPart::Unused => (
            "token is unused for more than 30 days",
            "tokens are unused for more than 30 days",
            false,
        ),
        AccessPart::NeverExpires => ("token never expires", "tokens never expire", false),
        AccessPart::Blocked => ("token is blocked", "tokens are blocked", false),
    };
    let has_end = matches!(
        part,
        AccessPart::Grace | AccessPart::ExpiresSoon | AccessPart::Replaced
    );
    let item = |urgent: Urgent| TodoItem {
        name: match urgent.owner {
            Some(owner) => format!("{} by {owner}", urgent.name),
            None => urgent.name,
        },
        ends: urgent
            .ends_at
            .filter(|_| has_end)
            .map(|at| Moment::new(at, req.now())),
    };
    Some(TodoLine {
        count,
        is_warn,
        what: if count == 1 { one } else { several },
        named: first.into_iter().map(item).collect(),
        href: req.path(&part_path(part)),
        verb: "Review",
    })
}
