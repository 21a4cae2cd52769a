//! Records of the outcome of a change, in its transaction.

use super::Error;
use std::any::Any;
use store::Conn;

/// Stores the outcome of a change in its transaction.
pub(crate) trait OutcomeRecord: Send + Sync {
    /// Stores the outcome. An error rolls the change back.
    fn file(&self, conn: &mut Conn, outcome: &dyn Any) -> Result<(), Error>;
}
