//! What people in a class say to one another: raised hands, and messages to many at once.

use crate::{TerminalId, Timestamp, Username, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest text that somebody asks with, in characters.
pub const LONGEST_QUESTION: usize = 200;
/// The longest message, in characters.
pub const LONGEST_MESSAGE: usize = 2000;

/// A raised hand: somebody in a workspace asks for help. There is at most one for each workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Who raised it.
    pub by: Username,
    /// What they ask, if they said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Since when it is up: hands are answered in this order.
    pub at: Timestamp,
}

/// A message to many people, shown to each until they have read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassMessage {
    /// Its id; later ones sort after earlier ones of the same controller.
    pub id: String,
    /// Who sent it.
    pub by: Username,
    /// What it says.
    pub text: String,
    /// A terminal that they are shown with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<TerminalId>,
    /// To whom, and when they read it; none as long as they have not.
    pub to: BTreeMap<Username, Option<Timestamp>>,
    /// When it was sent.
    pub at: Timestamp,
}

impl ClassMessage {
    /// Whether somebody is among those that it was sent to, and has not read it.
    #[must_use]
    pub fn is_unread_by(&self, username: &Username) -> bool {
        self.to.get(username).is_some_and(Option::is_none)
    }

    /// How many have read it.
    #[must_use]
    pub fn read_by(&self) -> usize {
        self.to.values().filter(|read| read.is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_knows_who_has_read_it() {
        let name = |name: &str| Username::parse(name).unwrap();
        let to = BTreeMap::from([(name("ada"), None), (name("bob"), Some(Timestamp(5)))]);
        let message = ClassMessage {
            id: "m".to_owned(),
            by: name("tina"),
            text: "break".to_owned(),
            terminal: None,
            to,
            at: Timestamp(1),
        };
        assert_eq!(message.read_by(), 1);
        let unread = ["ada", "bob", "tina"].map(|username| message.is_unread_by(&name(username)));
        assert_eq!(unread, [true, false, false]);
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(serde_json::from_str::<ClassMessage>(&json).unwrap(), message);
        let old = r#"{"workspace":"abcdefghij","by":"ada","at":7}"#;
        assert_eq!(serde_json::from_str::<Hand>(old).unwrap().question, None);
    }
}
