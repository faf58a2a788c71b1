//! Names and ids: each a type of its own, parsed once, at the edge.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that is not a valid value of some type: what it should have been, and the accepted form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {expected}")]
pub struct Invalid {
    /// The kind of value, in the words of the glossary ("app name").
    pub what: &'static str,
    /// The accepted form, for a person.
    pub expected: &'static str,
}

impl Invalid {
    /// An error that names `what` and the form that it must have.
    #[must_use]
    pub fn new(what: &'static str, expected: &'static str) -> Self {
        Self { what, expected }
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a text; the error names the accepted form.
            ///
            /// # Errors
            /// [`Invalid`] if the text does not have that form.
            pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err(Invalid::new($what, $expected)) }
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;
            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// Whether `text` is 1 to `longest` bytes, starts and ends with a lower-case letter or digit, and holds only
/// those and hyphens between: a DNS label, so that it can become a host name.
fn is_dns_label(text: &str, longest: usize) -> bool {
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=longest).contains(&bytes.len())
        && edge(bytes[0])
        && edge(bytes[bytes.len() - 1])
        && bytes.iter().all(|&b| edge(b) || b == b'-')
}

/// Whether `text` is 1 to `longest` bytes of letters, digits, `.`, `_` and `-`, starting with a letter or digit.
pub(crate) fn is_plain_word(text: &str, longest: usize) -> bool {
    let bytes = text.as_bytes();
    (1..=longest).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes.iter().all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

text_id!(
    /// The name of an app; unique in the pool.
    AppName, "app name", "1 to 40 lower-case letters, digits and hyphens, starting and ending with a letter or digit",
    |t| is_dns_label(t, 40)
);
text_id!(
    /// The name of one container within a slot's group; the first member of most apps is `main`.
    MemberName, "member name", "1 to 20 lower-case letters, digits and hyphens, starting and ending with a letter or digit",
    |t| is_dns_label(t, 20)
);
text_id!(
    /// The id of an engine (a Docker host). Left out when a host is added, it is the digits of its address.
    EngineId, "engine id", "1 to 63 letters, digits, '.', '_' and '-', starting with a letter or digit",
    |t| is_plain_word(t, 63)
);
text_id!(
    /// The name of an account.
    Username, "user name", "1 to 63 letters, digits, '.', '_' and '-', starting with a letter or digit",
    |t| is_plain_word(t, 63)
);
text_id!(
    /// The id of an operation, unique for ever; later ones sort after earlier ones.
    OperationId, "operation id", "1 to 63 letters, digits, '.', '_' and '-', starting with a letter or digit",
    |t| is_plain_word(t, 63)
);
text_id!(
    /// A container's id as its engine gave it: 64 hexadecimal digits on Docker.
    ContainerId, "container id", "1 to 64 letters and digits",
    |t| is_plain_word(t, 64)
);

text_id!(
    /// The name of an environment; unique in the pool as long as the environment is.
    EnvironmentId, "environment name", "1 to 40 lower-case letters, digits and hyphens, starting and ending with a letter or digit",
    |t| is_dns_label(t, 40)
);
text_id!(
    /// The name of a lab; unique in the pool as long as the lab is.
    LabId, "lab name", "1 to 40 lower-case letters, digits and hyphens, starting and ending with a letter or digit",
    |t| is_dns_label(t, 40)
);
text_id!(
    /// The id of a workspace, unique for ever and random: it stands in names of hosts, containers and networks.
    WorkspaceId, "workspace id", "10 lower-case letters and digits from 2 to 7",
    |t| t.len() == 10 && t.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b))
);
text_id!(
    /// The id of a student's way through a lab, unique for ever and random.
    AttemptId, "attempt id", "10 lower-case letters and digits from 2 to 7",
    |t| WorkspaceId::parse(t).is_ok()
);
text_id!(
    /// The id of a course; that of the school's own list where it comes from there.
    CourseId, "course id", "1 to 63 letters, digits, '.', '_' and '-', starting with a letter or digit",
    |t| is_plain_word(t, 63)
);
text_id!(
    /// The id of a save, unique for ever: its workspace's id and a number.
    SaveId, "save id", "a workspace id, '-' and a number",
    |t| t.split_once('-').is_some_and(|(workspace, number)| {
        WorkspaceId::parse(workspace).is_ok()
            && (1..=9).contains(&number.len())
            && !number.starts_with('0')
            && number.bytes().all(|b| b.is_ascii_digit())
    })
);

impl WorkspaceId {
    /// The digits of an id, 32 of them.
    const DIGITS: &'static [u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    /// The id that the lowest 50 bits of a random number stand for.
    #[must_use]
    pub fn from_random(number: u64) -> Self {
        let digit = |place: u32| char::from(Self::DIGITS[((number >> (5 * place)) & 31) as usize]);
        Self((0..10).map(digit).collect())
    }
}

impl AttemptId {
    /// The id that the lowest 50 bits of a random number stand for.
    #[must_use]
    pub fn from_random(number: u64) -> Self {
        Self(WorkspaceId::from_random(number).into())
    }
}

impl SaveId {
    /// The id of a workspace's save of this number, counted from 1.
    #[must_use]
    pub fn of(workspace: &WorkspaceId, number: u32) -> Self {
        Self(format!("{workspace}-{}", number.clamp(1, 999_999_999)))
    }

    /// The workspace that it is a save of.
    #[must_use]
    pub fn workspace(&self) -> WorkspaceId {
        WorkspaceId(self.0.chars().take(10).collect())
    }
}

/// The number of a slot within its app. Numbers are never used twice, so a higher one is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub u32);

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Counts how often the containers of a slot were created anew; never rises at a mere restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

impl Generation {
    /// The generation of a slot's first containers.
    pub const FIRST: Self = Self(1);

    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl MemberName {
    /// The member that an app of one container has.
    #[must_use]
    pub fn main() -> Self {
        Self("main".to_owned())
    }
}

impl EngineId {
    /// The id of a host that was added without one: the digits of its address (`192.168.7.101` gives
    /// `1921687101`), or, where the address has none, its letters and digits.
    ///
    /// # Errors
    /// [`Invalid`] if the address has neither.
    pub fn from_address(host: &str) -> Result<Self, Invalid> {
        let is_ip = host.parse::<std::net::Ipv4Addr>().is_ok();
        let kept: String = host
            .chars()
            .filter(|c| if is_ip { c.is_ascii_digit() } else { c.is_ascii_alphanumeric() })
            .take(63)
            .collect();
        Self::parse(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_names_are_dns_labels() {
        for good in ["a", "web", "web-2", "0x", &"a".repeat(40)] {
            assert!(AppName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "Web", "a.b", "a b", "ä", "a\n", &"a".repeat(41)] {
            assert!(AppName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_error_names_the_accepted_form() {
        let message = AppName::parse("Web").unwrap_err().to_string();
        assert!(message.starts_with("app name must be 1 to 40 lower-case"), "{message}");
    }

    #[test]
    fn an_engine_is_named_by_the_digits_of_its_address() {
        assert_eq!(EngineId::from_address("192.168.7.101").unwrap().as_str(), "1921687101");
        assert_eq!(EngineId::from_address("docker-3.lan").unwrap().as_str(), "docker3lan");
        assert!(EngineId::from_address("..").is_err());
    }

    #[test]
    fn a_workspace_is_named_by_random_digits_and_its_saves_by_it() {
        let id = WorkspaceId::from_random(0x3_ffff_ffff_ffff);
        assert_eq!(id.as_str(), "7777777777");
        assert_eq!(WorkspaceId::from_random(0).as_str(), "aaaaaaaaaa");
        assert_eq!(WorkspaceId::parse(id.as_str()).unwrap(), id);
        for bad in ["", "777777777", "77777777777", "777777777A", "7777777-77", "0777777777"] {
            assert!(WorkspaceId::parse(bad).is_err(), "{bad:?}");
        }
        let save = SaveId::of(&id, 12);
        assert_eq!(save.as_str(), "7777777777-12");
        assert_eq!(SaveId::parse(save.as_str()).unwrap().workspace(), id);
        for bad in ["7777777777", "7777777777-", "7777777777-0", "7777777777-x", "7777777777-1234567890", "-1"] {
            assert!(SaveId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ids_are_refused_when_deserialised_too() {
        assert!(serde_json::from_str::<AppName>("\"web\"").is_ok());
        assert!(serde_json::from_str::<AppName>("\"../web\"").is_err());
    }
}
