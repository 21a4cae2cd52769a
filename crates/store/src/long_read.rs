//! Reads that take long, such as an export of the audit log.

use super::{Conn, Error, Fails, Reads, Store, in_snapshot, store_error, timing};

/// Long reads at the same time. Further ones wait.
pub const AT_ONCE: usize = 4;

impl Store {
    /// Like [`Self::read`], for work that takes long. On SQLite it runs on a thread of its own, so
    /// that the worker of the caller continues with other requests.
    pub async fn read_long<F, T, E>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Fails,
    {
        let Reads::Sqlite(_) = &self.0.reads else {
            return self.read(work).await;
        };
        let began = timing::begin();
        let permit = self.0.long_reads.clone().acquire_owned().await;
        let permit = permit.map_err(|closed| Error::Other(closed.to_string()))?;
        let store = self.clone();
        let read = move || {
            let _permit = permit;
            let Reads::Sqlite(readers) = &store.0.reads else {
                return Err(Error::Other("not SQLite".into()).into());
            };
            let begin = &store.0.begin;
            store.read_inline(readers, |reader| {
                in_snapshot(begin, &mut reader.conn, &work)
            })
        };
        let result = tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|error| Err(Error::Other(error.to_string()).into()));
        self.0.note(began, false, store_error(&result));
        result
    }
}
