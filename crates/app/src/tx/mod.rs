//! A transaction of a request. It provides the caller's permissions, locks, the audit record and
//! random values that repeat when the work runs again. A debug build detects a missing record.
//!
//! Locks are taken in this order: users, the organization, the project, tokens. Two changes may
//! lock users in opposite order; the writer runs one of them again after the collision.

mod draws;
#[cfg(test)]
mod tests;

use crate::access::{Authority, Caller, Denial, check_console, find_organization, find_project};
use crate::audit::{Event, Target};
use crate::request::Request;
use crate::{App, Context, Error};
use config::Config;
use domain::Instant;
use domain::audit::salt::Salt;
use domain::audit::{Action, Actor};
use domain::decision::ResourceRef;
use domain::id::{IdSeed, UserId};
use domain::org::Organization;
use domain::project::Project;
use domain::role::Role;
use domain::scope::ScopeSet;
use domain::token::Limits;
use draws::Draws;
use serde_json::Value;
use std::any::Any;
use std::rc::Rc;
use store::Conn;

/// Work in a transaction. It is not generic over its outcome: generic code would be compiled again
/// for each use case.
type Work = Box<dyn Fn(&mut Tx<'_>) -> Result<Outcome, Error> + Send>;

type Outcome = Box<dyn Any + Send>;

fn boxed<T: Send + 'static>(
    work: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Work {
    Box::new(move |tx| Ok(Box::new(work(tx)?)))
}

fn unboxed<T: 'static>(outcome: Outcome) -> Result<T, Error> {
    let outcome = outcome.downcast().map(|outcome| *outcome);
    outcome.map_err(|_| Error::internal("work has an outcome of another type"))
}

impl Request {
    /// Reads in one snapshot. The work may run again if the connection is lost.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        unboxed(self.run_read(boxed(work)).await?)
    }

    async fn run_read(&self, work: Work) -> Result<Outcome, Error> {
        let (req, now) = (self.clone(), self.app.now());
        let read = move |conn: &mut store::Conn| {
            let mut draws = Draws::default();
            check_console(conn, &req.caller, false)?;
            work(&mut Tx::reading(&req, now, conn, &mut draws))
        };
        self.app.store().read(read).await
    }

    /// Changes something in one transaction, with an audit record and, if the request has
    /// one, the record of the outcome. The work may run again after a collision
    /// with a concurrent one; it then gets the same time and the same random values.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        action: Action,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        unboxed(self.run_change(action, boxed(work)).await?)
    }

    async fn run_change(&self, action: Action, work: Work) -> Result<Outcome, Error> {
        let (req, now, mut draws) = (self.clone(), self.app.now(), Draws::default());
        let change = move |conn: &mut store::Conn| {
            draws.rewind();
            check_console(conn, &req.caller, true)?;
            let mut tx = Tx::changing(&req, now, conn, &mut draws, action);
            let outcome = work(&mut tx)?;
            tx.finish()?;
            if let Some(record) = &req.record {
                record.file(conn, &*outcome)?;
            }
            Ok(outcome)
        };
        self.app.store().write(change).await
    }
}

/// What a transaction may do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Read one snapshot.
    Read,
    /// Change something, with a record of this action.
    Change(Action),
}

/// A transaction of a request.
pub(crate) struct Tx<'a> {
    /// The connection.
    pub(crate) conn: &'a mut Conn,
    /// The time of the request.
    pub(crate) now: Instant,
    req: &'a Request,
    draws: &'a mut Draws,
    purpose: Purpose,
    locks: bool,
    authority: Option<Rc<Authority>>,
    /// The database's count of changes when the transaction began; see [`Conn::count_changes`].
    changes: Option<i64>,
    is_recorded: bool,
    /// The user whom an anonymous caller has become.
    became: Option<UserId>,
}

impl<'a> Tx<'a> {
    fn reading(req: &'a Request, now: Instant, conn: &'a mut Conn, draws: &'a mut Draws) -> Self {
        Self {
            conn,
            now,
            req,
            draws,
            purpose: Purpose::Read,
            locks: false,
            authority: None,
            changes: None,
            is_recorded: false,
            became: None,
        }
    }

    fn changing(
        req: &'a Request,
        now: Instant,
        conn: &'a mut Conn,
        draws: &'a mut Draws,
        action: Action,
    ) -> Self {
        Self {
            purpose: Purpose::Change(action),
            locks: true,
            changes: count_changes(conn),
            ..Self::reading(req, now, conn, draws)
        }
    }

    /// Ends the work. In a debug build on SQLite, fails if rows changed without an audit record.
    fn finish(self) -> Result<(), Error> {
        let is_silent = !self.is_recorded && self.changes != count_changes(self.conn);
        match is_silent {
            true => Err(Error::internal("a change has no audit record")),
            false => Ok(()),
        }
    }

    /// Allows this change to have no audit record, for example an update of a counter.
    pub(crate) fn needs_no_record(&mut self) {
        self.is_recorded = true;
    }

    /// The application.
    pub(crate) fn app(&self) -> &'a App {
        &self.req.app
    }

    /// The configuration.
    pub(crate) fn config(&self) -> &'a Config {
        self.req.app.config()
    }

    /// Id and origin of the request.
    pub(crate) fn context(&self) -> &'a Context {
        &self.req.context
    }

    /// The caller.
    pub(crate) fn caller(&self) -> &'a Caller {
        &self.req.caller
    }

    /// An id from its creation time and random bytes: `tx.id(ProjectId::new)`.
    pub(crate) fn id<T>(&mut self, new: impl FnOnce(Instant, IdSeed) -> T) -> T {
        let mut seed = IdSeed::default();
        self.draws.fill(&self.req.app, &mut seed);
        new(self.now, seed)
    }

    /// Up to 32 random bytes of the operating system, for a secret.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32) };
        let drawn = self.draws.secret(&self.req.app);
        std::array::from_fn(|i| drawn[i])
    }

    /// The caller's permissions. A change locks the user that the caller is or acts for, so that
    /// the user stays active and keeps its organizations until the transaction ends.
    pub(crate) fn authority(&mut self) -> Result<Rc<Authority>, Error> {
        if let Some(authority) = &self.authority {
            return Ok(authority.clone());
        }
        let caller = self.caller();
        if let Some(id) = caller.user_id().filter(|_| self.locks) {
            store::user::lock_user_shared(self.conn, id)?;
        }
        let authority = Rc::new(caller.authority(self.app(), self.conn)?);
        self.authority = Some(authority.clone());
        Ok(authority)
    }

    /// Reads the caller's permissions again at the next need, after more has been locked.
    pub(crate) fn forget_authority(&mut self) {
        self.authority = None;
    }

    /// Names this user in the records from now on, if the caller is anonymous: the visitor has
    /// created the user, or has proven to be this one. Permissions stay those of the caller.
    pub(crate) fn become_user(&mut self, id: &UserId) {
        if matches!(self.caller(), Caller::Anonymous) {
            self.became = Some(id.clone());
        }
    }

    /// Runs a check before anything is locked, so that a caller without the permission locks
    /// nothing. Repeat the check once the rows are locked.
    pub(crate) fn unlocked<T>(
        &mut self,
        check: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let locks = std::mem::replace(&mut self.locks, false);
        let checked = check(self);
        self.locks = locks;
        self.forget_authority();
        checked
    }

    /// Whether the transaction locks what it reads for a change.
    pub(crate) fn locks(&self) -> bool {
        self.locks
    }

    /// Fails unless the caller has a built-in scope and at least this role for the resource.
    pub(crate) fn require(
        &mut self,
        scope: &str,
        resource: &ResourceRef,
        least: Role,
    ) -> Result<(), Error> {
        self.authority()?.require(scope, resource, least)
    }

    /// Fails unless the caller has a built-in scope for what belongs to it.
    pub(crate) fn require_scope(&mut self, scope: &str) -> Result<(), Error> {
        let authority = self.authority()?;
        authority.require_scope(scope, &ResourceRef::Own).map(drop)
    }

    /// The scopes that the caller can pass on; `None` for the operator.
    pub(crate) fn scopes(&mut self) -> Result<Option<ScopeSet>, Error> {
        Ok(self.authority()?.scopes())
    }

    /// The limits of the caller's token; empty for other callers.
    pub(crate) fn limits(&mut self) -> Result<Limits, Error> {
        Ok(self.authority()?.limits())
    }

    /// The organization with this id or slug, if the caller has the scope and role for it.
    pub(crate) fn organization(
        &mut self,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Organization, Error> {
        let authority = self.authority()?;
        let found = find_organization(self.conn, named)?;
        let resource = match &found {
            Some(organization) => ResourceRef::Organization(organization.id.clone()),
            None => ResourceRef::Missing,
        };
        authority.require(scope, &resource, least)?;
        found.ok_or(Error::NotFound)
    }

    /// Like `organization`, and locks the organization with its members against other changes.
    pub(crate) fn lock_organization(
        &mut self,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Organization, Error> {
        let found = self.organization(named, scope, least)?;
        store::org::lock_organization(self.conn, &found.id)?.ok_or(Denial::NoAccess.into())
    }

    /// The project with this id, if the caller has the scope and role for it.
    pub(crate) fn project(
        &mut self,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Project, Error> {
        let authority = self.authority()?;
        let user_id = self.caller().user_id();
        let (found, resource) = find_project(self.conn, named, user_id)?;
        authority.require(scope, &resource, least)?;
        found.ok_or(Error::NotFound)
    }

    /// Like `project`, and locks the project against changes and deletion.
    pub(crate) fn lock_project(
        &mut self,
        named: &str,
        scope: &str,
        least: Role,
    ) -> Result<Project, Error> {
        let found = self.project(named, scope, least)?;
        store::project::lock_project(self.conn, &found.id)?.ok_or(Denial::NoAccess.into())
    }

    /// Writes the audit record of the change.
    pub(crate) fn record<'t>(
        &mut self,
        target: impl Into<Target<'t>>,
        detail: Value,
    ) -> Result<(), Error> {
        match self.purpose {
            Purpose::Change(action) => self.record_as(action, target, detail),
            Purpose::Read => Err(Error::internal("a read cannot write an audit record")),
        }
    }

    /// Writes an audit record of another action that is part of the change.
    pub(crate) fn record_as<'t>(
        &mut self,
        action: Action,
        target: impl Into<Target<'t>>,
        detail: Value,
    ) -> Result<(), Error> {
        let event = self.event(action);
        event.write(self.conn, target, detail)
    }

    /// An audit record for a part of the change that has another actor.
    pub(crate) fn event(&mut self, action: Action) -> Event {
        self.is_recorded = true;
        let app = &self.req.app;
        let position = self.draws.position(app);
        let mut salt = [0; 16];
        self.draws.fill(app, &mut salt);
        let became = self.became.clone().map(Actor::User);
        Event {
            id: self.id(|at, seed| Event::id_at(at, seed, position)),
            at: self.now,
            context: self.req.context.clone(),
            actor: became.unwrap_or_else(|| self.caller().actor()),
            action,
            salt: Salt::new(salt),
        }
    }
}

/// The number of rows changed so far; `None` in a release build and on PostgreSQL.
fn count_changes(conn: &mut Conn) -> Option<i64> {
    match cfg!(debug_assertions) {
        true => conn.count_changes(),
        false => None,
    }
}
