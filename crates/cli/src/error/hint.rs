//! What to do next after a failure, fit to what the command was about.

use super::exit_code_of;
use crate::CliError;
use crate::subject::Subject;
use pierhead_client::ClientError;
use pierhead_wire::ErrorBody;

impl CliError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self, subject: Subject) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::Request(error) => of_request(error, subject),
            Self::Follow { operation, .. } => {
                Some(format!("the change may go on; ask later: pierhead operation wait {operation}"))
            }
            Self::Operation { operation, code, .. } => Some(match exit_code_of(code) {
                Some(_) => of_code(code, subject).unwrap_or_default(),
                None => format!("what became of each slot: pierhead operation show {operation}"),
            }),
            Self::StopWaiting { operation, .. } | Self::Interrupted { operation: Some(operation) } => Some(format!(
                "wait on: pierhead operation wait {operation}; call it off: pierhead operation cancel {operation}"
            )),
            Self::NotFound(_) => Some(what_is_there(subject)),
            Self::Credentials { .. } => {
                Some("put the token into PIERHEAD_TOKEN, or name a folder with --config-dir".to_owned())
            }
            Self::ReadFile { .. } => Some("name a file that you can read".to_owned()),
            Self::WriteFile { .. } => Some("name a folder that you can write to".to_owned()),
            Self::Fingerprint { .. } => {
                Some("nothing was said to it; look at the fingerprint in the controller's log, and at the address".to_owned())
            }
            Self::Unknown { .. } => Some(
                "compare it with the controller's log, then: pierhead login URL --ca-fingerprint HEX; or --ca-file FILE".to_owned(),
            ),
            Self::Interrupted { operation: None }
            | Self::Several { .. }
            | Self::Terminal(_)
            | Self::Exited { .. }
            | Self::Lab { .. }
            | Self::LabTest { .. }
            | Self::Declined
            | Self::Ask(_)
            | Self::Write(_) => None,
        }
    }
}

fn what_is_there(subject: Subject) -> String {
    format!("what there is: {}", subject.lists())
}

fn of_code(code: &str, subject: Subject) -> Option<String> {
    let hint = match code {
        "no_room" => {
            "ask for less, remove something, or add a host: pierhead engine add ADDRESS; why each host was refused: pierhead explain --image IMAGE"
        }
        "port_taken" => "leave the host's port out, and a free one is chosen (-p 80)",
        "name_taken" | "exists" | "conflict" => subject.if_it_exists(),
        "app_differs" => {
            "run it under another name (--app NAME), or change the app that is there: pierhead app set NAME IMAGE"
        }
        "role_in_use" => "give those accounts another role first: pierhead account set-role NAME ROLE",
        "built_in" => "make a role of your own: pierhead role add NAME PERMISSION",
        "last_admin" => "make another administrator first: pierhead account add NAME --role admin",
        "ambiguous" => "give more of the id",
        "no_such_image" => "look at the image's name and tag, and at whether the hosts reach its registry",
        "not_found" => return Some(what_is_there(subject)),
        _ => return None,
    };
    Some(hint.to_owned())
}

fn of_request(error: &ClientError, subject: Subject) -> Option<String> {
    let hint = match error {
        ClientError::Refused { status, body } => return of_refusal(*status, body, subject),
        ClientError::Unreachable { .. } => {
            "is a controller running there? Name another with --url or PIERHEAD_URL (a comma list)"
        }
        ClientError::ReadAnswer { .. } => {
            "is that the address of a controller, and of the same version? It is in --url, PIERHEAD_URL or what login saved"
        }
        ClientError::Untrusted { is_unknown: true, .. } => {
            "nothing was said to it. If its authority was changed on purpose, log in again: pierhead login URL (or --ca-file FILE)"
        }
        ClientError::Untrusted { .. } => "nothing was said to it; the server needs another certificate",
        ClientError::ParseAuthority => "name a file with -----BEGIN CERTIFICATE-----",
        ClientError::ParseAddress { .. } => "an address looks like https://10.0.0.1:8080",
        ClientError::ParseName(_) => return Some(what_is_there(subject)),
        ClientError::ReadLog { .. } => "ask again; --since and --tail skip what you have seen",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn of_refusal(status: u16, body: &ErrorBody, subject: Subject) -> Option<String> {
    if let Some(new) = &body.replaced_by {
        return Some(format!(
            "another container took its place: pierhead container show {}",
            crate::render::short(new)
        ));
    }
    if let Some(hint) = of_code(&body.code, subject) {
        return Some(hint);
    }
    if let Some(operation) = &body.operation {
        return Some(format!("what became of each slot: pierhead operation show {operation}"));
    }
    let hint = match status {
        400 | 422 => "correct it and try again; --help after a command shows the forms",
        401 if subject == Subject::Login => "look at the user name and the password; capitals count",
        401 => "log in: pierhead login (or put a token into PIERHEAD_TOKEN)",
        403 => "your role may not do that; ask an administrator",
        404 => return Some(what_is_there(subject)),
        409 => return Some(format!("look at what is there, and try again: {}", subject.lists())),
        503 => "try again soon; which hosts answer: pierhead engine ls",
        _ => return None,
    };
    Some(hint.to_owned())
}
