//! Tables for the terminal.

use console::{measure_text_width, truncate_str};

/// Space between two columns.
const GAP: &str = "  ";

/// A column of a table, with its heading.
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// Cells that are shown in full, such as IDs.
    Whole(&'a str),
    /// Cells that are cut if the terminal is too narrow, to this width at least.
    Cut(&'a str, usize),
    /// Cells that are left out if the terminal is too narrow.
    Optional(&'a str),
}

impl<'a> Column<'a> {
    fn heading(self) -> &'a str {
        match self {
            Self::Whole(heading) | Self::Cut(heading, _) | Self::Optional(heading) => heading,
        }
    }

    fn narrowest(self) -> Option<usize> {
        match self {
            Self::Whole(_) | Self::Optional(_) => None,
            Self::Cut(heading, narrowest) => Some(narrowest.max(measure_text_width(heading))),
        }
    }
}

/// The rows below their headings, in aligned columns within this width. If they do not fit, each
/// row becomes a paragraph with a line for each cell. Cells must already be safe to show.
pub fn table<const N: usize>(
    columns: [Column<'_>; N],
    rows: impl IntoIterator<Item = [String; N]>,
    width: Option<usize>,
) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let widths = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| measure_text_width(&row[column]));
        let heading = measure_text_width(columns[column].heading());
        cells.chain([heading]).max().unwrap_or_default()
    });
    match fitted(columns, widths, width) {
        Some(widths) => {
            let headings = columns.map(|column| column.heading().to_owned());
            let lines = std::iter::once(&headings).chain(&rows);
            joined(lines.map(|line| aligned(line, widths)), "\n")
        }
        None => joined(rows.iter().map(|row| paragraph(columns, row)), "\n\n"),
    }
}

/// The widths of the columns that fit into the terminal; the width of a column that is left out
/// is `None`. The last optional column is left out first. `None` if that is not enough.
fn fitted<const N: usize>(
    columns: [Column<'_>; N],
    widths: [usize; N],
    width: Option<usize>,
) -> Option<[Option<usize>; N]> {
    let mut shown = widths.map(Some);
    let Some(width) = width else {
        return Some(shown);
    };
    loop {
        if let Some(narrowed) = narrowed(columns, shown, width) {
            return Some(narrowed);
        }
        let last = (0..N).rev().find(|column| {
            shown[*column].is_some() && matches!(columns[*column], Column::Optional(_))
        });
        shown[last?] = None;
    }
}

fn joined(parts: impl Iterator<Item = String>, by: &str) -> String {
    parts.collect::<Vec<_>>().join(by)
}

/// The widths of the columns within the width of the terminal: the widest ones that may be cut
/// are narrowed first. `None` if that is not enough.
fn narrowed<const N: usize>(
    columns: [Column<'_>; N],
    mut shown: [Option<usize>; N],
    width: usize,
) -> Option<[Option<usize>; N]> {
    let gaps = shown.iter().flatten().count().saturating_sub(1);
    let available = width.checked_sub(GAP.len() * gaps)?;
    while shown.iter().flatten().sum::<usize>() > available {
        let candidates = columns
            .iter()
            .zip(&mut shown)
            .filter_map(|(column, shown)| {
                let (narrowest, width) = (column.narrowest()?, shown.as_mut()?);
                (*width > narrowest).then_some(width)
            });
        *candidates.max_by_key(|width| **width)? -= 1;
    }
    Some(shown)
}

fn aligned<const N: usize>(cells: &[String; N], widths: [Option<usize>; N]) -> String {
    let shown = cells.iter().zip(widths);
    let shown = shown.filter_map(|(cell, width)| Some((cell, width?)));
    let cells = shown.map(|(cell, width)| {
        let cell = truncate_str(cell, width, "…");
        let padding = width.saturating_sub(measure_text_width(&cell));
        format!("{cell}{}", " ".repeat(padding))
    });
    joined(cells, GAP).trim_end().to_owned()
}

fn paragraph<const N: usize>(columns: [Column<'_>; N], row: &[String; N]) -> String {
    let headings = columns.map(Column::heading);
    let longest = headings.iter().map(|heading| heading.len()).max();
    let longest = longest.unwrap_or_default() + 1;
    let lines = headings.iter().zip(row).map(|(heading, cell)| {
        let heading = format!("{heading}:");
        format!("{heading:longest$} {cell}").trim_end().to_owned()
    });
    joined(lines, "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: Option<usize>) -> String {
        let columns = [
            Column::Whole("ID"),
            Column::Cut("NAME", 8),
            Column::Cut("SCOPES", 8),
        ];
        let rows = [
            [
                "tok_0123456789",
                "张伟的笔记本电脑",
                "orgs:read projects:read",
            ],
            ["tok_1", "ci", "-"],
        ];
        let rows = rows.map(|row| row.map(str::to_owned));
        table(columns, rows, width)
    }

    #[test]
    fn a_table_has_its_full_width_without_a_terminal() {
        assert_eq!(
            shown(None),
            "ID              NAME              SCOPES\n\
             tok_0123456789  张伟的笔记本电脑  orgs:read projects:read\n\
             tok_1           ci                -"
        );
    }

    #[test]
    fn a_table_fits_the_terminal_and_cuts_no_id() {
        for width in 34..60 {
            let shown = shown(Some(width));
            assert!(shown.contains("tok_0123456789  张伟"), "{width}: {shown}");
            let longest = shown.lines().map(measure_text_width).max();
            assert!(longest <= Some(width), "{width}: {shown}");
        }
        assert_eq!(
            shown(Some(40)),
            "ID              NAME         SCOPES\n\
             tok_0123456789  张伟的笔记…  orgs:read …\n\
             tok_1           ci           -"
        );
    }

    #[test]
    fn optional_columns_are_left_out_before_the_table_becomes_a_list() {
        let columns = [
            Column::Whole("ID"),
            Column::Optional("HINT"),
            Column::Cut("NAME", 8),
            Column::Optional("USED"),
        ];
        let row = ["tok_1", "dc_…1234", "a long name", "2030-01-31"].map(str::to_owned);
        let lines = |width| table(columns, [row.clone()], Some(width));
        assert!(lines(40).ends_with("tok_1  dc_…1234  a long name  2030-01-31"));
        assert!(lines(37).ends_with("tok_1  dc_…1234  a long …  2030-01-31"));
        assert!(lines(36).ends_with("tok_1  dc_…1234  a long name"));
        assert!(lines(20).ends_with("tok_1  a long name"));
        assert!(lines(14).starts_with("ID:   tok_1\nHINT: dc_…1234\n"));
    }

    #[test]
    fn a_table_that_cannot_fit_becomes_a_list() {
        assert_eq!(
            shown(Some(33)),
            "ID:     tok_0123456789\n\
             NAME:   张伟的笔记本电脑\n\
             SCOPES: orgs:read projects:read\n\
             \n\
             ID:     tok_1\n\
             NAME:   ci\n\
             SCOPES: -"
        );
    }
}
