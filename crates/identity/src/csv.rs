//! CSV as RFC 4180 has it, and as spreadsheets write it: quotes, commas or semicolons, a mark of UTF-8 at the beginning.

use crate::roster::Reading;
use crate::table::Columns;
use crate::{SourceError, Table};

/// The most fields of a line; more are no list of people.
const MOST_FIELDS: usize = 100;

/// Reads a table out of a text, its first line being the names of its columns.
pub(crate) fn read(table: Table, bytes: &[u8], reading: &mut Reading) -> Result<(), SourceError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        SourceError::Csv { table, line, what: "is not UTF-8; save the file as \"CSV UTF-8\"".to_owned() }
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.split(['\n', '\r']).find(|line| !line.trim().is_empty()).unwrap_or_default();
    let separator = if first.matches(';').count() > first.matches(',').count() { b';' } else { b',' };
    let mut lines = Lines { table, text: text.as_bytes(), at: 0, line: 1, separator };
    let Some((_, names)) = lines.next_line()? else {
        return Err(SourceError::Csv {
            table,
            line: 1,
            what: "is empty; it must begin with the columns' names".to_owned(),
        });
    };
    let columns = Columns::of(table, &names)?;
    while let Some((line, fields)) = lines.next_line()? {
        if fields.len() != names.len() {
            let what = format!("has {} fields, where there are {} columns", fields.len(), names.len());
            return Err(SourceError::Csv { table, line, what });
        }
        let get = |column| columns.get(column).and_then(|at| fields.get(at)).map(String::as_str);
        reading.row(table, &columns, get)?;
    }
    Ok(())
}

struct Lines<'a> {
    table: Table,
    text: &'a [u8],
    at: usize,
    line: usize,
    separator: u8,
}

impl Lines<'_> {
    /// The fields of the next line that is not empty, and its number.
    fn next_line(&mut self) -> Result<Option<(usize, Vec<String>)>, SourceError> {
        loop {
            if self.at >= self.text.len() {
                return Ok(None);
            }
            let line = self.line;
            let fields = self.fields()?;
            if fields.len() > 1 || fields.iter().any(|field| !field.trim().is_empty()) {
                return Ok(Some((line, fields)));
            }
        }
    }

    fn fields(&mut self) -> Result<Vec<String>, SourceError> {
        let (table, line) = (self.table, self.line);
        let refused = |what: &str| SourceError::Csv { table, line, what: what.to_owned() };
        let mut fields = Vec::new();
        loop {
            if fields.len() >= MOST_FIELDS {
                return Err(refused("has more than 100 fields"));
            }
            let field = if self.peek() == Some(b'"') {
                let field = self.quoted().ok_or_else(|| refused("has a quote that is not closed"))?;
                if !matches!(self.peek(), None | Some(b'\n' | b'\r')) && self.peek() != Some(self.separator) {
                    return Err(refused("has text after a closed quote"));
                }
                field
            } else {
                self.plain()
            };
            fields.push(String::from_utf8(field).expect("a text is cut at bytes of ASCII only"));
            if self.peek() == Some(self.separator) {
                self.at += 1;
                continue;
            }
            self.end_of_line();
            return Ok(fields);
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn plain(&mut self) -> Vec<u8> {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|byte| *byte == self.separator || matches!(byte, b'\n' | b'\r'));
        let field = &rest[..end.unwrap_or(rest.len())];
        self.at += field.len();
        field.to_vec()
    }

    /// What stands in quotes, where two mean one; nothing if they do not end.
    fn quoted(&mut self) -> Option<Vec<u8>> {
        self.at += 1;
        let mut field = Vec::new();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' if self.peek() == Some(b'"') => {
                    self.at += 1;
                    field.push(b'"');
                }
                b'"' => return Some(field),
                _ => {
                    self.line += usize::from(byte == b'\n');
                    field.push(byte);
                }
            }
        }
    }

    fn end_of_line(&mut self) {
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
        self.line += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Roster;
    use proptest::prelude::*;

    fn people(text: &str) -> Result<Roster, String> {
        let mut reading = Reading::default();
        read(Table::People, text.as_bytes(), &mut reading).map_err(|refused| refused.to_string())?;
        Ok(reading.done())
    }

    fn names(roster: &Roster) -> Vec<(&str, &str)> {
        roster.people.iter().map(|person| (person.username.as_str(), person.full_name.as_str())).collect()
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let excel = "\u{feff}username;name\r\nli;\"Li; Lei\"\r\n\r\nhan;\"Han \"\"Mei\"\" Mei\"\r\n";
        assert_eq!(names(&people(excel).unwrap()), [("li", "Li; Lei"), ("han", "Han \"Mei\" Mei")]);
        let plain = "name,username\n李雷,li";
        assert_eq!(names(&people(plain).unwrap()), [("li", "李雷")]);
        assert_eq!(names(&people("username\rli\rwu").unwrap()), [("li", ""), ("wu", "")], "lines of old");
        let over_lines = people("username,name\nli,\"a\nb\"\nwu,x\n").unwrap();
        assert_eq!((over_lines.people.len(), over_lines.unusable), (1, 1), "a line in a name is none of the file's");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("", "people.csv, line 1: is empty"),
            ("username,name\nli\n", "people.csv, line 2: has 1 fields, where there are 2 columns"),
            ("username,name\nli,\"x\"\nwu,\"y\n", "people.csv, line 3: has a quote that is not closed"),
            ("username,name\nli,\"x\"y\n", "people.csv, line 2: has text after a closed quote"),
            ("username\n\"a\nb\"\nli,wu\n", "people.csv, line 4: has 2 fields"),
        ] {
            let refused = people(text).unwrap_err();
            assert!(refused.starts_with(told), "{refused}");
        }
        let mut reading = Reading::default();
        let refused = read(Table::People, b"username\nli\n\xc0\xee\n", &mut reading).unwrap_err().to_string();
        assert!(refused.starts_with("people.csv, line 3: is not UTF-8"), "{refused}");
        assert!(people(&",".repeat(200)).unwrap_err().contains("more than 100 fields"));
    }

    proptest! {
        #[test]
        fn whatever_is_written_comes_back(fields in proptest::collection::vec("[ -~\n,;\"李]{0,12}", 1..6)) {
            let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let text = fields.iter().map(quoted).collect::<Vec<_>>().join(",");
            let mut lines = Lines { table: Table::People, text: text.as_bytes(), at: 0, line: 1, separator: b',' };
            prop_assert_eq!(lines.fields().unwrap(), fields);
        }

        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _refused = read(Table::People, &bytes, &mut Reading::default());
        }
    }
}
