//! What a run of the tests counts, for its report.

use std::path::Path;
use std::sync::Mutex;

/// The sentences of this run of the tests.
static TOTAL: Mutex<Total> = Mutex::new(Total {
    runs: 0,
    checked: 0,
    unasked: 0,
    wrong: 0,
});

/// The sentences of some runs of the program.
pub struct Total {
    /// The runs.
    pub runs: usize,
    /// The sentences that were compared.
    pub checked: usize,
    /// The sentences without a server to ask.
    pub unasked: usize,
    /// The sentences that did not hold.
    pub wrong: usize,
}

impl Total {
    /// Adds it to the total of this run of the tests, which the file has once the run is over.
    pub fn count(&self) {
        let mut total = TOTAL.lock().unwrap();
        total.runs += self.runs;
        total.checked += self.checked;
        total.unasked += self.unasked;
        total.wrong += self.wrong;
        let line = format!(
            "after {} sign-ins, sign-outs, revocations and rotations the server was asked about {} \
             sentences of the command line: {} did not hold; {} more are about servers that were gone",
            total.runs, total.checked, total.wrong, total.unasked
        );
        show("sentences", &line);
    }
}

/// Keeps a line for the report of this run, in place of an earlier one of this name.
pub fn show(name: &str, line: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), format!("{line}\n")).unwrap();
}
