//! A request to a use case: the caller, the origin and the application.

use crate::access::Caller;
use crate::idempotency::IdempotencyRecord;
use crate::one_time_secret::SecretRecord;
use crate::outcome_record::OutcomeRecord;
use crate::{App, Context};
use domain::id::UserId;
use std::sync::Arc;

/// A request to a use case.
#[derive(Clone)]
pub struct Request {
    /// The application.
    pub app: App,
    /// Id and origin of the request.
    pub context: Context,
    /// The caller.
    pub caller: Caller,
    pub(crate) record: Option<Arc<dyn OutcomeRecord>>,
}

impl Request {
    /// A request of this caller.
    pub fn new(app: &App, context: Context, caller: Caller) -> Self {
        Self {
            app: app.clone(),
            context,
            caller,
            record: None,
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
        self.with_record(record)
    }

    /// The same request; its change stores its secret for the page that shows it once.
    pub fn with_one_time_secret(&self, record: SecretRecord) -> Self {
        self.with_record(record)
    }

    fn with_record(&self, record: impl OutcomeRecord + 'static) -> Self {
        Self {
            record: Some(Arc::new(record)),
            ..self.clone()
        }
    }
}
