//! The limits of a token in two columns: an organization, and a list of project ids in it.

use domain::id::{OrganizationId, ProjectId};
use domain::token::Limits;

/// The columns.
pub(super) struct LimitColumns {
    pub(super) organization: Option<String>,
    pub(super) projects: Option<String>,
}

impl LimitColumns {
    /// The columns of these limits.
    pub(super) fn of(limits: &Limits) -> Self {
        Self {
            organization: limits.organization.as_ref().map(ToString::to_string),
            projects: limits.projects.as_ref().map(|projects| {
                let ids: Vec<_> = projects.iter().map(ProjectId::as_str).collect();
                ids.join(" ")
            }),
        }
    }

    /// The limits; `None` if a column is damaged.
    pub(super) fn read(organization: Option<&str>, projects: Option<&str>) -> Option<Limits> {
        let read = |ids: &str| {
            ids.split_whitespace()
                .map(ProjectId::parse)
                .collect::<Option<_>>()
        };
        Some(Limits {
            organization: match organization {
                Some(id) => Some(OrganizationId::parse(id)?),
                None => None,
            },
            projects: match projects {
                Some(ids) => Some(read(ids)?),
                None => None,
            },
        })
    }
}
