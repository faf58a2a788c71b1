//! Liquid, the language of templates in posts, as far as posts use it.

use crate::import::page::Source;
use crate::import::spans::window;
use crate::model::Problems;

/// The text with what its templates say; as many lines. What can't be known here is a problem.
pub(super) fn resolved(source: &Source<'_>, problems: &mut Problems) -> String {
    let (mut written, mut rest, mut raw) = (String::new(), source.text, false);
    let mut at = 0;
    while let Some(begin) = rest.find(['{']) {
        written.push_str(&rest[..begin]);
        at += breaks(&rest[..begin]);
        rest = &rest[begin..];
        let taken = tag(rest).map(|(words, taken)| {
            match words.trim_matches('-').trim() {
                "raw" => raw = true,
                "endraw" => raw = false,
                words if raw => written.push_str(&format!("{{%{words}%}}")),
                words => {
                    problems.error(source.file, source.line(at), format!("the template {{% {words} %}} is left out"))
                }
            }
            taken
        });
        let taken = taken.or_else(|| {
            let (words, taken) = output(rest).filter(|_| !raw)?;
            match value(words) {
                Some(value) => written.push_str(&value),
                None if is_template(words) => {
                    let message = format!("the template {{{{{words}}}}} is left out: its value is not known here");
                    problems.error(source.file, source.line(at), message);
                }
                None => written.push_str(&rest[..taken]),
            }
            Some(taken)
        });
        let taken = taken.unwrap_or_else(|| {
            written.push('{');
            1
        });
        written.push_str(&"\n".repeat(if taken > 1 { breaks(&rest[..taken]) } else { 0 }));
        at += breaks(&rest[..taken]);
        rest = &rest[taken..];
    }
    written + rest
}

fn breaks(text: &str) -> usize {
    crate::import::page::breaks(text) as usize
}

/// `{% … %}` at the beginning of a text.
fn tag(text: &str) -> Option<(&str, usize)> {
    let inner = window(text.strip_prefix("{%")?);
    let end = inner.find("%}")?;
    Some((&inner[..end], end + 4))
}

/// `{{ … }}` at the beginning of a text; a text in quotes may have braces in it.
fn output(text: &str) -> Option<(&str, usize)> {
    let inner = window(text.strip_prefix("{{")?);
    let line = inner.split('\n').next()?;
    let quote = line.trim_start().strip_prefix('"').and_then(|quoted| {
        let begin = line.len() - quoted.len();
        Some(begin + quoted.find('"')? + 1)
    });
    let end = quote.unwrap_or(0);
    let end = end + line[end..].find("}}")?;
    Some((&line[..end], end + 4))
}

/// What an output is, if that is known.
fn value(words: &str) -> Option<String> {
    let words = words.trim();
    if matches!(words, "site.baseurl" | "site.url") {
        return Some(String::new());
    }
    words.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
}

/// Whether an output refers to the site, and is no template of a program that the post shows.
fn is_template(words: &str) -> bool {
    ["site.", "page.", "include.", "content"].iter().any(|name| words.trim().starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::LabPath;

    fn resolve(text: &str) -> (String, Vec<String>) {
        let file = LabPath::parse("_posts/a.md").unwrap();
        let mut problems = Problems::default();
        let text = resolved(&Source { file: &file, before: 2, text }, &mut problems);
        (text, problems.into_list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn texts_in_quotes_and_raw_parts_are_what_they_show() {
        let cases = [
            ("-f \"{{ \"{{ json .Mounts \"}}}}\" c2", "-f \"{{ json .Mounts }}\" c2"),
            ("{% raw%}{{ .Address }}{% endraw %} {{site.baseurl}}/images", "{{ .Address }} /images"),
            ("{% raw %}{% if %}{% endraw %}", "{%if%}"),
            ("a {b} {{ .Go }} {", "a {b} {{ .Go }} {"),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text), (expected.to_owned(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_reported_with_its_line() {
        let (text, problems) = resolve("a\n{% include\n x.html %}b\n{{ page.title }}\n");
        assert_eq!(text, "a\n\nb\n\n");
        assert_eq!(
            problems,
            [
                "_posts/a.md:4: the template {% include\n x.html %} is left out",
                "_posts/a.md:6: the template {{ page.title }} is left out: its value is not known here"
            ]
        );
    }
}
