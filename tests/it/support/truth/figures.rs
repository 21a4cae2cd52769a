//! What a run of the tests counts, for its report.

use std::path::Path;

/// Keeps a line for the report of this run, in place of an earlier one of this name.
pub fn show(name: &str, line: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), format!("{line}\n")).unwrap();
}
