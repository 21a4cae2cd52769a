//! Records that wait for the change that they tell of.

use crate::{App, Context, Error};
use domain::Instant;
use domain::audit::personal::Salt;
use domain::audit::record::{self, Detail, Record};
use domain::audit::{Action, Actor, By};
use domain::id::{EventId, OrganizationId};
use serde_json::Value;
use store::Conn;

impl App {
    /// Prepares audit records of this moment.
    pub(crate) fn events(&self, context: &Context, actor: Actor, action: Action) -> Events {
        Events {
            event: self.event(context, actor, action),
            app: self.clone(),
        }
    }

    /// An id for a record. Those of one millisecond sort as they were prepared, for records are
    /// sealed in the order of their ids: a count takes the place of the first random bits (RFC
    /// 9562 section 6.2, method 1).
    fn event_id(&self, at: Instant) -> EventId {
        let mut seed = self.id_seed();
        [seed[0], seed[1]] = self.count_event().to_be_bytes();
        EventId::new(at, seed)
    }

    /// Prepares an audit record of this moment.
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

/// Audit records of one moment and kind, as many as a change turns out to need.
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

/// An audit record that is written with the change that it tells of.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: EventId,
    pub(crate) at: Instant,
    pub(crate) context: Context,
    pub(crate) actor: Actor,
    pub(crate) action: Action,
    /// What hides the texts of the record that tell of a person.
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

    /// The same for what belongs to an organization.
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
