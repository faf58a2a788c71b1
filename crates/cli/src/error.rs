//! Why a command did not do what it was told, and the exit code.

mod hint;
mod json;

use crate::interrupt::INTERRUPTED;
use pierhead_client::ClientError;
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
        /// What the container printed last that failed.
        log: Vec<String>,
    },
    /// A change goes on, but we no longer wait for it.
    #[error("{why}: operation {operation} goes on")]
    StopWaiting {
        /// The operation.
        operation: String,
        /// Why we stopped.
        why: String,
    },
    /// Ctrl-C.
    #[error("{}", match operation {
        Some(operation) => format!("interrupted: operation {operation} goes on"),
        None => "interrupted".to_owned(),
    })]
    Interrupted {
        /// The operation that was waited for.
        operation: Option<String>,
    },
    /// Of several things that were named some failed; each was told.
    #[error("{failed} of {of} failed")]
    Several {
        /// How many failed.
        failed: usize,
        /// How many there were.
        of: usize,
        /// The exit code of the first that failed.
        exit_code: u8,
    },
    /// A terminal is of no use any more.
    #[error("{0}")]
    Terminal(String),
    /// The program that was run in a container has ended like this; it has said why itself.
    #[error("it ended with exit code {code}")]
    Exited {
        /// Its exit code.
        code: i64,
    },
    /// Something that was asked for by name is not there.
    #[error("{0}")]
    NotFound(String),
    /// A lab document is not as it must be; the problems were shown.
    #[error("{}", if *errors == 1 { "there is 1 error in the lab".to_owned() } else { format!("there are {errors} errors in the lab") })]
    Lab {
        /// How many problems make it unfit.
        errors: usize,
    },
    /// Labs do not pass their own test; what is wrong was shown.
    #[error("{}", if *of == 1 { "the lab does not pass its test".to_owned() } else { format!("{failed} of {of} labs do not pass their test") })]
    LabTest {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
    },
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
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    WriteFile {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The certificate authority is not the one that was named.
    #[error("the controller's authority has the fingerprint {found}, not {expected}")]
    Fingerprint {
        /// What was named.
        expected: String,
        /// What the controller shows.
        found: String,
    },
    /// Nobody said yet that the certificate authority is to be trusted, and nobody can be asked.
    #[error("the controller's certificate is of an authority that is not known here (SHA-256 {fingerprint})")]
    Unknown {
        /// What the controller shows.
        fingerprint: String,
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
            Self::Interrupted { .. } => INTERRUPTED,
            Self::Several { exit_code, .. } => *exit_code,
            Self::Exited { code } => u8::try_from(code & 0xff).unwrap_or(exit::FAILED),
            Self::Fingerprint { .. } | Self::Unknown { .. } => exit::FORBIDDEN,
            Self::Declined
            | Self::Lab { .. }
            | Self::LabTest { .. }
            | Self::Terminal(_)
            | Self::Credentials { .. }
            | Self::ReadFile { .. }
            | Self::WriteFile { .. }
            | Self::Ask(_)
            | Self::Write(_) => exit::FAILED,
        }
    }

    /// What the container printed last that failed, as it printed it.
    pub(crate) fn log(&self) -> &[String] {
        match self {
            Self::Operation { log, .. } => log,
            Self::Request(ClientError::Refused { body, .. })
            | Self::Follow { source: ClientError::Refused { body, .. }, .. } => &body.log,
            _ => &[],
        }
    }

    /// What is wrong with a lab that was refused.
    pub(crate) fn problems(&self) -> &[pierhead_wire::LabProblemView] {
        match self {
            Self::Request(ClientError::Refused { body, .. }) => &body.problems,
            _ => &[],
        }
    }

    /// Whether the reader of our output went away, as `head` does: nothing to complain of.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The exit code that a machine-readable code stands for, whatever the status beside it.
fn exit_code_of(code: &str) -> Option<u8> {
    match code {
        "no_room" | "port_taken" | "name_taken" | "exists" | "conflict" => Some(exit::CONFLICT),
        "not_found" | "no_such_image" => Some(exit::NOT_FOUND),
        _ => None,
    }
}

fn exit_code_of_request(error: &ClientError) -> u8 {
    match error {
        ClientError::Refused { status, body } => match *status {
            401 | 403 => exit::FORBIDDEN,
            // A log-in that must wait; other things that are busy say nothing about who asks.
            429 if body.code == "too_many_attempts" => exit::FORBIDDEN,
            404 => exit::NOT_FOUND,
            409 => exit::CONFLICT,
            408 | 504 => exit::UNREACHABLE,
            _ => exit_code_of(&body.code).unwrap_or(exit::FAILED),
        },
        ClientError::Unreachable { .. } | ClientError::ReadLog { .. } => exit::UNREACHABLE,
        ClientError::Untrusted { .. } => exit::FORBIDDEN,
        ClientError::ParseAddress { .. } | ClientError::ParseName(_) => exit::USAGE,
        _ => exit::FAILED,
    }
}

#[cfg(test)]
mod tests;
