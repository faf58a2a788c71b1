//! The lines of a page: which of them are code fences, and a way to write them anew line by line.

#[cfg(test)]
mod tests;

/// A run of lines of a page.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'a> {
    /// Lines outside of fences.
    Prose {
        /// The first of them, from 0.
        at: usize,
        /// The lines.
        lines: &'a [&'a str],
    },
    /// A code fence.
    Fence(Fence<'a>),
}

/// A code fence.
#[derive(Debug, PartialEq)]
pub(super) struct Fence<'a> {
    /// The line that opens it, from 0.
    pub(super) at: usize,
    /// What stands before its marks: blanks, the mark of a list or of a quote.
    pub(super) before: &'a str,
    /// The marks that open it.
    pub(super) marks: &'a str,
    /// What stands behind them.
    pub(super) info: &'a str,
    /// The lines in it.
    pub(super) body: &'a [&'a str],
    /// The line that closes it: what stands before its marks and behind them; none if the page ends before.
    pub(super) closing: Option<(&'a str, &'a str)>,
}

impl Fence<'_> {
    /// How many lines it takes.
    pub(super) fn lines(&self) -> usize {
        1 + self.body.len() + usize::from(self.closing.is_some())
    }

    /// What stands behind the marks that close it.
    pub(super) fn after(&self) -> &str {
        self.closing.map_or("", |(_, after)| after.trim())
    }

    /// What further lines of the same list or quote begin with.
    pub(super) fn indent(&self) -> String {
        self.before.chars().map(|c| if c == '>' || c == '\t' { c } else { ' ' }).collect()
    }

    /// The lines in it without what lists and quotes put before them.
    pub(super) fn code(&self) -> String {
        let width = self.before.chars().count();
        let bare = |line: &&str| {
            let quoted = self.before.contains('>');
            let blank = |c: char| c == ' ' || c == '\t' || (quoted && c == '>');
            let cut = line.char_indices().take(width).take_while(|(_, c)| blank(*c)).last();
            line[cut.map_or(0, |(at, c)| at + c.len_utf8())..].to_owned()
        };
        self.body.iter().map(bare).collect::<Vec<_>>().join("\n")
    }

    /// It as it is, but for what stands behind the marks that open it, and nothing behind those that close it. Lines
    /// that begin further to the left than it does are moved to where it begins: they would end the list that it is in.
    pub(super) fn with_info(&self, info: &str) -> String {
        let indent = self.indent();
        let moved = |line: &str| {
            let blanks = line.len() - line.trim_start_matches([' ', '\t', '>']).len();
            let left = blanks < indent.len() && !indent.contains('>') && !line.trim().is_empty();
            if left { format!("{indent}{}", line.trim_start()) } else { line.to_owned() }
        };
        let mut text = format!("{}{}{info}\n", self.before, self.marks);
        for line in self.body {
            text.push_str(&moved(line));
            text.push('\n');
        }
        let closing = self.closing.map_or(indent.as_str(), |(before, _)| before);
        text.push_str(&moved(&format!("{closing}{}", self.marks)));
        text
    }
}

/// Takes a page apart.
pub(super) fn parts<'a>(lines: &'a [&'a str]) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let (mut at, mut prose) = (0, 0);
    while at < lines.len() {
        let Some((before, marks, info)) = opening(lines[at]) else {
            at += 1;
            continue;
        };
        if prose < at {
            parts.push(Part::Prose { at: prose, lines: &lines[prose..at] });
        }
        let end = (at + 1..lines.len()).find_map(|end| Some((end, closing(lines[end], marks)?)));
        let last = end.map_or(lines.len(), |(end, _)| end);
        let body = &lines[at + 1..last];
        parts.push(Part::Fence(Fence { at, before, marks, info, body, closing: end.map(|(_, closing)| closing) }));
        at = (last + 1).min(lines.len());
        prose = at;
    }
    if prose < lines.len() {
        parts.push(Part::Prose { at: prose, lines: &lines[prose..] });
    }
    parts
}

/// What opens a fence: what is before its marks, the marks, and what is behind them.
fn opening(line: &str) -> Option<(&str, &str, &str)> {
    let begin = behind_marks(line);
    let rest = &line[begin..];
    let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let run = rest.len() - rest.trim_start_matches(mark).len();
    let info = rest[run..].trim();
    (run >= 3 && !(mark == '`' && info.contains('`'))).then(|| (&line[..begin], &rest[..run], info))
}

/// What closes a fence; other platforms write what happens on a click behind the marks, as `{{…}}`.
fn closing<'a>(line: &'a str, marks: &str) -> Option<(&'a str, &'a str)> {
    let rest = line.trim_start_matches([' ', '\t', '>']);
    let behind = rest.trim_start_matches(marks.chars().next()?);
    let ends = rest.len() - behind.len() >= marks.len();
    (ends && (behind.trim().is_empty() || behind.trim_start().starts_with("{{")))
        .then(|| (&line[..line.len() - rest.len()], behind))
}

/// Where a line's own text begins, behind blanks, marks of quotes, and the mark of a list.
fn behind_marks(line: &str) -> usize {
    let quoted = line.len() - line.trim_start_matches([' ', '\t', '>']).len();
    let rest = &line[quoted..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mark = match rest[digits..].chars().next() {
        Some('.' | ')') if (1..=9).contains(&digits) => digits + 1,
        Some('-' | '*' | '+') if digits == 0 => 1,
        _ => return quoted,
    };
    let blanks = rest[mark..].len() - rest[mark..].trim_start_matches([' ', '\t']).len();
    if blanks == 0 { quoted } else { quoted + mark + blanks }
}

/// A page that is written anew. What takes fewer lines than before is filled up with empty ones, so that the lines
/// behind it keep their numbers.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    out: Vec<String>,
    /// How many lines it has more than what was read.
    ahead: usize,
}

impl Rewritten {
    /// What stands for so many lines. Empty lines to fill up begin with `indent`.
    pub(super) fn put(&mut self, text: &str, lines: usize, indent: &str) {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let blank = |line: &str| line.trim_start_matches(['>', ' ']).is_empty();
        if self.ahead > 0 && blank(text) && self.out.last().is_some_and(|last| blank(last)) {
            self.ahead -= 1;
            return;
        }
        let before = self.out.len();
        self.out.extend(text.split('\n').map(str::to_owned));
        let count = self.out.len() - before;
        for _ in count..lines {
            if self.ahead > 0 {
                self.ahead -= 1;
            } else {
                self.out.push(indent.trim_end().to_owned());
            }
        }
        self.ahead += count.saturating_sub(lines);
    }

    /// Lines outside of fences that stand for so many.
    pub(super) fn put_each(&mut self, text: &str, lines: usize) {
        let mut count = 0;
        for line in text.split('\n') {
            self.put(line, 1, "");
            count += 1;
        }
        for _ in count..lines {
            self.put("", 1, "");
        }
        self.ahead += count.saturating_sub(lines);
    }

    /// The page.
    pub(super) fn text(self) -> String {
        let mut text = self.out.join("\n");
        text.push('\n');
        text
    }
}

/// The first heading of a page, as plain text.
pub(super) fn first_heading(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    parts(&lines).into_iter().find_map(|part| match part {
        Part::Prose { lines, .. } => lines.iter().find_map(|line| {
            let rest = line.trim_start().strip_prefix('#')?.trim_start_matches('#');
            let title = plain(rest.strip_prefix([' ', '\t'])?.trim().trim_end_matches('#'));
            Some(title).filter(|title| !title.is_empty())
        }),
        Part::Fence(_) => None,
    })
}

/// A line of Markdown without its marks, as far as titles have any.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '`', '<', '[', '{']) {
        plain.push_str(&rest[..at]);
        let (mark, behind) = rest[at..].split_at(1);
        let skipped = match mark {
            "<" => behind.find('>').map(|end| (String::new(), end + 1)),
            "{" => behind.find('}').map(|end| (String::new(), end + 1)),
            "[" => behind
                .find("](")
                .and_then(|label| behind[label..].find(')').map(|end| (behind[..label].to_owned(), label + end + 1))),
            _ => Some((String::new(), 0)),
        };
        let (text, end) = skipped.unwrap_or_else(|| (mark.to_owned(), 0));
        plain.push_str(&text);
        rest = &behind[end..];
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
