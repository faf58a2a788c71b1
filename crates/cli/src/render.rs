//! How answers look to people: pure functions from what the API told to text.
//!
//! Every text of the server is escaped here, before widths are computed.

pub(crate) mod account;
pub(crate) mod app;
pub(crate) mod attempt;
pub(crate) mod cluster;
pub(crate) mod container;
pub(crate) mod controller;
pub(crate) mod course;
pub(crate) mod engine;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod file;
pub(crate) mod image;
pub(crate) mod lab;
pub(crate) mod labs;
pub(crate) mod operation;
pub(crate) mod preview;
pub(crate) mod recording;
pub(crate) mod save;
pub(crate) mod stats;
pub(crate) mod terminal;
pub(crate) mod usage;
pub(crate) mod wall;
pub(crate) mod work;
pub(crate) mod workspace;

use crate::escape::escape;
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use pierhead_model::Timestamp;
use pierhead_wire::parse_timestamp;

/// Names up to this many characters are never cut.
const LONGEST_WHOLE_NAME: u16 = 20;

/// A column that is narrower than this cannot be read if there is more in it.
const NARROWEST: u16 = 8;

/// A table without lines: fit to `width` at a terminal, as wide as it is elsewhere. Where the columns would become too
/// narrow to be read, each row is a list of names and values.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    let table = laid_out(header, &rows, width);
    let widths = table.column_max_content_widths();
    let first = widths.first().map_or(0, |&first| if first <= LONGEST_WHOLE_NAME { first } else { NARROWEST });
    let rest: u16 = widths.iter().skip(1).map(|&widest| widest.min(NARROWEST) + 2).sum();
    match width {
        Some(width) if first + rest > width && widths.len() > 1 => records(header, &rows),
        _ => table.trim_fmt(),
    }
}

fn records(header: &[&str], rows: &[Vec<String>]) -> String {
    let record = |row: &Vec<String>| {
        let named: Vec<(&str, String)> = header.iter().copied().zip(row.iter().cloned()).collect();
        fields(&named)
    };
    rows.iter().map(record).collect::<Vec<_>>().join("\n")
}

fn laid_out(header: &[&str], rows: &[Vec<String>], width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().copied());
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty(),
    };
    for row in rows {
        table.add_row(row.iter().map(|cell| if cell.is_empty() { "-".into() } else { escape(cell) }));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    // What names a row is copied from it, so it stays in one piece.
    let names = table.column_max_content_widths().first().copied().unwrap_or_default();
    if let Some(column) = table.column_mut(0).filter(|_| names <= LONGEST_WHOLE_NAME) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

/// Names and values, one on a line; empty values are left out.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let shown = || fields.iter().filter(|(_, value)| !value.is_empty());
    let longest = shown().map(|(name, _)| name.len()).max().unwrap_or(0);
    shown().map(|(name, value)| format!("{name:longest$}  {}\n", escape(value))).collect()
}

/// The first 12 digits of an id, which are enough to name a container.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

/// A number without needless zeros.
pub(crate) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How long ago something was ("3m").
pub(crate) fn age(time: &str, now: Timestamp) -> String {
    let Some(then) = parse_timestamp(time) else { return time.to_owned() };
    let seconds = now.0.saturating_sub(then.0) / 1000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
