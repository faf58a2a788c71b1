//! Terminals in containers: what is remembered of each.

use crate::ids::is_plain_word;
use crate::{ContainerId, EngineId, Invalid, Timestamp, Username};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The id of a terminal, unique for ever; later ones sort after earlier ones of the same controller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TerminalId(String);

impl TerminalId {
    /// Parses an id.
    ///
    /// # Errors
    /// [`Invalid`] if it is not 1 to 64 letters, digits and hyphens. It stands in environments, paths and files.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err(Invalid::new("terminal id", "1 to 64 letters, digits and hyphens"))
        }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TerminalId {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl std::borrow::Borrow<str> for TerminalId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<TerminalId> for String {
    fn from(id: TerminalId) -> String {
        id.0
    }
}

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A terminal, from the moment at which it shall be opened until it is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// Its id.
    pub id: TerminalId,
    /// What people call it; not unique.
    pub name: String,
    /// The container that it is in.
    pub container: ContainerId,
    /// The container's host.
    pub engine: EngineId,
    /// The container's app, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Who opened it.
    pub owner: Username,
    /// The program that runs in it, and its arguments.
    pub command: Vec<String>,
    /// Whether it has a pseudo-terminal.
    pub tty: bool,
    /// As whom the program runs; the container's own user without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its width when it was opened, in cells.
    pub columns: u16,
    /// Its height when it was opened, in cells.
    pub rows: u16,
    /// Where its pseudo-terminal lives.
    pub home: TerminalPlace,
    /// Who else may come, and as what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub guests: BTreeMap<Username, TerminalRole>,
    /// How it stands with it.
    pub state: TerminalState,
    /// Whether it was opened ahead in a workspace that is nobody's yet: nobody may come to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ahead: bool,
    /// The id that the request asked for which got it, where it had been opened ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_as: Option<TerminalId>,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// Where a terminal lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TerminalPlace {
    /// In the agent of the container's host.
    Agent,
    /// In the controller of this id.
    Controller(String),
}

impl TerminalPlace {
    /// Its kind: `agent` or `controller`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Controller(_) => "controller",
        }
    }
}

/// What somebody may do in a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TerminalRole {
    /// Look.
    Viewer,
    /// Drive too, as the owner does.
    Driver,
}

impl TerminalRole {
    /// Its name in records and requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Driver => "driver",
        }
    }

    /// The role of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Driver].into_iter().find(|role| role.as_str() == name)
    }
}

/// How it stands with a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TerminalState {
    /// Its home is about to be asked.
    Opening,
    /// Its home keeps it.
    Running,
    /// It is over.
    Ended(TerminalEnd),
}

/// How a terminal ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalEnd {
    /// The exit code of its program, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// Why, for a person; empty where the program just exited.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Whether what it has started may still run, since its home went without ending it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_leftovers: bool,
}

impl Terminal {
    /// The longest name, in characters.
    pub const LONGEST_NAME: usize = 100;

    /// Checks what people call a terminal: it is shown on one line.
    ///
    /// # Errors
    /// [`Invalid`] if it is empty, too long, or has control characters.
    pub fn check_name(text: &str) -> Result<(), Invalid> {
        let is_plain = text.chars().count() <= Self::LONGEST_NAME && !text.chars().any(char::is_control);
        if is_plain && !text.trim().is_empty() {
            Ok(())
        } else {
            Err(Invalid::new("terminal name", "1 to 100 characters on one line"))
        }
    }

    /// How it ended, if it did.
    #[must_use]
    pub fn end(&self) -> Option<&TerminalEnd> {
        match &self.state {
            TerminalState::Ended(end) => Some(end),
            TerminalState::Opening | TerminalState::Running => None,
        }
    }

    /// Whether it lives in the controller of this id.
    #[must_use]
    pub fn lives_in(&self, controller: &str) -> bool {
        matches!(&self.home, TerminalPlace::Controller(id) if id == controller)
    }
}

/// As whom a program runs: a name or number, and perhaps a group.
///
/// # Errors
/// [`Invalid`] if it is neither `user` nor `user:group`.
pub fn check_container_user(text: &str) -> Result<(), Invalid> {
    let mut parts = text.splitn(2, ':');
    if parts.all(|part| is_plain_word(part, 64)) {
        Ok(())
    } else {
        Err(Invalid::new("user of a container", "a name or number, or two of them with ':' between (1000:1000)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(state: TerminalState) -> Terminal {
        Terminal {
            id: TerminalId::parse("t-1").unwrap(),
            name: "a shell".to_owned(),
            container: ContainerId::parse("beef").unwrap(),
            engine: EngineId::parse("host-1").unwrap(),
            app: None,
            owner: Username::parse("ann").unwrap(),
            command: vec!["sh".to_owned()],
            tty: true,
            user: None,
            columns: 80,
            rows: 24,
            home: TerminalPlace::Controller("c-1".to_owned()),
            guests: BTreeMap::new(),
            state,
            is_ahead: false,
            given_as: None,
            created_at: Timestamp(1),
        }
    }

    #[test]
    fn an_id_goes_into_environments_and_paths() {
        for good in ["a", "0-9", &"a".repeat(64)] {
            assert_eq!(TerminalId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "a.b", "a=b", "ä", &"a".repeat(65)] {
            assert!(TerminalId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<TerminalId>("\"../x\"").is_err());
    }

    #[test]
    fn a_record_reads_back() {
        let end = TerminalEnd { exit_code: Some(7), reason: "gone".to_owned(), at: Timestamp(9), has_leftovers: true };
        for state in [TerminalState::Opening, TerminalState::Running, TerminalState::Ended(end)] {
            let mut record = terminal(state);
            record.guests.insert(Username::parse("bob").unwrap(), TerminalRole::Viewer);
            let text = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Terminal>(&text).unwrap(), record, "{text}");
        }
        let running = terminal(TerminalState::Running);
        assert!(running.end().is_none() && running.lives_in("c-1") && !running.lives_in("c-2"));
    }

    #[test]
    fn names_stand_on_one_line() {
        assert!(Terminal::check_name("a shell of Änne ✓").is_ok());
        for bad in ["", "  ", "a\nb", "\u{1b}[31m", &"x".repeat(101)] {
            assert!(Terminal::check_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_user_is_a_name_and_perhaps_a_group() {
        for good in ["root", "1000", "1000:1000", "www-data:www-data"] {
            assert!(check_container_user(good).is_ok(), "{good}");
        }
        for bad in ["", ":", "a:", ":a", "a:b:c", "a b", "-u"] {
            assert!(check_container_user(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn roles_have_names() {
        assert_eq!(TerminalRole::named("driver"), Some(TerminalRole::Driver));
        assert_eq!(TerminalRole::named("viewer").map(TerminalRole::as_str), Some("viewer"));
        assert_eq!(TerminalRole::named("owner"), None);
        assert!(TerminalRole::Driver > TerminalRole::Viewer);
        assert_eq!(TerminalPlace::Agent.as_str(), "agent");
    }
}
