//! New invitations: for anyone with the link, for one address, or for several.

use super::invitation::link_path;
use super::org_request::OrgPageRequest;
use super::page_request::Answer;
use super::page_route::{form_on, read};
use super::typed_form::TypedForm;
use super::view::invitation::{InvitationsSentPage, InvitedResult, InvitedRow};
use crate::web::failure::Failure;
use crate::web::links::{self, absolute, invitation_path};
use crate::web::route::resource;
use actix_web::web;
use app::mail::{self, MailStatus};
use app::org::{self, CreateInvitation, InviteOutcome, Invited, InvitedAddress, NewInvitation};
use domain::id::InvitationId;
use domain::role::Role;
use domain::secret::Secret;
use serde::{Deserialize, Serialize};
use wire::form::Form;

/// The routes of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource(
            "/o/{org}/invitations",
            form_on("/o/{org}/members").post(submit),
        ))
        .service(resource("/o/{org}/invitations/{id}/sent", read(show_sent)));
}

/// `POST /o/{org}/invitations`: leads to the page with the result, and mails what can be mailed.
async fn submit(req: OrgPageRequest, form: Form) -> Answer {
    let Some(role) = form.value("role").and_then(Role::parse) else {
        let typed = TypedForm::wrong(form, "role", "Choose a role from the list.");
        return req.again(typed).await;
    };
    let mut addresses = addresses(form.value("email").unwrap_or_default());
    match addresses.len() {
        0 | 1 => submit_one(req, form, (addresses.pop(), role)).await,
        _ => submit_several(req, form, (addresses, role)).await,
    }
}

/// The addresses in a text, without the marks around them.
fn addresses(text: &str) -> Vec<String> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    let addresses = text.split(is_between);
    let addresses = addresses.map(|one| one.trim_matches(['<', '>', '"', '\'']));
    addresses
        .filter(|one| !one.is_empty())
        .map(str::to_owned)
        .collect()
}

async fn submit_one(
    req: OrgPageRequest,
    form: Form,
    (email, role): (Option<String>, Role),
) -> Answer {
    let nonce = form.value("form_nonce").map(str::to_owned);
    let form_id = org::invitation_of_form(&req, nonce.as_deref());
    let input = CreateInvitation {
        email,
        role,
        form_nonce: nonce,
    };
    let storing = req
        .storing_secret(|new: &NewInvitation| (new.invitation.id.to_string(), new.link.clone()))?;
    match (org::invite(&storing, req.id(), input).await, form_id) {
        (Ok(new), _) => {
            if let Some(letter) = &new.letter {
                links::send_invitation(&req.app, letter);
            }
            let id = new.invitation.id.as_str();
            let mail = new.mail.filter(|_| mail::is_configured(&req.app));
            req.to_secret(id, &link_path(&req, id, mail))
        }
        // The browser sent the form twice.
        (Err(app::Error::Conflict(_)), Some(id)) => {
            req.to_secret(id.as_str(), &link_path(&req, id.as_str(), None))
        }
        (Err(error), _) => req.again(TypedForm::refused(form, error)?).await,
    }
}

async fn submit_several(
    req: OrgPageRequest,
    form: Form,
    (addresses, role): (Vec<String>, Role),
) -> Answer {
    let nonce = form.value("form_nonce");
    let form_id = org::invitation_of_form(&req, nonce);
    // The links are secrets, so the whole result is sealed like one.
    let storing =
        req.storing_secret(|invited: &Invited| (invited.id.to_string(), sealed(invited)))?;
    let invited = org::invite_all(&storing, req.id(), addresses, (role, nonce)).await;
    let id = match (invited, form_id) {
        (Ok(invited), _) => {
            for one in &invited.addresses {
                if let InviteOutcome::Created(new) = &one.outcome
                    && let Some(letter) = &new.letter
                {
                    links::send_invitation(&req.app, letter);
                }
            }
            invited.id
        }
        // The browser sent the form twice.
        (Err(app::Error::Conflict(_)), Some(id)) => id,
        (Err(error), _) => return req.again(TypedForm::refused(form, error)?).await,
    };
    let page = req.path(&format!("/invitations/{id}/sent"));
    req.to_secret(id.as_str(), &page)
}

/// The result for an address, as it waits for its page.
#[derive(Serialize, Deserialize)]
struct Kept {
    address: String,
    result: KeptResult,
}

#[derive(Serialize, Deserialize)]
enum KeptResult {
    Sent,
    NotSent { link: String, may_create_user: bool },
    AlreadyMember,
    Invalid,
}

fn sealed(invited: &Invited) -> Secret {
    let kept: Vec<_> = invited.addresses.iter().map(kept).collect();
    Secret::new(serde_json::to_string(&kept).unwrap_or_default())
}

fn kept(one: &InvitedAddress) -> Kept {
    Kept {
        address: one.address.clone(),
        result: match &one.outcome {
            InviteOutcome::AlreadyMember => KeptResult::AlreadyMember,
            InviteOutcome::Invalid => KeptResult::Invalid,
            InviteOutcome::Created(new) if new.mail == Some(MailStatus::Sent) => KeptResult::Sent,
            InviteOutcome::Created(new) => KeptResult::NotSent {
                link: new.link.expose().to_owned(),
                may_create_user: new.may_create_user,
            },
        },
    }
}

/// `GET /o/{org}/invitations/{id}/sent`: shows the result once.
async fn show_sent(req: OrgPageRequest) -> Answer {
    req.require(Role::Admin)?;
    let id = InvitationId::parse(req.segment("id")).ok_or(Failure::NotFound)?;
    let kept = req.take_secret(id.as_str()).await?;
    let kept = kept.and_then(|kept| serde_json::from_str::<Vec<Kept>>(kept.expose()).ok());
    let row = |one: Kept| InvitedRow {
        address: one.address,
        result: match one.result {
            KeptResult::Sent => InvitedResult::Sent,
            KeptResult::NotSent {
                link,
                may_create_user,
            } => InvitedResult::NotSent {
                url: absolute(&req.app, &invitation_path(&link)),
                may_create_user,
            },
            KeptResult::AlreadyMember => InvitedResult::AlreadyMember,
            KeptResult::Invalid => InvitedResult::Invalid,
        },
    };
    let page = InvitationsSentPage {
        chrome: req.chrome(),
        org: req.head(),
        results: kept.map(|kept| kept.into_iter().map(row).collect()),
    };
    req.secret_page(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_separated_by_commas_spaces_and_lines() {
        let text = " ada@example.com, <bob@example.com>;\r\n\"eve@example.com\"\tx ,, ";
        let expected = ["ada@example.com", "bob@example.com", "eve@example.com", "x"];
        assert_eq!(addresses(text), expected);
        assert!(addresses(" ,\n; ").is_empty());
    }
}
