//! What kramdown, the Markdown of posts, has beyond ours: attributes in `{:…}` and lists of contents.

use crate::import::page::outside_code;

/// The text without attributes; as many lines.
pub(super) fn without_attributes(text: &str) -> String {
    let text = outside_code(text, 1, |text, _| {
        let (mut written, mut rest) = (String::new(), text);
        while let Some(begin) = rest.find("{:").or_else(|| rest.find("{#")) {
            let inner = &rest[begin + 1..];
            match inner.find(['}', '\n', '{']).filter(|end| inner[*end..].starts_with('}')) {
                Some(end) => {
                    // A list of contents stands for the line before, which only names it.
                    if inner[..end].split_whitespace().any(|word| word == ":toc") || &inner[..end] == ":toc" {
                        written.push_str(&rest[..begin]);
                        forget_line_before(&mut written);
                    } else {
                        written.push_str(&rest[..begin]);
                    }
                    rest = &inner[end + 1..];
                }
                None => {
                    written.push_str(&rest[..=begin]);
                    rest = inner;
                }
            }
        }
        written + rest
    });
    text.split('\n').map(without_blanks).collect::<Vec<_>>().join("\n")
}

/// Empties the line before the last one, but for the marks of quotes.
fn forget_line_before(text: &mut String) {
    let last = text.rfind('\n').map(|end| (end, text[end..].to_owned()));
    if let Some((end, last)) = last {
        let begin = text[..end].rfind('\n').map_or(0, |begin| begin + 1);
        let quote: String = text[begin..end].chars().take_while(|c| *c == '>').collect();
        text.truncate(begin);
        text.push_str(&quote);
        text.push_str(&last);
    }
}

/// Nothing for a line of blanks: what was left of a line with nothing but attributes.
fn without_blanks(line: &str) -> &str {
    if line.trim().is_empty() { "" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_left_out_and_lines_stay() {
        let cases = [
            ("[a](b){:target=\"_blank\"}.", "[a](b)."),
            ("{:.note}\ntext", "\ntext"),
            ("## Title {#id}", "## Title "),
            ("> * TOC\n> {:toc}\nx", ">\n> \nx"),
            ("`{:a}` {:a\n} { : }", "`{:a}` {:a\n} { : }"),
        ];
        for (text, expected) in cases {
            assert_eq!(without_attributes(text), expected, "{text}");
        }
    }
}
