//! Terminals in containers: what is asked for, and how they are shown. What travels on their sockets is defined in
//! `pierhead-terminal`.

use crate::FieldError;
use pierhead_model::{Terminal, TerminalRole, check_container_user};
use serde::{Deserialize, Serialize};

/// The size of a terminal for who says none, in cells.
pub const DEFAULT_SIZE: (u16, u16) = (80, 24);
/// The most columns or rows.
const WIDEST: u16 = 1000;
/// How much a command may have, in words and in bytes.
const LONGEST_COMMAND: (usize, usize) = (1024, 64 * 1024);
/// The longest directory, in bytes.
const LONGEST_DIRECTORY: usize = 4096;

/// Body of `POST /api/containers/{id}/terminals`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TerminalRequest {
    /// The program and its arguments; the best shell of the container if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Its width, in cells; 80 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub columns: Option<u16>,
    /// Its height, in cells; 24 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub rows: Option<u16>,
    /// Whether it has a pseudo-terminal; true if absent. Without one its errors are told apart and its input can end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub tty: Option<bool>,
    /// As whom it runs, `user` or `user:group`, by names or numbers; the container's own user if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub user: Option<String>,
    /// Where it runs, from the root on; the container's own directory if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub working_dir: Option<String>,
    /// What people shall call it; the container's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<String>,
}

impl TerminalRequest {
    /// Its width and height.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        (self.columns.unwrap_or(DEFAULT_SIZE.0), self.rows.unwrap_or(DEFAULT_SIZE.1))
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`FieldError`] names the field and the accepted form.
    pub fn check(&self) -> Result<(), FieldError> {
        let must = |field: &str, form: &str| Err(FieldError::new(field, form));
        let (columns, rows) = self.size();
        for (field, size) in [("columns", columns), ("rows", rows)] {
            if !(1..=WIDEST).contains(&size) {
                return must(field, "a whole number from 1 to 1000");
            }
        }
        let bytes: usize = self.command.iter().map(String::len).sum();
        let is_program = self.command.first().is_none_or(|program| !program.is_empty());
        if self.command.len() > LONGEST_COMMAND.0 || bytes > LONGEST_COMMAND.1 || !is_program {
            return must("command", "a program and its arguments, at most 1024 words and 64 KiB");
        }
        if self.command.iter().any(|word| word.contains('\0')) {
            return must("command", "words without NUL characters");
        }
        if let Some(user) = &self.user {
            check_container_user(user).map_err(|invalid| FieldError::of("user", &invalid))?;
        }
        if let Some(dir) = &self.working_dir
            && (!dir.starts_with('/') || dir.len() > LONGEST_DIRECTORY || dir.contains('\0'))
        {
            return must("working_dir", "a path from the root on, of at most 4096 bytes");
        }
        if let Some(name) = &self.name {
            Terminal::check_name(name).map_err(|invalid| FieldError::of("name", &invalid))?;
        }
        Ok(())
    }
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerminalView {
    /// Its id.
    pub id: String,
    /// The id of the container that it is in.
    pub container: String,
    /// The id of the container's host.
    pub engine: String,
    /// The container's app; absent for one that is not Pierhead's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Who opened it.
    pub owner: String,
    /// What people call it.
    pub name: String,
    /// The program that runs in it, and its arguments.
    pub command: Vec<String>,
    /// Whether it has a pseudo-terminal.
    pub tty: bool,
    /// Its width, in cells.
    pub columns: u16,
    /// Its height, in cells.
    pub rows: u16,
    /// Where it lives: in the host's `agent`, or in the `controller` that opened it and with which it ends.
    pub home: String,
    /// `running` or `ended`.
    pub state: String,
    /// The exit code of its program, if it has ended and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// Why it ended; absent where the program just exited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was opened (RFC 3339).
    pub created_at: String,
    /// When it ended (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What the asker may do in it: `owner`, `driver` or `viewer`.
    pub right: String,
    /// Who is there now, as far as the answering controller sees that.
    pub viewers: Vec<TerminalViewer>,
    /// Who else may come.
    pub guests: Vec<TerminalGuest>,
}

/// Somebody who looks at a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerminalViewer {
    /// Tells them from others, of the same account too.
    pub id: String,
    /// Who.
    pub username: String,
    /// `driver` or `viewer`: what they are now.
    pub role: String,
    /// Since when (RFC 3339).
    pub since: String,
}

/// Somebody who may come to a terminal that another one opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerminalGuest {
    /// Who.
    pub username: String,
    /// `driver` or `viewer`: what they may be.
    pub role: String,
}

/// Body of `PUT /api/terminals/{id}/guests/{username}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GuestRequest {
    /// `driver` or `viewer`.
    pub role: String,
}

impl GuestRequest {
    /// The role.
    ///
    /// # Errors
    /// [`FieldError`] if it is none.
    pub fn role(&self) -> Result<TerminalRole, FieldError> {
        let refuse = || FieldError::new("role", "driver or viewer");
        TerminalRole::named(&self.role).ok_or_else(refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: serde_json::Value) -> Option<String> {
        let request: TerminalRequest = serde_json::from_value(body).unwrap();
        request.check().err().map(|error| error.field)
    }

    #[test]
    fn a_terminal_needs_nothing_and_has_bounds() {
        let plain: TerminalRequest = serde_json::from_value(json!({})).unwrap();
        assert_eq!((plain.check(), plain.size()), (Ok(()), DEFAULT_SIZE));
        let good = json!({"command": ["sh", ""], "columns": 1, "rows": 1000, "user": "0:0", "working_dir": "/", "name": "a b"});
        assert_eq!(refused(good), None);
        for (body, field) in [
            (json!({"columns": 0}), "columns"),
            (json!({"columns": 1001}), "columns"),
            (json!({"rows": 0}), "rows"),
            (json!({"command": [""]}), "command"),
            (json!({"command": ["a\0"]}), "command"),
            (json!({"command": vec!["x"; 1025]}), "command"),
            (json!({"command": ["x".repeat(70_000)]}), "command"),
            (json!({"user": "a b"}), "user"),
            (json!({"user": ""}), "user"),
            (json!({"working_dir": "tmp"}), "working_dir"),
            (json!({"working_dir": "/\0"}), "working_dir"),
            (json!({"name": "a\u{1b}b"}), "name"),
            (json!({"name": ""}), "name"),
        ] {
            assert_eq!(refused(body.clone()).as_deref(), Some(field), "{body}");
        }
        assert!(serde_json::from_value::<TerminalRequest>(json!({"privileged": true})).is_err());
    }

    #[test]
    fn a_guest_drives_or_looks() {
        let role = |text: &str| GuestRequest { role: text.to_owned() }.role().ok();
        assert_eq!(role("driver"), Some(TerminalRole::Driver));
        assert_eq!(role("viewer"), Some(TerminalRole::Viewer));
        assert_eq!((role("owner"), role(""), role("Driver")), (None, None, None));
    }
}
