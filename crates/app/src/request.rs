//! A request to a use case: the caller, the origin and the application.

use crate::access::Caller;
use crate::idempotency::IdempotencyRecord;
use crate::{App, Context};
use domain::id::UserId;

/// A request to a use case.
#[derive(Clone)]
pub struct Request {
    /// The application.
    pub app: App,
    /// Id and origin of the request.
    pub context: Context,
    /// The caller.
    pub caller: Caller,
    pub(crate) idempotency: Option<IdempotencyRecord>,
}

impl Request {
    /// A request of this caller.
    pub fn new(app: &App, context: Context, caller: Caller) -> Self {
        Self {
            app: app.clone(),
            context,
            caller,
            idempotency: None,
        }
    }

    /// A command of the operator on the server itself, on behalf of a user if one is named.
    pub fn local(app: &App, actor: Option<UserId>) -> Self {
        Self::new(app, Context::local(), Caller::Operator(actor))
    }

    /// Work of the server itself.
    pub fn system(app: &App) -> Self {
        Self::new(app, Context::local(), Caller::System)
    }

    /// The same request with this caller.
    pub fn with_caller(&self, caller: Caller) -> Self {
        Self {
            caller,
            ..self.clone()
        }
    }

    /// The same request; its change stores the response in the same transaction.
    pub fn with_idempotency(&self, record: IdempotencyRecord) -> Self {
        Self {
            idempotency: Some(record),
            ..self.clone()
        }
    }
}
