//! Addresses that a platform puts into pages: of what machines serve, and of machines.

use super::page::{Scenario, host_name, host_number};
use crate::import::page::breaks;
use crate::import::spans::window;
use crate::model::Problems;
use crate::path::LabPath;
use crate::spell;

/// An address that stands in a text.
enum Found<'a> {
    /// Of a port of a machine, with how it is shown where there is no other text.
    Port { host: u8, port: u16 },
    /// Of a machine.
    Machine(u8),
    /// Of a page with all ports.
    Ports,
    /// Something else in double brackets.
    Unknown(&'a str),
}

/// The next address in a text: where it begins and ends, and what it is.
fn next(text: &str) -> Option<(usize, usize, Found<'_>)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(['{', '[', 'h'])?;
        let rest = &text[at..];
        if let Some((end, found)) = traffic(rest).or_else(|| subdomain(rest)).or_else(|| bracket(rest)) {
            return Some((at, at + end, found));
        }
        from = at + 1;
    }
}

/// `{{TRAFFIC_HOST1_80}}`.
fn traffic(text: &str) -> Option<(usize, Found<'_>)> {
    let rest = window(text.strip_prefix("{{")?);
    let end = rest.find("}}")?;
    let words = rest[..end].trim().strip_prefix("TRAFFIC_")?;
    let found = if words == "SELECTOR" {
        Found::Ports
    } else {
        let (host, port) = words.split_once('_')?;
        Found::Port { host: host_number(host)?, port: port.parse().ok().filter(|port| *port > 0)? }
    };
    Some((end + 4, found))
}

/// `https://[[HOST_SUBDOMAIN]]-80-[[KATACODA_HOST]].environments.katacoda.com`.
fn subdomain(text: &str) -> Option<(usize, Found<'_>)> {
    const END: &str = ".environments.katacoda.com";
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let inner = window(rest.strip_prefix("[[HOST")?);
    let (number, behind) = inner.split_once("_SUBDOMAIN]]-")?;
    let host = if number.is_empty() { 1 } else { host_number(number)? };
    let digits = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let port = behind[..digits].parse().ok().filter(|port| *port > 0)?;
    let end = behind.find(END).filter(|end| !behind[..*end].contains(char::is_whitespace))? + END.len();
    // Behind the number there are the letters that were split at.
    let before = text.len() - rest.len() + "[[HOST".len() + number.len() + "_SUBDOMAIN]]-".len();
    Some((before + end, Found::Port { host, port }))
}

/// `[[HOST_IP]]`, `[[HOST2_IP]]` and whatever else stands in double brackets in capitals.
fn bracket(text: &str) -> Option<(usize, Found<'_>)> {
    let rest = window(text.strip_prefix("[[")?);
    let end = rest.find("]]")?;
    let words = &rest[..end];
    let capitals = !words.is_empty() && words.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let known = words.starts_with("HOST") || words.starts_with("KATACODA") || words.starts_with("CLIENT");
    if !capitals || !known {
        return None;
    }
    let number = words.strip_prefix("HOST").and_then(|rest| rest.strip_suffix("_IP"));
    let host = number.and_then(|number| if number.is_empty() { Some(1) } else { host_number(number) });
    Some((end + 4, host.map_or(Found::Unknown(words), Found::Machine)))
}

/// Text with links to previews for addresses of ports.
pub(super) fn addresses(scenario: &mut Scenario, text: &str, at: (&LabPath, u32), problems: &mut Problems) -> String {
    replaced(text, at, problems, |before, behind, found, at, problems| {
        let target = before.ends_with("](") || before.ends_with("](<") || before.ends_with("]: ");
        match found {
            Found::Port { host, port } => {
                scenario.serve(*host, *port);
                let machine = host_name(*host);
                let address = spell::preview((*host > 1).then_some(machine.as_str()), *port, "");
                let path_end = behind.find(|c: char| c.is_whitespace() || "<>()[]`'\"*".contains(c));
                let path = behind[..path_end.unwrap_or(behind.len())].trim_end_matches(['.', ',', ';', ':', '!']);
                let path = if path.starts_with('/') { path } else { "" };
                if target { (address, 0) } else { (format!("[port {port}{path}]({address}{path})"), path.len()) }
            }
            Found::Ports => {
                problems.warn(at.0, at.1, "there is no page with all ports; the ports are listed beside the document");
                (if target { "#" } else { "the list of ports" }.to_owned(), 0)
            }
            Found::Machine(host) => (machine(scenario, *host, at, problems), 0),
            Found::Unknown(words) => (unknown(words, at, problems), 0),
        }
    })
}

/// Code with what fits in a shell for addresses.
pub(super) fn addresses_in_code(
    scenario: &mut Scenario,
    text: &str,
    at: (&LabPath, u32),
    problems: &mut Problems,
) -> String {
    replaced(text, at, problems, |_, _, found, at, problems| {
        let written = match found {
            Found::Port { host, port } => {
                scenario.serve(*host, *port);
                let message =
                    "the address of a preview is not known in code; the address within the environment stands there";
                problems.warn(at.0, at.1, message);
                format!("http://{}:{port}", host_name(*host))
            }
            Found::Ports => unknown("TRAFFIC_SELECTOR", at, problems),
            Found::Machine(host) => machine(scenario, *host, at, problems),
            Found::Unknown(words) => unknown(words, at, problems),
        };
        (written, 0)
    })
}

fn machine(scenario: &mut Scenario, host: u8, at: (&LabPath, u32), problems: &mut Problems) -> String {
    scenario.hosts = scenario.hosts.max(host);
    let name = host_name(host);
    problems.warn(at.0, at.1, format!("the machine's name {name} stands for its address"));
    name
}

fn unknown(words: &str, at: (&LabPath, u32), problems: &mut Problems) -> String {
    problems.error(at.0, at.1, format!("{words} has no value here"));
    words.to_owned()
}

/// Replaces each address by what `with` writes for it, together with so many bytes behind it; `with` is told what is
/// before and behind.
fn replaced(
    text: &str,
    at: (&LabPath, u32),
    problems: &mut Problems,
    mut with: impl FnMut(&str, &str, &Found<'_>, (&LabPath, u32), &mut Problems) -> (String, usize),
) -> String {
    let (mut written, mut rest, mut line) = (String::new(), text, at.1);
    while let Some((begin, end, found)) = next(rest) {
        written.push_str(&rest[..begin]);
        line += breaks(&rest[..begin]);
        let (address, more) = with(&written, &rest[end..], &found, (at.0, line), problems);
        written.push_str(&address);
        line += breaks(&rest[begin..end]);
        rest = &rest[end + more..];
    }
    written + rest
}
