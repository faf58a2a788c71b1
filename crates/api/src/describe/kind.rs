//! Kinds of parameters.

use serde_json::{Value, json};

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number from the first to the second.
    Number(u64, u64),
    /// A text that looks like this example.
    Like(&'static str),
}

impl Kind {
    /// Its JSON schema.
    pub fn schema(self) -> Value {
        match self {
            Self::Text | Self::Like(_) => json!({ "type": "string" }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Number(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        }
    }

    /// How it looks.
    pub fn example(self) -> Value {
        match self {
            Self::Text => json!("web"),
            Self::Like(example) => json!(example),
            Self::Flag => json!(true),
            Self::Number(least, most) => json!(if (least..=most).contains(&3) { 3 } else { least }),
        }
    }
}
