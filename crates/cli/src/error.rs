//! Why a command did not do what it was told, what to do next, and the exit code.

use pierhead_client::ClientError;
use pierhead_wire::ErrorBody;
use std::io;
use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to write instead.
        hint: String,
    },
    /// A controller refused, or none answered.
    #[error("{0}")]
    Request(#[from] ClientError),
    /// A change was begun, and nobody knows how it ended.
    #[error("{source}")]
    Follow {
        /// The operation.
        operation: String,
        /// What came between.
        source: ClientError,
    },
    /// A change was begun and failed.
    #[error("{message}")]
    Operation {
        /// The operation.
        operation: String,
        /// How it ended: `failed`, `timed_out` or `cancelled`.
        state: String,
        /// Why, for programs.
        code: String,
        /// Why.
        message: String,
    },
    /// A change goes on, but we no longer wait for it.
    #[error("{why}: operation {operation} goes on")]
    StopWaiting {
        /// The operation.
        operation: String,
        /// Why we stopped.
        why: String,
    },
    /// Something that was asked for by name is not there.
    #[error("{0}")]
    NotFound(String),
    /// The person said no.
    #[error("nothing was changed")]
    Declined,
    /// The file of the log-in cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Credentials {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that was named cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A question could not be asked.
    #[error("cannot read the answer: {0}")]
    Ask(#[source] io::Error),
    /// The answer could not be written.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
}

/// What each exit code means.
pub(crate) mod exit {
    pub(crate) const FAILED: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const NOT_FOUND: u8 = 3;
    pub(crate) const CONFLICT: u8 = 4;
    pub(crate) const FORBIDDEN: u8 = 5;
    pub(crate) const UNREACHABLE: u8 = 6;
}

impl CliError {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }

    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => exit::USAGE,
            Self::Request(error) | Self::Follow { source: error, .. } => exit_code_of_request(error),
            Self::Operation { state, .. } if state == "timed_out" => exit::UNREACHABLE,
            Self::Operation { code, .. } => exit_code_of(code).unwrap_or(exit::FAILED),
            Self::StopWaiting { .. } => exit::UNREACHABLE,
            Self::NotFound(_) => exit::NOT_FOUND,
            Self::Declined | Self::Credentials { .. } | Self::ReadFile { .. } | Self::Ask(_) | Self::Write(_) => {
                exit::FAILED
            }
        }
    }

    /// Whether the reader of our output went away, as `head` does: nothing to complain of.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::Request(error) => hint_of_request(error),
            Self::Follow { operation, .. } => {
                Some(format!("the change may go on; ask later: pierhead operation wait {operation}"))
            }
            Self::Operation { operation, code, .. } => Some(match exit_code_of(code) {
                Some(_) => hint_of_code(code).unwrap_or_default(),
                None => format!("what became of each slot: pierhead operation show {operation}"),
            }),
            Self::StopWaiting { operation, .. } => Some(format!(
                "wait on: pierhead operation wait {operation}; call it off: pierhead operation cancel {operation}"
            )),
            Self::NotFound(_) => Some(WHAT_IS_THERE.to_owned()),
            Self::Credentials { .. } => {
                Some("put the token into PIERHEAD_TOKEN, or name a folder with --config-dir".to_owned())
            }
            Self::ReadFile { .. } => Some("name a file that you can read".to_owned()),
            Self::Declined | Self::Ask(_) | Self::Write(_) => None,
        }
    }
}

const WHAT_IS_THERE: &str = "what there is: pierhead app ls, pierhead container ls --all, pierhead engine ls";

/// The exit code that a machine-readable code stands for, whatever the status beside it.
fn exit_code_of(code: &str) -> Option<u8> {
    match code {
        "no_room" | "port_taken" | "name_taken" | "exists" | "conflict" => Some(exit::CONFLICT),
        "not_found" | "no_such_image" => Some(exit::NOT_FOUND),
        _ => None,
    }
}

fn hint_of_code(code: &str) -> Option<String> {
    let hint = match code {
        "no_room" => {
            "ask for less, remove something, or add a host: pierhead engine add ADDRESS; why each host was refused: pierhead explain --image IMAGE"
        }
        "port_taken" => "leave the host's port out, and a free one is chosen (-p 80)",
        "name_taken" | "exists" | "conflict" => {
            "choose another name, or change what is there: pierhead app set NAME, pierhead scale NAME N"
        }
        "no_such_image" => "look at the image's name and tag, and at whether the hosts reach its registry",
        "not_found" => WHAT_IS_THERE,
        _ => return None,
    };
    Some(hint.to_owned())
}

fn exit_code_of_request(error: &ClientError) -> u8 {
    match error {
        ClientError::Refused { status, body } => match *status {
            401 | 403 | 429 => exit::FORBIDDEN,
            404 => exit::NOT_FOUND,
            409 => exit::CONFLICT,
            408 | 504 => exit::UNREACHABLE,
            _ => exit_code_of(&body.code).unwrap_or(exit::FAILED),
        },
        ClientError::Unreachable { .. } | ClientError::ReadLog { .. } => exit::UNREACHABLE,
        ClientError::ParseAddress { .. } | ClientError::ParseName(_) => exit::USAGE,
        ClientError::SetUp(_) | ClientError::WriteRequest(_) | ClientError::ReadAnswer { .. } => exit::FAILED,
    }
}

fn hint_of_request(error: &ClientError) -> Option<String> {
    match error {
        ClientError::Refused { status, body } => hint_of_refusal(*status, body),
        ClientError::Unreachable { .. } => {
            Some("is a controller running there? Name another with --url or PIERHEAD_URL (a comma list)".to_owned())
        }
        ClientError::ReadAnswer { .. } => {
            Some("is that the address of a controller, and of the same version? It is in --url, PIERHEAD_URL or what login saved".to_owned())
        }
        ClientError::ParseAddress { .. } => Some("an address looks like http://10.0.0.1:8080".to_owned()),
        ClientError::ParseName(_) => Some(WHAT_IS_THERE.to_owned()),
        ClientError::ReadLog { .. } => Some("ask again; --since and --tail skip what you have seen".to_owned()),
        ClientError::SetUp(_) | ClientError::WriteRequest(_) => None,
    }
}

fn hint_of_refusal(status: u16, body: &ErrorBody) -> Option<String> {
    if let Some(new) = &body.replaced_by {
        return Some(format!(
            "another container took its place: pierhead container show {}",
            crate::render::short(new)
        ));
    }
    if let Some(hint) = hint_of_code(&body.code) {
        return Some(hint);
    }
    if let Some(operation) = &body.operation {
        return Some(format!("what became of each slot: pierhead operation show {operation}"));
    }
    let hint = match status {
        400 | 422 => "correct it and try again; --help after a command shows the forms",
        401 => "log in: pierhead login (or put a token into PIERHEAD_TOKEN)",
        403 => "your role may not do that; ask an administrator",
        404 => WHAT_IS_THERE,
        409 => "look at what is there, and try again: pierhead app ls, pierhead operation ls",
        503 => "try again soon; which hosts answer: pierhead engine ls",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests;
