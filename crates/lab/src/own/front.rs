//! The head of a Markdown file: YAML between two lines of `---`.

/// A file, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    /// The head and the line where it begins; none if the file has none.
    pub(crate) head: Option<(&'a str, u32)>,
    /// What follows it.
    pub(crate) body: &'a str,
    /// The line where that begins.
    pub(crate) line: u32,
}

/// Takes a file apart; a head that never ends is text.
pub(crate) fn split(text: &str) -> Parts<'_> {
    let none = Parts { head: None, body: text, line: 1 };
    let Some(rest) = text.strip_prefix("---\n") else { return none };
    let mut at = 0;
    for (number, line) in rest.split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" {
            let line_after = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(3);
            return Parts { head: Some((&rest[..at], 2)), body: &rest[at + line.len()..], line: line_after };
        }
        at += line.len();
    }
    none
}

/// The first heading of a page if nothing stands before it, with the text after it and how many lines that begins later.
pub(crate) fn first_heading(body: &str) -> Option<(String, &str, u32)> {
    let mut at = 0;
    for (number, line) in body.split_inclusive('\n').enumerate() {
        at += line.len();
        if line.trim().is_empty() {
            continue;
        }
        let marks = line.len() - line.trim_start_matches('#').len();
        let title = line.trim_start_matches('#');
        let heading = (1..=6).contains(&marks) && title.starts_with([' ', '\t']);
        let title = title.trim().trim_end_matches('#').trim_end();
        let later = u32::try_from(number).unwrap_or(u32::MAX).saturating_add(1);
        return (heading && !title.is_empty()).then(|| (title.to_owned(), &body[at..], later));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_taken_off_and_lines_are_kept() {
        let parts = split("---\ntitle: a\n---\ntext\n");
        assert_eq!(parts, Parts { head: Some(("title: a\n", 2)), body: "text\n", line: 4 });
        assert_eq!(split("---\n---\n").head, Some(("", 2)));
        assert_eq!(split("---\n---\n").line, 3);
        for text in ["text\n", "---\ntitle: a\n", "", "--- \na\n---\n", "----\n---\n"] {
            assert_eq!(split(text), Parts { head: None, body: text, line: 1 }, "{text:?}");
        }
    }

    #[test]
    fn the_first_heading_is_the_title_if_it_stands_first() {
        assert_eq!(first_heading("\n# A title #\ntext"), Some(("A title".to_owned(), "text", 2)));
        assert_eq!(first_heading("### Deep"), Some(("Deep".to_owned(), "", 1)));
        for text in ["text\n# A", "#hash", "#\n", "", "####### seven"] {
            assert_eq!(first_heading(text), None, "{text:?}");
        }
    }
}
