//! What a recording's file says of itself.

use pierhead_model::{TerminalId, Timestamp};
use serde_json::{Map, Value};

/// A recording that is worth keeping.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cast {
    /// The file.
    pub bytes: Vec<u8>,
    /// When it begins, to the second.
    pub began: Timestamp,
}

impl Cast {
    /// Reads a file of asciicast v2; nothing if it is none, or shows nothing. The terminal is written into its head, so
    /// that no two files are the same and one can be deleted without the other.
    pub(super) fn read(raw: &[u8], terminal: &TerminalId) -> Option<Self> {
        let text = std::str::from_utf8(raw).ok()?;
        let (head, lines) = text.split_once('\n')?;
        let mut head: Map<String, Value> = serde_json::from_str(head).ok()?;
        if head.get("version").and_then(Value::as_u64) != Some(2) || !lines.lines().any(is_output) {
            return None;
        }
        let began = Timestamp(head.get("timestamp").and_then(Value::as_u64)?.saturating_mul(1000));
        let environment = head.entry("env").or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
        environment.insert("PIERHEAD_TERMINAL".to_owned(), Value::from(terminal.as_str()));
        let bytes = format!("{}\n{lines}", Value::Object(head)).into_bytes();
        Some(Self { bytes, began })
    }
}

fn is_output(line: &str) -> bool {
    line.starts_with('[') && line.split_once(", ").is_some_and(|(_, rest)| rest.starts_with("\"o\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, id: &str) -> Option<Cast> {
        Cast::read(text.as_bytes(), &TerminalId::parse(id).unwrap())
    }

    #[test]
    fn what_it_shows_stays_and_no_two_are_the_same() {
        let text = "{\"version\":2,\"width\":80,\"timestamp\":7,\"env\":{\"TERM\":\"x\"}}\n[0.100, \"o\", \"$ \"]\n";
        let (one, other) = (read(text, "t-1").unwrap(), read(text, "t-2").unwrap());
        assert_eq!(one.began, Timestamp(7_000));
        assert_ne!(one.bytes, other.bytes);
        let told = String::from_utf8(one.bytes).unwrap();
        let (head, lines) = told.split_once('\n').unwrap();
        let head: Value = serde_json::from_str(head).unwrap();
        assert_eq!((&head["env"]["PIERHEAD_TERMINAL"], &head["env"]["TERM"]), (&Value::from("t-1"), &Value::from("x")));
        assert_eq!((&head["width"], lines), (&Value::from(80), "[0.100, \"o\", \"$ \"]\n"));
    }

    #[test]
    fn what_shows_nothing_or_is_no_recording_is_not_kept() {
        let head = "{\"version\":2,\"timestamp\":7}\n";
        assert!(read(&format!("{head}[0.1, \"o\", \"x\"]\n"), "t").is_some(), "it needs no environment");
        for text in [
            "",
            "x",
            head,
            &format!("{head}[0.1, \"r\", \"80x24\"]\n[0.2, \"m\", \", \\\"o\\\"\"]\n"),
            "{\"version\":1,\"timestamp\":7}\n[0.1, \"o\", \"x\"]\n",
            "{\"version\":2}\n[0.1, \"o\", \"x\"]\n",
            "{\"version\":2,\"timestamp\":7,\"env\":3}\n[0.1, \"o\", \"x\"]\n",
            "[1]\n[0.1, \"o\", \"x\"]\n",
        ] {
            assert_eq!(read(text, "t"), None, "{text}");
        }
        assert_eq!(Cast::read(b"\xff\n", &TerminalId::parse("t").unwrap()), None);
    }
}
