//! Work that continues after the response to its request.

use std::sync::{Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// Background tasks, which the stop of the server waits for.
///
/// They run on the runtime that created the application. That of a request ends with the workers,
/// before the server has stopped.
pub struct Background {
    runtime: Handle,
    tasks: Mutex<JoinSet<()>>,
}

impl Background {
    /// Without tasks. Must be called within a runtime that lives as long as the application.
    pub fn start() -> Self {
        Self {
            runtime: Handle::current(),
            tasks: Mutex::default(),
        }
    }

    /// Starts a task. The caller bounds their number.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Tasks that have ended take memory until they are joined.
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &self.runtime);
    }

    /// Waits until all present tasks have ended.
    pub async fn finish(&self) {
        let tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        tasks.join_all().await;
    }
}
