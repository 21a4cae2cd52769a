//! The width of standard output.

use console::Term;

/// The columns of the terminal that shows standard output: `COLUMNS`, else the size of the
/// terminal. `None` if standard output is a file or a pipe, whose lines need no limit.
pub fn of_standard_output() -> Option<usize> {
    let terminal = Term::stdout();
    if !terminal.is_term() {
        return None;
    }
    let variable = std::env::var("COLUMNS").ok();
    let set = variable
        .and_then(|text| text.parse().ok())
        .filter(|columns| *columns > 0);
    set.or_else(|| {
        terminal
            .size_checked()
            .map(|(_, columns)| usize::from(columns))
    })
}
