//! Ids for requests without one.

use crate::App;
use std::sync::{Arc, Mutex, PoisonError};

/// Random bytes of an id.
const LENGTH: usize = 16;

/// Ids whose bytes are drawn together: a system call for each would be a tenth of the cost of a
/// probe.
const AT_ONCE: usize = 64;

/// Random bytes that are in no id yet.
#[derive(Default)]
pub(crate) struct RequestIds(Mutex<Vec<[u8; LENGTH]>>);

impl App {
    /// A new id for a request without one.
    pub fn draw_request_id(&self) -> Arc<str> {
        let unused = self.0.request_ids.0.lock();
        let mut unused = unused.unwrap_or_else(PoisonError::into_inner);
        let bytes = unused.pop().unwrap_or_else(|| {
            let drawn = self.random::<{ LENGTH * AT_ONCE }>();
            unused.extend(drawn.as_chunks::<LENGTH>().0);
            unused.pop().unwrap_or_default()
        });
        let mut text = [0; 2 * LENGTH];
        // Fails only for a text of another length.
        let _ = hex::encode_to_slice(bytes, &mut text);
        String::from_utf8_lossy(&text).as_ref().into()
    }
}
