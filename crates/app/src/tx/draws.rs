//! Random values of one change.

use crate::App;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Random values of one change, drawn when they are needed. When the work runs again, they are
/// the same: ids come from a generator with one seed of the operating system, and secrets, which
/// come from the operating system itself, are kept.
#[derive(Default)]
pub(super) struct Draws {
    seed: Option<[u8; 32]>,
    generator: Option<StdRng>,
    secrets: Drawn<[u8; 32]>,
    positions: Drawn<u16>,
}

impl Draws {
    /// Starts again with the first value.
    pub(super) fn rewind(&mut self) {
        self.generator = None;
        self.secrets.next = 0;
        self.positions.next = 0;
    }

    /// The next bytes of the generator.
    pub(super) fn fill(&mut self, app: &App, bytes: &mut [u8]) {
        let seed = *self.seed.get_or_insert_with(|| app.random());
        let generator = self
            .generator
            .get_or_insert_with(|| StdRng::from_seed(seed));
        generator.fill_bytes(bytes);
    }

    /// The next secret of the operating system.
    pub(super) fn secret(&mut self, app: &App) -> [u8; 32] {
        self.secrets.next(|| app.random())
    }

    /// The next position of an audit record among those of this server.
    pub(super) fn position(&mut self, app: &App) -> u16 {
        self.positions.next(|| app.count_event())
    }
}

/// Values that are drawn once and then repeated in order.
struct Drawn<T> {
    values: Vec<T>,
    next: usize,
}

impl<T> Default for Drawn<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            next: 0,
        }
    }
}

impl<T: Copy> Drawn<T> {
    fn next(&mut self, draw: impl FnOnce() -> T) -> T {
        let value = match self.values.get(self.next) {
            Some(value) => *value,
            None => {
                let value = draw();
                self.values.push(value);
                value
            }
        };
        self.next += 1;
        value
    }
}
