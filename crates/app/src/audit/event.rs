//! Audit records, prepared before the change that they describe.

use crate::{App, Context, Error};
use domain::Instant;
use domain::audit::record::{self, Detail, Record};
use domain::audit::salt::Salt;
use domain::audit::{Action, Actor, By};
use domain::id::{EventId, OrganizationId};
use serde_json::Value;
use store::Conn;

impl App {
    /// Prepares audit records with the current time.
    pub(crate) fn events(&self, context: &Context, actor: Actor, action: Action) -> Events {
        Events {
            event: self.event(context, actor, action),
            app: self.clone(),
        }
    }

    /// Creates an id for a record. Records are sealed in the order of their ids, so ids of one
    /// millisecond sort in order of creation: a counter replaces the first random bits (RFC 9562
    /// section 6.2, method 1).
    fn event_id(&self, at: Instant) -> EventId {
        let mut seed = self.id_seed();
        [seed[0], seed[1]] = self.count_event().to_be_bytes();
        EventId::new(at, seed)
    }

    /// Prepares an audit record with the current time.
    pub(crate) fn event(&self, context: &Context, actor: Actor, action: Action) -> Event {
        Event {
            id: self.event_id(self.now()),
            at: self.now(),
            context: context.clone(),
            actor,
            action,
            salt: Salt::new(self.random()),
        }
    }
}

/// Audit records with one time and action, for a change that needs any number of them.
pub(crate) struct Events {
    app: App,
    event: Event,
}

impl Events {
    pub(crate) fn next(&self) -> Event {
        Event {
            id: self.app.event_id(self.event.at),
            salt: Salt::new(self.app.random()),
            ..self.event.clone()
        }
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
    /// Writes the record into the transaction of the change.
    pub(crate) fn write(
        &self,
        conn: &mut Conn,
        target: Option<&str>,
        detail: Value,
    ) -> Result<(), Error> {
        self.write_in(conn, None, target, detail)
    }

    /// Writes the record of a change in an organization.
    pub(crate) fn write_in(
        &self,
        conn: &mut Conn,
        organization_id: Option<&OrganizationId>,
        target: Option<&str>,
        mut detail: Value,
    ) -> Result<(), Error> {
        if self.context.has_false_actor {
            detail["ignored_actor_header"] = true.into();
        }
        let record = self.record(organization_id, target, detail)?;
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
            request_id: request_id.clone(),
            address: address.map(|address| address.to_string()),
            agent: (!user_agent.is_empty()).then(|| record::agent(user_agent)),
            detail: Detail::try_from(detail)
                .map_err(|why| store::Error::Other(format!("an audit record: {why}")))?,
            salt: None,
        };
        Ok(record.salted(self.salt))
    }
}
