//! Labels of engines, and the expressions by which an image asks for them.

use crate::Invalid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Whether `text` can be a label of an engine: 1 to 128 printable ASCII characters without space, `|`, `!` and `,`.
#[must_use]
pub fn is_label(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'|' | b'!' | b','))
}

/// What an image asks of an engine's labels: `ssd` (has it), `!ssd` (has it not), `zone=a|zone=b` (has one of
/// them), `zone!=a` (the same as `!zone=a`). Several expressions must all hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LabelExpression {
    /// Whether none of the labels may be there.
    pub negated: bool,
    /// The labels, at least one.
    pub any_of: Vec<String>,
}

impl LabelExpression {
    /// Parses an expression.
    ///
    /// # Errors
    /// [`Invalid`] with the accepted form.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || {
            Invalid::new(
                "label",
                "label, !label, key!=value or label|label, each 1 to 128 printable characters without space, comma, '|' and '!'",
            )
        };
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest.to_owned()),
            None => match text.split_once("!=") {
                Some((key, value)) => (true, format!("{key}={value}")),
                None => (false, text.to_owned()),
            },
        };
        let any_of: Vec<String> = rest.split('|').map(str::to_owned).collect();
        if any_of.len() > 32 || !any_of.iter().all(|label| is_label(label)) {
            return Err(invalid());
        }
        Ok(Self { negated, any_of })
    }

    /// Whether an engine with these labels satisfies the expression.
    #[must_use]
    pub fn holds(&self, labels: &BTreeSet<String>) -> bool {
        self.any_of.iter().any(|label| labels.contains(label)) != self.negated
    }
}

impl TryFrom<String> for LabelExpression {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<LabelExpression> for String {
    fn from(expression: LabelExpression) -> String {
        expression.to_string()
    }
}

impl fmt::Display for LabelExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negated { "!" } else { "" }, self.any_of.join("|"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expression: &str, labels: &[&str]) -> bool {
        LabelExpression::parse(expression).unwrap().holds(&labels.iter().map(|&l| l.to_owned()).collect())
    }

    #[test]
    fn truth_table() {
        assert!(holds("ssd", &["ssd", "zone=a"]));
        assert!(!holds("ssd", &["hdd"]));
        assert!(holds("!ssd", &["hdd"]));
        assert!(!holds("zone!=a", &["zone=a"]));
        assert!(holds("zone!=a", &["zone=b"]));
        assert!(holds("zone=a|zone=b", &["zone=b"]));
        assert!(!holds("!zone=a|zone=b", &["zone=b"]));
    }

    #[test]
    fn odd_texts_are_refused() {
        for bad in ["", "!", "a b", "a|", "|", "!!a", "a\n", "ä", &"x".repeat(129)] {
            assert!(LabelExpression::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_printed_parses_to_the_same() {
        for text in ["ssd", "!ssd", "zone!=a", "a|b", "!a|b"] {
            let expression = LabelExpression::parse(text).unwrap();
            assert_eq!(LabelExpression::parse(&expression.to_string()).unwrap(), expression);
        }
    }
}
