//! The query of a request: known keys with values of a known kind, written anew.

use crate::refusal::Refusal;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The longest query, in bytes.
const LONGEST: usize = 16 * 1024;
/// The longest value that is text, in bytes.
const LONGEST_TEXT: usize = 4096;
/// The repository of saves.
const SAVES: &str = "pierhead/save";

/// What the value of a key may be. An empty value is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// `true`, `false`, `1` or `0`.
    Flag,
    /// `false` or `0`: what clients say of a thing that they do not want.
    Off,
    /// Decimal digits.
    Number,
    /// Decimal digits, or `all`.
    Tail,
    /// A moment: digits with an optional fraction.
    Moment,
    /// A word of letters, digits and `_ . : @ / -`.
    Name,
    /// Such a word that begins with `pierhead/`: a name that only Pierhead gives to images.
    Ours,
    /// `pierhead/save`, or such a word that ends with `/pierhead/save`: what saves are called on hosts and in registries.
    Saves,
    /// Several names.
    Names,
    /// Any text without control characters.
    Text,
    /// Docker's filters: a JSON object of lists of texts.
    Filters,
}

/// The query with what the list of keys allows, in the order in which it came.
pub(super) fn rebuild(keys: &[(&str, Value)], query: &str) -> Result<String, Refusal> {
    if query.len() > LONGEST {
        return Err(Refusal::malformed(format!("the query must have at most {LONGEST} bytes")));
    }
    let mut written = form_urlencoded::Serializer::new(String::new());
    let mut seen = BTreeSet::new();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some((key, kind)) = keys.iter().find(|(known, _)| *known == key) else {
            return Err(Refusal::not_allowed(format!("the query has no '{}' here", shown(&key))));
        };
        if !seen.insert(*key) && *kind != Value::Names {
            return Err(Refusal::not_allowed(format!("the query has '{key}' twice")));
        }
        if !value.is_empty() {
            let checked = check(*kind, &value)
                .ok_or_else(|| Refusal::not_allowed(format!("the query's '{key}' must be {}", form(*kind))))?;
            written.append_pair(key, &checked);
        }
    }
    Ok(written.finish())
}

fn check(kind: Value, value: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.len() <= 19 && text.bytes().all(|byte| byte.is_ascii_digit());
    let good = match kind {
        Value::Flag => matches!(value, "true" | "false" | "1" | "0"),
        Value::Off => matches!(value, "false" | "0"),
        Value::Number => digits(value),
        Value::Tail => value == "all" || digits(value),
        Value::Moment => {
            value.split_once('.').map_or_else(|| digits(value), |(whole, rest)| digits(whole) && digits(rest))
        }
        Value::Name | Value::Names => is_name(value),
        Value::Ours => is_name(value) && value.starts_with("pierhead/"),
        Value::Saves => is_name(value) && (value == SAVES || value.ends_with("/pierhead/save")),
        Value::Text => value.len() <= LONGEST_TEXT && !value.chars().any(char::is_control),
        Value::Filters => return filters(value),
    };
    good.then(|| value.to_owned())
}

/// A name of a container, an image, a platform, a signal or a condition.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'@' | b'/' | b'-');
    text.len() <= 512 && text.bytes().all(plain) && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

fn filters(value: &str) -> Option<String> {
    let json: Json = serde_json::from_str(value).ok()?;
    let lists = json.as_object()?.values();
    let plain = |list: &Json| list.as_array().is_some_and(|list| list.iter().all(Json::is_string));
    lists.into_iter().all(plain).then(|| json.to_string())
}

fn form(kind: Value) -> &'static str {
    match kind {
        Value::Flag => "true or false",
        Value::Off => "false",
        Value::Number => "a whole number",
        Value::Tail => "a whole number or 'all'",
        Value::Moment => "a moment in seconds",
        Value::Name | Value::Names => "a name",
        Value::Ours => "a name that begins with pierhead/",
        Value::Saves => "pierhead/save, with a registry before it perhaps",
        Value::Text => "text without control characters",
        Value::Filters => "a JSON object of lists of texts",
    }
}

/// A stranger's word, in a form that can be printed anywhere.
pub(super) fn shown(word: &str) -> String {
    word.chars().take(64).map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &[(&str, Value)] = &[
        ("all", Value::Flag),
        ("link", Value::Off),
        ("t", Value::Number),
        ("tail", Value::Tail),
        ("since", Value::Moment),
        ("name", Value::Name),
        ("repo", Value::Ours),
        ("saves", Value::Saves),
        ("names", Value::Names),
        ("path", Value::Text),
        ("filters", Value::Filters),
    ];

    #[test]
    fn known_keys_with_good_values() {
        for (query, expected) in [
            ("", ""),
            ("all=true&t=10", "all=true&t=10"),
            ("all=&t=1", "t=1"),
            ("link=false", "link=false"),
            ("tail=all", "tail=all"),
            ("since=17.5", "since=17.5"),
            ("repo=pierhead%2Fsave", "repo=pierhead%2Fsave"),
            ("saves=pierhead/save", "saves=pierhead%2Fsave"),
            ("saves=r.lan:5000/a/pierhead/save", "saves=r.lan%3A5000%2Fa%2Fpierhead%2Fsave"),
            ("name=web.0.1", "name=web.0.1"),
            ("names=a&names=b:1", "names=a&names=b%3A1"),
            ("path=%2Fetc%2Fa%20b%26all%3D1", "path=%2Fetc%2Fa+b%26all%3D1"),
            ("filters=%7B%22type%22:[%22image%22]%7D", "filters=%7B%22type%22%3A%5B%22image%22%5D%7D"),
        ] {
            assert_eq!(rebuild(KEYS, query).as_deref(), Ok(expected), "{query}");
        }
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        for (query, word) in [
            ("force=1", "'force'"),
            ("All=1", "'All'"),
            ("all=1&all=0", "'all' twice"),
            ("a%6cl=1&all=1", "'all' twice"),
            ("link=true", "'link' must be false"),
            ("all=yes", "'all' must be true or false"),
            ("all=1;t=5", "'all' must be"),
            ("t=-1", "'t' must be"),
            ("t=99999999999999999999", "'t' must be"),
            ("since=1.", "'since' must be"),
            ("since=now", "'since' must be"),
            ("name=../x", "'name' must be"),
            ("repo=mysql", "'repo' must be a name that begins with pierhead/"),
            ("saves=mysql", "'saves' must be pierhead/save"),
            ("saves=r.lan/xpierhead/save", "'saves' must be"),
            ("saves=pierhead/save:1", "'saves' must be"),
            ("name=a%00b", "'name' must be"),
            ("path=a%0d%0ab", "'path' must be"),
            ("filters=[]", "'filters' must be"),
            ("filters=%7B%22a%22:1%7D", "'filters' must be"),
            ("filters=%7B%22a%22:[1]%7D", "'filters' must be"),
            ("%1b=1", "'?'"),
        ] {
            let refusal = rebuild(KEYS, query).unwrap_err();
            assert!(refusal.message.contains(word), "{query}: {refusal}");
        }
        assert!(rebuild(KEYS, &"&".repeat(LONGEST + 1)).is_err());
    }
}
