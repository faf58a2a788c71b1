//! Code within lines, told from the text around it.

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text.
    Text(&'a str),
    /// Code with its marks.
    Code {
        /// With its marks.
        whole: &'a str,
        /// Without them.
        code: &'a str,
    },
}

/// Takes text apart; code ends in the paragraph in which it begins.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let runs = runs(text);
    let next = next_alike(&runs);
    let mut pieces = Vec::new();
    let (mut at, mut index) = (0, 0);
    while index < runs.len() {
        let Run { at: begin, length, escaped, .. } = runs[index];
        let Some(end) = next[index].filter(|_| begin >= at && !escaped) else {
            index += 1;
            continue;
        };
        let close = runs[end].at;
        if at < begin {
            pieces.push(Piece::Text(&text[at..begin]));
        }
        at = close + length;
        pieces.push(Piece::Code { whole: &text[begin..at], code: &text[begin + length..close] });
        index = end + 1;
    }
    if at < text.len() {
        pieces.push(Piece::Text(&text[at..]));
    }
    pieces
}

/// A run of backticks.
#[derive(Debug, Clone, Copy)]
struct Run {
    at: usize,
    length: usize,
    paragraph: usize,
    /// Whether a backslash is before it, so that no code begins there; code may end there.
    escaped: bool,
}

fn runs(text: &str) -> Vec<Run> {
    let bytes = text.as_bytes();
    let (mut runs, mut at, mut paragraph, mut blank, mut escaped) = (Vec::new(), 0, 0, true, false);
    while at < bytes.len() {
        let mut taken = 1;
        match bytes[at] {
            b'`' => {
                taken = bytes[at..].iter().take_while(|byte| **byte == b'`').count();
                runs.push(Run { at, length: taken, paragraph, escaped });
                blank = false;
            }
            b'\n' => {
                paragraph += usize::from(blank);
                blank = true;
            }
            byte => blank &= byte.is_ascii_whitespace(),
        }
        escaped = bytes[at] == b'\\' && !escaped;
        at += taken;
    }
    runs
}

/// For each run the next one of the same length in the same paragraph.
fn next_alike(runs: &[Run]) -> Vec<Option<usize>> {
    let mut last = std::collections::BTreeMap::new();
    let mut next = vec![None; runs.len()];
    for (index, run) in runs.iter().enumerate().rev() {
        next[index] = last.insert((run.paragraph, run.length), index);
    }
    next
}

/// The beginning of a text in which something ends that has just begun: whoever writes much and ends nothing must not
/// make every search go through all of it.
pub(super) fn window(text: &str) -> &str {
    const MOST: usize = 1000;
    text.get(..text.floor_char_boundary(MOST)).unwrap_or(text)
}

/// What stands in `{{…}}` at the beginning of a text, at most one blank before it, and how many bytes it takes.
pub(super) fn braces(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix(' ').unwrap_or(text);
    let inner = rest.strip_prefix("{{")?;
    let end = window(inner).find("}}")?;
    let words = &inner[..end];
    (!words.contains(['{', '}', '\n'])).then(|| (words.trim(), text.len() - rest.len() + end + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&str> {
        let code = |piece| if let Piece::Code { code, .. } = piece { Some(code) } else { None };
        pieces(text).into_iter().filter_map(code).collect()
    }

    fn joined(text: &str) -> String {
        let whole = |piece| match piece {
            Piece::Text(text) | Piece::Code { whole: text, .. } => text,
        };
        pieces(text).into_iter().map(whole).collect()
    }

    #[test]
    fn code_is_what_stands_between_marks_of_one_length() {
        assert_eq!(codes("a `b` c ``d`e`` ```f``` `"), ["b", "d`e", "f"]);
        assert_eq!(codes("`a\nb` and `c\n\nd`"), ["a\nb"]);
        assert_eq!(codes(r"\`a` b`"), [" b"]);
        assert_eq!(codes(r"`a\` b`"), [r"a\"]);
        assert_eq!(codes("[`x`](y) `z`{{copy}}"), ["x", "z"]);
        assert_eq!(codes("none"), Vec::<&str>::new());
    }

    #[test]
    fn nothing_is_lost() {
        for text in ["", "a", "`a`", "x `a` y ``b", "ä`ö`ü\n\n`\n`", "````` ` `` ` `````"] {
            assert_eq!(joined(text), text);
        }
    }

    #[test]
    fn many_marks_take_no_time() {
        let text: String = (1..1500).map(|n| "`".repeat(n) + " ").collect();
        assert_eq!(joined(&text), text);
        assert_eq!(codes(&text), Vec::<&str>::new());
    }

    #[test]
    fn braces_stand_right_behind() {
        assert_eq!(braces("{{copy}} x"), Some(("copy", 8)));
        assert_eq!(braces(" {{ exec interrupt }}"), Some(("exec interrupt", 21)));
        assert_eq!(braces("{{}}"), Some(("", 4)));
        assert_eq!(braces("  {{copy}}"), None);
        assert_eq!(braces("{{copy"), None);
        assert_eq!(braces("{{a{b}}"), None);
    }
}
