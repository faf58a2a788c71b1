//! Values that a lab's texts, blocks and scripts refer to as `{{name}}`.

use serde::{Deserialize, Serialize};

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name: a letter, then letters, digits and underscores.
    pub name: String,
    /// What its value is.
    pub kind: VariableKind,
}

/// What the value of a variable is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VariableKind {
    /// The same for everybody.
    Fixed(String),
    /// One of these for each student.
    OneOf(Vec<String>),
    /// A whole number for each student, both ends included.
    Between {
        /// The least.
        from: i64,
        /// The most.
        to: i64,
    },
    /// So many random lower-case letters for each student.
    Letters(u8),
}
