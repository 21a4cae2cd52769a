//! Audit records of changes, written in the transaction of the change.

use crate::{App, Context, Error};
use domain::Instant;
use domain::audit::record::{self, Detail, Record};
use domain::audit::salt::Salt;
use domain::audit::{Action, Actor, By};
use domain::id::{EventId, IdSeed, OrganizationId};
use domain::org::Organization;
use domain::project::Project;
use domain::token::Token;
use serde_json::Value;
use store::Conn;

impl App {
    /// Prepares an audit record with the current time.
    pub(crate) fn event(&self, context: &Context, actor: Actor, action: Action) -> Event {
        Event {
            id: Event::id_at(self.now(), self.id_seed(), self.count_event()),
            at: self.now(),
            context: context.clone(),
            actor,
            action,
            salt: Salt::new(self.random()),
        }
    }
}

/// Runs work that writes the record with this id, unless the record is committed already: a caller
/// that repeats the work after an error cannot know whether it was.
pub(super) async fn write_once(
    app: &App,
    id: EventId,
    mut work: impl FnMut(&mut Conn) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    app.store()
        .write(
            move |conn| match store::audit::is_recorded(conn, id.as_str())? {
                true => Ok(()),
                false => work(conn),
            },
        )
        .await
}

/// The object of an action: its id and its organization.
#[derive(Clone, Copy, Default)]
pub(crate) struct Target<'a> {
    organization_id: Option<&'a OrganizationId>,
    id: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// An object in an organization.
    pub(crate) fn within(organization_id: &'a OrganizationId, id: &'a str) -> Self {
        Self {
            organization_id: Some(organization_id),
            id: Some(id),
        }
    }

    /// An object that may belong to an organization.
    pub(crate) fn of(organization_id: Option<&'a OrganizationId>, id: Option<&'a str>) -> Self {
        Self {
            organization_id,
            id,
        }
    }
}

impl<'a> From<Option<&'a str>> for Target<'a> {
    fn from(id: Option<&'a str>) -> Self {
        Self::of(None, id)
    }
}

impl<'a> From<&'a Organization> for Target<'a> {
    fn from(organization: &'a Organization) -> Self {
        Self::within(&organization.id, organization.id.as_str())
    }
}

impl<'a> From<&'a Project> for Target<'a> {
    fn from(project: &'a Project) -> Self {
        Self::within(&project.organization_id, project.id.as_str())
    }
}

impl<'a> From<&'a Token> for Target<'a> {
    fn from(token: &'a Token) -> Self {
        Self::of(token.organization(), Some(token.id.as_str()))
    }
}

/// An audit record that is written in the transaction of its change.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) at: Instant,
    pub(crate) context: Context,
    pub(crate) actor: Actor,
    pub(crate) action: Action,
    /// Salt for the pseudonyms of personal data.
    pub(crate) salt: Salt,
}

impl Event {
    /// An id for a record. Records are sealed in the order of their ids, so ids of one
    /// millisecond sort in order of creation: the record's position among those of this server
    /// replaces the first random bits (RFC 9562 section 6.2, method 1).
    pub(crate) fn id_at(at: Instant, mut seed: IdSeed, position: u16) -> EventId {
        [seed[0], seed[1]] = position.to_be_bytes();
        EventId::new(at, seed)
    }

    /// Writes the record into the transaction of the change.
    pub(crate) fn write<'t>(
        &self,
        conn: &mut Conn,
        target: impl Into<Target<'t>>,
        mut detail: Value,
    ) -> Result<(), Error> {
        if self.context.has_false_actor {
            detail["ignored_actor_header"] = true.into();
        }
        let Target {
            organization_id,
            id,
        } = target.into();
        let record = self.record(organization_id, id, detail)?;
        Ok(store::audit::insert_event(conn, &record)?)
    }

    pub(super) fn record(
        &self,
        organization_id: Option<&OrganizationId>,
        target: Option<&str>,
        detail: Value,
    ) -> Result<Record, Error> {
        let Context {
            request_id,
            address,
            user_agent,
            ..
        } = &self.context;
        let by = match address {
            Some(_) => By::Request,
            None => By::Command,
        };
        let client_id = match &self.actor {
            Actor::Client(id) => Some(id.as_str()),
            _ => detail["client_id"].as_str(),
        };
        let record = Record {
            sequence: 0,
            id: self.id.to_string(),
            at: self.at,
            action: self.action.as_str().to_owned(),
            outcome: self.action.outcome(),
            actor_kind: self.actor.kind().to_owned(),
            actor_id: self.actor.id().map(str::to_owned),
            method: self.actor.method(by),
            user_id: self.actor.user_id().map(ToString::to_string),
            token_id: self.actor.token_id().map(ToString::to_string),
            client_id: client_id.map(str::to_owned),
            organization_id: organization_id.map(ToString::to_string),
            target: target.map(str::to_owned),
            request_id: request_id.to_string(),
            address: address.map(|address| address.to_string()),
            agent: (!user_agent.is_empty()).then(|| record::agent(user_agent)),
            detail: Detail::try_from(detail)
                .map_err(|why| store::Error::Other(format!("an audit record: {why}")))?,
            salt: None,
        };
        Ok(record.salted(self.salt))
    }
}
