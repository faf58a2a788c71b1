//! Failures for programs: one object with the same fields whatever went wrong.

use crate::CliError;
use clap::error::{ContextKind, ContextValue};
use pierhead_client::ClientError;
use serde::Serialize;

#[derive(Serialize)]
struct ErrorJson<'a> {
    code: &'a str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    /// Which of several things that were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    log: &'a [String],
    #[serde(skip_serializing_if = "<[pierhead_wire::LabProblemView]>::is_empty")]
    problems: &'a [pierhead_wire::LabProblemView],
    exit_code: u8,
}

impl CliError {
    /// One JSON object on one line. `subject` is which of several things it is about.
    pub(crate) fn as_json(&self, subject: Option<&str>, hint: Option<&str>) -> String {
        let body = match self {
            Self::Request(ClientError::Refused { body, .. })
            | Self::Follow { source: ClientError::Refused { body, .. }, .. } => Some(body),
            _ => None,
        };
        let object = ErrorJson {
            code: self.code(),
            message: self.to_string(),
            field: body.and_then(|body| body.field.as_deref()),
            subject,
            hint,
            operation: self.operation().or_else(|| body.and_then(|body| body.operation.as_deref())),
            replaced_by: body.and_then(|body| body.replaced_by.as_deref()),
            log: self.log(),
            problems: self.problems(),
            exit_code: self.exit_code(),
        };
        serde_json::to_string(&object).expect("texts and a number are JSON")
    }

    /// Why, for programs.
    fn code(&self) -> &str {
        match self {
            Self::Usage { .. } => "usage",
            Self::Request(error) | Self::Follow { source: error, .. } => code_of_request(error),
            Self::Operation { code, .. } => code,
            Self::StopWaiting { .. } => "still_running",
            Self::Interrupted { .. } => "interrupted",
            Self::Several { .. } => "several",
            Self::NotFound(_) => "not_found",
            Self::Fingerprint { .. } | Self::Unknown { .. } => "untrusted",
            Self::Terminal(_) => "terminal",
            Self::Exited { .. } => "exited",
            Self::Lab { .. } => "lab",
            Self::LabTest { .. } => "lab_test",
            Self::Declined => "declined",
            Self::Credentials { .. } => "credentials",
            Self::ReadFile { .. } | Self::WriteFile { .. } => "file",
            Self::Ask(_) | Self::Write(_) => "io",
        }
    }

    fn operation(&self) -> Option<&str> {
        match self {
            Self::Follow { operation, .. }
            | Self::Operation { operation, .. }
            | Self::StopWaiting { operation, .. } => Some(operation),
            Self::Interrupted { operation } => operation.as_deref(),
            _ => None,
        }
    }

    /// What the parser of the command line refuses.
    pub(crate) fn of_command_line(error: &clap::Error) -> Self {
        let text = error.render().to_string();
        // The first paragraph says what is wrong, the others how to do better.
        let first: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        let first = first.join(" ");
        let message = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
        let about = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(argument)) => format!("{argument}: "),
            _ => String::new(),
        };
        let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
        let hint = usage.map_or_else(|| "pierhead help".to_owned(), |usage| format!("{about}usage: {usage}"));
        Self::Usage { message, hint }
    }
}

fn code_of_request(error: &ClientError) -> &str {
    match error {
        ClientError::Refused { body, .. } => &body.code,
        ClientError::Untrusted { .. } => "untrusted",
        ClientError::Unreachable { .. } => "unreachable",
        ClientError::ReadAnswer { .. } => "not_a_controller",
        ClientError::ReadLog { .. } => "broke_off",
        ClientError::ParseAddress { .. } | ClientError::ParseName(_) => "usage",
        _ => "failed",
    }
}
