//! A table as comma-separated text that spreadsheets take for nothing but values: no cell is a formula, whoever wrote it.

/// The mark by which spreadsheets know that the text is UTF-8.
const MARK: char = '\u{feff}';
/// What makes spreadsheets calculate, also in the wide forms.
const FORMULAS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text that somebody may have written.
    Text(String),
    /// A number, as it is written.
    Number(String),
}

impl Cell {
    /// A text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// A table that grows row by row.
#[derive(Debug, Clone)]
pub struct CsvTable(String);

impl Default for CsvTable {
    fn default() -> Self {
        Self(MARK.to_string())
    }
}

impl CsvTable {
    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            match cell {
                Cell::Empty => {}
                Cell::Number(number) => self.0.push_str(&number),
                Cell::Text(text) => self.0.push_str(&quoted(&harmless(&text))),
            }
        }
        self.0.push_str("\r\n");
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

/// A text that no spreadsheet takes for a formula: one that might be is put behind an apostrophe, and what some programs
/// leave out before they look at the first character goes.
fn harmless(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n')).collect();
    match text.trim_start().chars().next() {
        Some(first) if FORMULAS.contains(&first) => format!("'{text}"),
        _ => text,
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', ';', '\n']) || text.trim() != text {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(cells: Vec<Cell>) -> String {
        let mut table = CsvTable::default();
        table.row(cells);
        table.into_text().trim_start_matches(MARK).trim_end_matches("\r\n").to_owned()
    }

    #[test]
    fn cells_are_quoted_as_other_programs_expect() {
        let cells = ["plain", "a,b", "say \"hi\"", "two\nlines", " edge ", "李雷", "a;b", ""].map(Cell::text);
        let expected = "plain,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",\" edge \",李雷,\"a;b\",";
        assert_eq!(line(cells.to_vec()), expected);
        assert_eq!(line(vec![Cell::text("a"), Cell::Empty, Cell::Number("7.5".to_owned())]), "a,,7.5");
    }

    #[test]
    fn nothing_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\r=cmd|' /C calc'!A0", "＝1", "\u{0}=1"] {
            let written = line(vec![Cell::text(text)]);
            assert!(written.trim_matches('"').starts_with('\''), "{text:?} became {written:?}");
        }
        assert_eq!(line(vec![Cell::text("a=1")]), "a=1");
        assert_eq!(line(vec![Cell::text("x-y@z")]), "x-y@z");
    }

    #[test]
    fn it_says_that_it_is_utf_8_and_has_a_line_for_each_row() {
        let mut table = CsvTable::default();
        table.row([Cell::text("a")]);
        table.row([]);
        assert_eq!(table.into_text(), "\u{feff}a\r\n\r\n");
    }

    proptest::proptest! {
        #[test]
        fn whatever_people_are_called_each_cell_stays_one(texts in proptest::collection::vec("\\PC{0,12}", 1..5)) {
            let written = line(texts.iter().map(Cell::text).collect());
            let read = read(&written);
            proptest::prop_assert_eq!(read.len(), texts.len());
            for (cell, text) in read.iter().zip(&texts) {
                proptest::prop_assert_eq!(cell, &harmless(text));
                let first = cell.trim_start().chars().next();
                proptest::prop_assert!(first.is_none_or(|first| !FORMULAS.contains(&first)));
            }
        }
    }

    /// One line as a program reads it that knows nothing of the writer.
    fn read(line: &str) -> Vec<String> {
        let (mut cells, mut quoted) = (vec![String::new()], false);
        let mut characters = line.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '"' if quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    cells.last_mut().unwrap().push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                c => cells.last_mut().unwrap().push(c),
            }
        }
        cells
    }
}
