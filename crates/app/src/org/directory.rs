//! All organizations, as the operator sees them.

use crate::{Error, Request};
use domain::org::{Maker, Organization};
use domain::page::Page;

/// An organization with the name of its creator.
#[derive(Debug, Clone)]
pub struct ListedOrganization {
    /// The organization.
    pub organization: Organization,
    /// The name of the user who created it; `None` for the operator.
    pub maker: Option<String>,
}

/// Lists all organizations, oldest first, for the operator.
pub async fn list_all(req: &Request, page: &Page) -> Result<Vec<ListedOrganization>, Error> {
    req.caller.require_operator()?;
    let page = page.clone();
    req.read(move |tx| {
        let found = store::org::list_organizations(tx.conn, &page)?;
        let makers = found.iter().filter_map(|one| match &one.made_by {
            Maker::User(id) => Some(id.to_string()),
            Maker::Operator => None,
        });
        let makers: Vec<_> = makers.collect();
        let names = store::user::list_names(tx.conn, &makers)?;
        let listed = |organization: Organization| ListedOrganization {
            maker: names.get(organization.made_by.as_str()).cloned(),
            organization,
        };
        Ok(found.into_iter().map(listed).collect())
    })
    .await
}
