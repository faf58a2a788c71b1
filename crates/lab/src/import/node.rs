//! Descriptions that other platforms write in JSON or YAML, as trees in which everything knows its line.

mod json;
#[cfg(test)]
mod tests;
mod yaml;

pub(super) use json::read_json;
pub(super) use yaml::read_yaml;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// The line, from 1.
    pub(super) line: u32,
    /// What it is.
    pub(super) value: Value,
}

/// A value. Numbers and truth values are texts: these formats mix them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing.
    Null,
    /// A text, a number or a truth value.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in their order.
    Map(Vec<(String, Node)>),
}

/// Why a description was not read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeError {
    /// The line, from 1.
    pub(super) line: u32,
    /// What is wrong.
    pub(super) message: String,
}

impl Node {
    /// What a key of a map says, unless it says nothing.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(name, _)| name == key).map(|(_, node)| node).filter(|node| node.value != Value::Null)
    }

    /// What is found key by key.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Its text, without blanks around it; none if it is no text or an empty one.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// The text of a key.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Whether a key says yes.
    pub(super) fn is(&self, key: &str) -> bool {
        self.text_of(key).is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on"))
    }

    /// The number of a key.
    pub(super) fn number<N: std::str::FromStr>(&self, key: &str) -> Option<N> {
        self.text_of(key)?.parse().ok()
    }

    /// Its items; of anything but a list, itself.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// The items of a key.
    pub(super) fn items_of(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    /// Its keys and values; none if it is no map.
    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }
}

/// The YAML between two lines `---` at the beginning of a text, and the number of lines before the text behind it.
pub(super) fn front_matter(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix("---")?;
    let first = rest.find('\n')?;
    if !rest[..first].trim().is_empty() {
        return None;
    }
    let begin = 3 + first + 1;
    let mut at = begin;
    for (number, line) in text[begin..].split('\n').enumerate() {
        if line.trim_end() == "---" || line.trim_end() == "..." {
            return Some((&text[begin..at], number + 2));
        }
        at += line.len() + 1;
    }
    None
}
