//! A process that somebody starts in a running container: what it shall be, and how it stands.

use pierhead_model::Invalid;
use std::fmt;

/// Docker itself would keep back the keys that detach from a process, `ctrl-p` first of all, which people need. They can't
/// be turned off, so they are made ones that nobody types.
pub const NO_DETACH_KEYS: &str = "ctrl-^,ctrl-_,ctrl-^,ctrl-_,ctrl-^,ctrl-_,ctrl-^,ctrl-_";

/// What a process in a container shall be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecRequest {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables beyond the container's own.
    pub environment: Vec<(String, String)>,
    /// Whether it has a pseudo-terminal.
    pub tty: bool,
    /// As whom it runs; the container's own user without.
    pub user: Option<String>,
    /// Where it runs; the container's own directory without.
    pub working_dir: Option<String>,
}

/// The id of such a process: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecId(String);

impl ExecId {
    /// Parses an id as Docker gives it.
    ///
    /// # Errors
    /// [`Invalid`] if it is not 64 hexadecimal digits.
    pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
        let text = text.into();
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(is_digit) {
            Ok(Self(text))
        } else {
            Err(Invalid::new("id of a process in a container", "64 hexadecimal digits"))
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExecId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How it stands with such a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExecState {
    /// Whether it runs. One that was made and not started does not.
    pub is_running: bool,
    /// The code that it ended with; 126 or 127 if it could not even begin. `None` before its end.
    pub exit_code: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_docker_gives() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(ExecId::parse(good.as_str()).unwrap().to_string(), good);
        for bad in [String::new(), good[1..].to_owned(), good.to_uppercase(), format!("{}/", &good[1..])] {
            assert!(ExecId::parse(bad.as_str()).is_err(), "{bad}");
        }
    }
}
