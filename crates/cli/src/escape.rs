//! Text of strangers, made harmless for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with every character that moves a cursor, colours, or turns the order of letters around written as an
/// escape (`\n`, `\x1b`, `\u{202e}`).
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        push(&mut escaped, c);
    }
    Cow::Owned(escaped)
}

/// The same for one line of a log, in which tabs are welcome.
pub(crate) fn escape_log_line(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        if c == '\t' { escaped.push(c) } else { push(&mut escaped, c) }
    }
    escaped
}

/// Whether a character does something to a terminal other than to appear.
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn push(escaped: &mut String, c: char) {
    match c {
        '\n' => escaped.push_str("\\n"),
        '\r' => escaped.push_str("\\r"),
        '\t' => escaped.push_str("\\t"),
        c if !is_harmful(c) => escaped.push(c),
        c if u32::from(c) < 0x100 => write!(escaped, "\\x{:02x}", u32::from(c)).expect("a String takes all"),
        c => write!(escaped, "\\u{{{:x}}}", u32::from(c)).expect("a String takes all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sequences_that_a_terminal_obeys_are_shown_instead() {
        assert_eq!(escape("a\x1b]0;owned\x07b"), "a\\x1b]0;owned\\x07b");
        assert_eq!(escape("one\ntwo\r\tthree\u{9b}31m"), "one\\ntwo\\r\\tthree\\x9b31m");
        assert_eq!(escape("exe\u{202e}gpj"), "exe\\u{202e}gpj");
        assert_eq!(escape("größe 容器"), "größe 容器");
        assert_eq!(escape_log_line("a\tb\x1b[2J"), "a\tb\\x1b[2J");
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_left(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(is_harmful));
            prop_assert_eq!(escape(&escaped), escaped.clone(), "escaping twice changes nothing");
        }
    }
}
