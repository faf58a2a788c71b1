//! Templates in pages of workshops: values, and addresses that are made of them.

use super::params::{Param, Params};
use crate::import::page::{Source, breaks};
use crate::import::spans::window;
use crate::model::Problems;
use crate::spell;

/// What stands around the name of a value that only sessions have, while addresses are looked for.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// The text with values in place of the templates that name them; as many lines. Other templates stay.
pub(super) fn resolved(
    source: &Source<'_>,
    params: &Params,
    mut serves: impl FnMut(u16),
    problems: &mut Problems,
) -> String {
    let text = source.text.replace([OPEN, CLOSE], "");
    let mut written = Vec::new();
    for (at, line) in text.split('\n').enumerate() {
        let line = values(line, params, (source, at), problems);
        let line = addresses(&line, params, &mut serves);
        written.push(without_marks(&line, (source, at), problems));
    }
    written.join("\n")
}

/// A line with the values of the workshop, and marks around the names of those that only sessions have.
fn values(line: &str, params: &Params, at: (&Source<'_>, usize), problems: &mut Problems) -> String {
    let (mut written, mut rest) = (String::new(), line);
    while let Some(begin) = rest.find('{') {
        written.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let Some((words, taken)) = template(rest) else {
            written.push('{');
            rest = &rest[1..];
            continue;
        };
        let mut words_of = words.split_whitespace();
        let value = match (words_of.next(), words_of.next(), words_of.next()) {
            (Some("baseurl"), None, _) => Some(params.statics.clone()),
            (Some("param"), Some(name), None) => value(name.trim_matches('"'), params, true, at, problems),
            (Some("%raw%" | "%endraw%"), None, _) => Some(String::new()),
            (Some(name), None, _) => value(name, params, false, at, problems),
            _ => None,
        };
        written.push_str(value.as_deref().unwrap_or(&rest[..taken]));
        rest = &rest[taken..];
    }
    written + rest
}

fn value(
    name: &str,
    params: &Params,
    surely: bool,
    at: (&Source<'_>, usize),
    problems: &mut Problems,
) -> Option<String> {
    match params.kind(name) {
        Param::Own => Some(format!("{{{{{name}}}}}")),
        Param::OfSession => Some(format!("{OPEN}{name}{CLOSE}")),
        Param::Unknown if surely => {
            problems.error(at.0.file, at.0.line(at.1), format!("no value is known for {name:?}"));
            Some(name.to_owned())
        }
        Param::Unknown => None,
    }
}

/// A template at the beginning of a text: `{{< … >}}`, `{{ … }}` or `{% … %}`.
fn template(text: &str) -> Option<(String, usize)> {
    let pairs = [("{{<", ">}}"), ("{{%", "%}}"), ("{{", "}}"), ("{%", "%}")];
    let (open, close) = pairs.iter().find(|(open, _)| text.starts_with(open))?;
    let inner = window(&text[open.len()..]);
    let end = inner.find(close)?;
    let words = inner[..end].trim();
    let words = if *open == "{%" { format!("%{words}%") } else { words.to_owned() };
    Some((words, open.len() + end + close.len()))
}

/// A line with addresses of what the workshop serves: `PROTOCOL://NAME-SESSION.DOMAIN`.
fn addresses(line: &str, params: &Params, serves: &mut impl FnMut(u16)) -> String {
    let marked = |name: &str| format!("{OPEN}{name}{CLOSE}");
    let (mut written, mut rest) = (String::new(), line);
    let sessions = ["session_name", "session_namespace"].map(|name| format!("-{}.", marked(name)));
    while let Some(colon) = rest.find("://") {
        let schemes = [marked("ingress_protocol"), "https".to_owned(), "http".to_owned()];
        let scheme = schemes.iter().find(|scheme| rest[..colon].ends_with(scheme.as_str()));
        let behind = &rest[colon + 3..];
        let found = scheme.and_then(|scheme| {
            let (name, session) = sessions.iter().find_map(|session| {
                let name = window(behind).split_once(session)?.0;
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-').then_some((name, session))
            })?;
            let port = params.ingresses.get(name)?;
            let domain = behind[name.len() + session.len()..].strip_prefix(&marked("ingress_domain"))?;
            let domain = domain.strip_prefix(&marked("ingress_port_suffix")).unwrap_or(domain);
            Some((colon - scheme.len(), *port, rest.len() - domain.len()))
        });
        let Some((begin, port, end)) = found else {
            written.push_str(&rest[..colon + 3]);
            rest = behind;
            continue;
        };
        serves(port);
        written.push_str(&rest[..begin]);
        let link = written.ends_with("](") || written.trim_start() == "url: ";
        let inside = format!("http://localhost:{port}");
        written.push_str(&if link { spell::preview(None, port, "") } else { inside });
        rest = &rest[end..];
    }
    written + rest
}

/// A line in which names stand for values that are not known.
fn without_marks(line: &str, at: (&Source<'_>, usize), problems: &mut Problems) -> String {
    let (mut written, mut rest) = (String::new(), line);
    while let Some((before, behind)) = rest.split_once(OPEN) {
        let (name, behind) = behind.split_once(CLOSE).unwrap_or((behind, ""));
        let message = format!("the value of {name:?} is that of a session there, and is not known here");
        problems.error(at.0.file, at.0.line(at.1), message);
        written.push_str(before);
        written.push_str(name);
        rest = behind;
    }
    written + rest
}

/// What a template around lines begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Around {
    /// A note of this kind begins.
    Note(&'static str),
    /// It ends.
    End,
    /// Something that is shown in one of several ways through the workshop begins or ends.
    Pathway,
    /// Something else.
    Unknown,
}

/// The template that a line consists of.
pub(super) fn around(line: &str) -> Option<(Around, String)> {
    let line = line.trim();
    let (words, taken) =
        template(line).filter(|_| line.starts_with("{{<") || line.starts_with("{{%") || line.starts_with("{%"))?;
    if taken < line.len() || breaks(line) > 0 {
        return None;
    }
    let name = words.trim_matches('%').split_whitespace().next().unwrap_or_default().to_owned();
    let kind = match name.as_str() {
        "note" => Around::Note("NOTE"),
        "warning" => Around::Note("WARNING"),
        "danger" => Around::Note("CAUTION"),
        "/note" | "/warning" | "/danger" => Around::End,
        "pathway" | "/pathway" => Around::Pathway,
        _ => Around::Unknown,
    };
    Some((kind, name))
}
