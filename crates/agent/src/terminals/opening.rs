//! What a controller says of a session that it wants to have opened, and of those who come to it, checked.

use crate::refusal::Refusal;
use pierhead_terminal::{Right, Role, Visitor};
use serde::{Deserialize, Serialize};

/// The longest id of a session.
const LONGEST_ID: usize = 64;
/// The longest name of a user or directory, in bytes.
const LONGEST_NAME: usize = 4096;
/// How much a command may have, in bytes and words.
const LONGEST_COMMAND: (usize, usize) = (128 * 1024, 1024);
/// The most columns or rows.
const WIDEST: u16 = 1000;

/// A session that shall be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// By what it is known from then on: letters, digits and `-`.
    pub id: String,
    /// The container, by its id.
    pub container: String,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How wide it is at first.
    pub columns: u16,
    /// How high it is at first.
    pub rows: u16,
    /// Whether it has a pseudo-terminal; else what comes on its standard error is told apart.
    pub tty: bool,
    /// As whom the program runs; the image says so if this does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where it runs; the image says so if this does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// What its recording is called.
    #[serde(default)]
    pub title: String,
}

impl Opening {
    /// Reads and checks it.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let form = "a terminal must be JSON with id, container, command, columns, rows and tty";
        let opening: Self = serde_json::from_slice(json).map_err(|_| Refusal::malformed(form))?;
        opening.check().map(|()| opening)
    }

    fn check(&self) -> Result<(), Refusal> {
        let must = |what: &str| Err(Refusal::malformed(what));
        if !is_id(&self.id) {
            return must("id must be 1 to 64 letters, digits and '-'");
        }
        if !is_container(&self.container) {
            return must("container must be the id of one: 64 hexadecimal digits");
        }
        let length: usize = self.command.iter().map(String::len).sum();
        if self.command.is_empty() || self.command.len() > LONGEST_COMMAND.1 || length > LONGEST_COMMAND.0 {
            return must("command must have 1 to 1024 words, of at most 128 KiB together");
        }
        if ![self.columns, self.rows].iter().all(|size| (1..=WIDEST).contains(size)) {
            return must("columns and rows must be from 1 to 1000");
        }
        if self.title.len() > LONGEST_NAME {
            return must("title must have at most 4096 bytes");
        }
        let texts = self.command.iter().chain(&self.user).chain(&self.working_dir);
        if texts.clone().any(|text| text.contains('\0')) {
            return must("command, user and working_dir must have no NUL");
        }
        if self.user.iter().chain(&self.working_dir).any(|text| text.len() > LONGEST_NAME) {
            return must("user and working_dir must have at most 4096 bytes");
        }
        Ok(())
    }
}

/// Somebody who comes to a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visiting {
    /// Their account.
    pub username: String,
    /// What they may at most.
    pub right: VisitorRight,
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ending {
    /// Why, for people.
    pub(crate) reason: String,
}

/// What an account that is there may do from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Granting {
    /// The account.
    pub(crate) username: String,
    /// Nothing if it may not even look.
    pub(crate) role: Option<Role>,
}

/// What somebody may do in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitorRight {
    /// Look.
    Viewer,
    /// Drive, when nobody else does or when handed over to.
    Driver,
    /// As a driver; drives without asking when nobody does.
    Owner,
}

impl Ending {
    /// Reads and checks it.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let ending = serde_json::from_slice(json).ok().filter(|ending: &Self| ending.reason.len() <= LONGEST_NAME);
        ending.ok_or_else(|| Refusal::malformed("an end must be JSON with reason, of at most 4096 bytes"))
    }
}

impl Granting {
    /// Reads it.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let form = "a grant must be JSON with username and role (driver, viewer or null)";
        serde_json::from_slice(json).map_err(|_| Refusal::malformed(form))
    }
}

impl Visiting {
    /// Reads and checks it.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let form = "a viewer must be JSON with username and right (viewer, driver or owner)";
        let visiting: Self = serde_json::from_slice(json).map_err(|_| Refusal::malformed(form))?;
        match visiting.username.len() {
            1..=LONGEST_NAME => Ok(visiting),
            _ => Err(Refusal::malformed("username must have 1 to 4096 bytes")),
        }
    }
}

impl From<Visiting> for Visitor {
    fn from(visiting: Visiting) -> Self {
        let right = match visiting.right {
            VisitorRight::Viewer => Right::Viewer,
            VisitorRight::Driver => Right::Driver,
            VisitorRight::Owner => Right::Owner,
        };
        Self { username: visiting.username, right }
    }
}

/// Whether a text can be the id of a session. It stands in environments, paths and files.
pub(crate) fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(plain)
}

/// Whether a text is the whole id of a container, by which its processes are known.
pub(crate) fn is_container(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn opened(with: &serde_json::Value) -> Result<Opening, Refusal> {
        let mut body = json!({"id": "t-1", "container": "00ff".repeat(16), "command": ["sh"], "columns": 80, "rows": 24, "tty": true});
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        Opening::parse(body.to_string().as_bytes())
    }

    #[test]
    fn a_session_is_what_was_said() {
        let opening = opened(&json!({"user": "1000:1000", "working_dir": "/tmp"})).unwrap();
        assert_eq!(opening.user.as_deref(), Some("1000:1000"));
        let again = Opening::parse(&serde_json::to_vec(&opening).unwrap()).unwrap();
        assert_eq!(again, opening);
        assert_eq!(opened(&json!({})).unwrap().working_dir, None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (with, word) in [
            (json!({"id": ""}), "id must be"),
            (json!({"id": "a/../b"}), "id must be"),
            (json!({"id": "a".repeat(65)}), "id must be"),
            (json!({"container": "../x"}), "container must be"),
            (json!({"container": "web.0.1"}), "container must be"),
            (json!({"container": "00FF".repeat(16)}), "container must be"),
            (json!({"command": []}), "command must have"),
            (json!({"command": vec!["x"; 1025]}), "command must have"),
            (json!({"command": ["x".repeat(200_000)]}), "command must have"),
            (json!({"command": ["a\0b"]}), "no NUL"),
            (json!({"user": "a\0b"}), "no NUL"),
            (json!({"working_dir": "x".repeat(5000)}), "at most 4096"),
            (json!({"title": "x".repeat(5000)}), "title must have"),
            (json!({"columns": 0}), "columns and rows"),
            (json!({"rows": 1001}), "columns and rows"),
            (json!({"rows": 100_000}), "must be JSON with"),
            (json!({"privileged": true}), "must be JSON with"),
        ] {
            let refusal = opened(&with).unwrap_err();
            assert!(refusal.code == "malformed" && refusal.message.contains(word), "{with}: {refusal}");
        }
        assert!(Opening::parse(b"[]").is_err());
    }

    #[test]
    fn who_comes_has_a_name_and_a_right() {
        let visiting = Visiting::parse(br#"{"username":"ada","right":"viewer"}"#).unwrap();
        assert_eq!(Visitor::from(visiting), Visitor { username: "ada".to_owned(), right: Right::Viewer });
        let nameless = Visiting::parse(br#"{"username":"","right":"owner"}"#).unwrap_err();
        assert!(nameless.message.contains("username must have"), "{nameless}");
        let granting = Granting::parse(br#"{"username":"ada","role":null}"#).unwrap();
        assert_eq!(granting, Granting { username: "ada".to_owned(), role: None });
        assert!(Granting::parse(br#"{"username":"ada","role":"owner"}"#).is_err());
        assert_eq!(Ending::parse(br#"{"reason":"x"}"#).unwrap().reason, "x");
        assert!(Ending::parse(b"{}").is_err());
        for bad in [&br#"{"username":"ada"}"#[..], br#"{"username":"ada","right":"root"}"#, b"", b"[]"] {
            assert!(Visiting::parse(bad).unwrap_err().message.contains("must be JSON with"));
        }
    }
}
