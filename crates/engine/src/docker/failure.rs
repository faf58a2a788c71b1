//! What an engine's refusals mean: Docker has few status codes, so the words decide.

use super::{encrypted, exec, networks};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use bollard::errors::Error as ClientError;
use std::error::Error as StdError;

/// The failure behind an error of the client library.
pub(super) fn classify(verb: Verb, error: ClientError) -> EngineError {
    if let Some(words) = encrypted::distrust(&error) {
        return EngineError::Unreachable(words);
    }
    match error {
        ClientError::DockerResponseServerError { status_code: 400, message } if message.starts_with(WANTS_TLS) => {
            EngineError::Unreachable("it speaks TLS only: its address must be https://, with certificates".to_owned())
        }
        ClientError::DockerResponseServerError { status_code, message } => refusal(verb, status_code, &message),
        ClientError::DockerStreamError { error } => in_stream(verb, &error),
        ClientError::RequestTimeoutError
        | ClientError::IOError { .. }
        | ClientError::HyperResponseError { .. }
        | ClientError::HyperLegacyError { .. } => EngineError::Unreachable(chain(&error)),
        ClientError::JsonDataError { .. } | ClientError::JsonSerdeError { .. } => {
            EngineError::Failed(format!("its answer cannot be read: {}", chain(&error)))
        }
        other => EngineError::Failed(chain(&other)),
    }
}

/// Whether an engine refused the version of the API in the path, so that nothing was done.
pub(super) fn is_version_refusal(error: &ClientError) -> bool {
    matches!(error, ClientError::DockerResponseServerError { status_code: 400, message }
        if message.starts_with("client version") && message.contains("API version"))
}

/// Whether an engine refused to remove a container because it is removing it already.
pub(super) fn is_removal_in_progress(error: &ClientError) -> bool {
    matches!(error, ClientError::DockerResponseServerError { status_code: 409, message }
        if message.contains("is already in progress"))
}

/// A refusal because what was asked for is so already is a success.
pub(super) fn unless_it_is_so(result: Result<()>, words: &str) -> Result<()> {
    match result {
        Err(EngineError::Failed(said) | EngineError::Refused(said)) if said.contains(words) => Ok(()),
        result => result,
    }
}

fn refusal(verb: Verb, status: u16, message: &str) -> EngineError {
    let words = message.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|part| words.contains(part));
    let message = message.trim().to_owned();
    if says(NO_SPACE) {
        return EngineError::NoSpace(message);
    }
    if says(PORT_TAKEN) {
        return EngineError::PortTaken(message);
    }
    let is_plain = matches!(verb, Verb::Ping | Verb::Facts | Verb::Containers | Verb::Images | Verb::Networks);
    if is_plain && matches!(status, 300..=399 | 404 | 405) {
        return not_docker(status);
    }
    if let Some(refusal) = exec::refusal(verb, status, &message) {
        return refusal;
    }
    if let Some(refusal) = networks::refusal(verb, status, &message) {
        return refusal;
    }
    let starts = matches!(verb, Verb::Start | Verb::Restart);
    match (verb, status) {
        (Verb::Create, 404) if says(&["no such image"]) => EngineError::NoImage(message),
        (Verb::Create, 409) if says(&["container name"]) => EngineError::NameTaken,
        // What this host lacks another one may have, so the request itself is not to blame.
        (Verb::Create, 400) if says(OF_THIS_HOST) => EngineError::Failed(message),
        (Verb::Pull | Verb::Push, 401 | 403 | 404 | 500) => EngineError::NoImage(message),
        (Verb::Save, 404) => EngineError::NoImage(message),
        (Verb::Squash | Verb::Changes, 503) => EngineError::Busy(message),
        (Verb::Create | Verb::Load, 404) => EngineError::Failed(message),
        (_, 404) => EngineError::NotFound,
        (_, 400) if starts => EngineError::NotStarted(message),
        (_, 500) if starts && says(NOT_STARTED) => EngineError::NotStarted(message),
        (_, 400) => EngineError::Refused(message),
        _ => EngineError::Failed(format!("{message} (status {status})")),
    }
}

/// What has no page that every engine has.
fn not_docker(status: u16) -> EngineError {
    EngineError::Unreachable(format!("what is at its address does not answer like a Docker engine (status {status})"))
}

/// An error after the engine had said that all is well.
fn in_stream(verb: Verb, message: &str) -> EngineError {
    let words = message.to_lowercase();
    if NO_SPACE.iter().any(|part| words.contains(part)) {
        EngineError::NoSpace(message.to_owned())
    } else if matches!(verb, Verb::Pull | Verb::Push) {
        EngineError::NoImage(message.to_owned())
    } else {
        EngineError::Failed(message.to_owned())
    }
}

/// What a server of Go says to a request without TLS.
const WANTS_TLS: &str = "Client sent an HTTP request to an HTTPS server";
const NO_SPACE: &[&str] = &["no space left on device", "disk quota exceeded"];
const PORT_TAKEN: &[&str] = &["port is already allocated", "address already in use"];
const OF_THIS_HOST: &[&str] = &["requested cpus are not available", "could not get container for"];
const NOT_STARTED: &[&str] = &[
    "oci runtime",
    "failed to create shim",
    "runc",
    "executable file not found",
    "exec format error",
    "exec user process",
];

/// An error with everything that led to it; libraries tend to keep the interesting part for last.
fn chain(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of Docker 20.10, word for word, and what they mean.
    #[test]
    fn what_docker_says_and_what_it_means() {
        for (verb, status, message, expected) in [
            (
                Verb::Create,
                409,
                "Conflict. The container name \"/a\" is already in use by container \"4f\". You have to remove (or rename) that container to be able to reuse that name.",
                "NameTaken",
            ),
            (Verb::Create, 404, "No such image: nope:1", "NoImage"),
            (Verb::Create, 400, "Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", "Refused"),
            (Verb::Create, 400, "No command specified", "Refused"),
            (Verb::Create, 400, "Minimum memory limit allowed is 6MB", "Refused"),
            (Verb::Create, 400, "Requested CPUs are not available - requested 7, available: 0-1", "Failed"),
            (Verb::Create, 400, "could not get container for nobody: No such container: nobody", "Failed"),
            (Verb::Create, 404, "network nope not found", "Failed"),
            (Verb::Create, 500, "mkdir /var/lib/docker/overlay2/x: no space left on device", "NoSpace"),
            (
                Verb::Start,
                400,
                "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/nope\": stat /nope: no such file or directory: unknown",
                "NotStarted",
            ),
            (
                Verb::Start,
                500,
                "OCI runtime create failed: container_linux.go:380: starting container process caused: exec format error",
                "NotStarted",
            ),
            (
                Verb::Start,
                500,
                "driver failed programming external connectivity on endpoint b (3086): Bind for 0.0.0.0:8080 failed: port is already allocated",
                "PortTaken",
            ),
            (
                Verb::Start,
                500,
                "driver failed programming external connectivity on endpoint b (727d): Error starting userland proxy: listen tcp4 0.0.0.0:9090: bind: address already in use",
                "PortTaken",
            ),
            (
                Verb::Start,
                500,
                "driver failed programming external connectivity on endpoint b (e020): Error starting userland proxy: listen tcp4 1.2.3.4:9090: bind: cannot assign requested address",
                "Failed",
            ),
            (Verb::Start, 404, "No such container: nope", "NotFound"),
            (Verb::Stop, 404, "No such container: nope", "NotFound"),
            (Verb::Image, 404, "No such image: nope:1", "NotFound"),
            (
                Verb::Pull,
                500,
                "Get \"http://127.0.0.1:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
                "NoImage",
            ),
            (
                Verb::Pull,
                404,
                "pull access denied for nope, repository does not exist or may require 'docker login'",
                "NoImage",
            ),
            (Verb::Pull, 400, "invalid reference format: repository name must be lowercase", "Refused"),
            (Verb::Facts, 503, "", "Failed"),
            (Verb::Changes, 503, "the agent refuses: this host merges or compares as many images as it can", "Busy"),
            (
                Verb::Ping,
                404,
                "<html>File not found</html>",
                "Unreachable(\"what is at its address does not answer like",
            ),
            (Verb::Ping, 301, "", "Unreachable"),
            (Verb::Facts, 404, "404 page not found", "Unreachable"),
            (Verb::Containers, 405, "", "Unreachable"),
        ] {
            let error = classify(
                verb,
                ClientError::DockerResponseServerError { status_code: status, message: message.to_owned() },
            );
            let variant = format!("{error:?}");
            assert!(variant.starts_with(expected), "{verb} {status} {message}: {variant}");
        }
    }

    #[test]
    fn errors_within_a_stream() {
        let stream = |verb, error: &str| classify(verb, ClientError::DockerStreamError { error: error.to_owned() });
        assert!(matches!(stream(Verb::Pull, "manifest unknown"), EngineError::NoImage(_)));
        assert!(matches!(stream(Verb::Push, "denied: requested access"), EngineError::NoImage(_)));
        assert!(matches!(stream(Verb::Pull, "write /x: no space left on device"), EngineError::NoSpace(_)));
        assert!(matches!(stream(Verb::Load, "unexpected EOF"), EngineError::Failed(_)));
    }

    #[test]
    fn a_broken_connection_keeps_its_reason() {
        let error = classify(Verb::Ping, std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
        assert!(matches!(&error, EngineError::Unreachable(text) if text.contains("refused")), "{error}");
    }

    #[test]
    fn versions_that_are_refused() {
        for message in [
            "client version 1.99 is too new. Maximum supported API version is 1.41",
            "client version 1.1 is too old. Minimum supported API version is 1.12, please upgrade your client to a newer version",
        ] {
            let refused =
                |status_code| ClientError::DockerResponseServerError { status_code, message: message.to_owned() };
            assert!(is_version_refusal(&refused(400)));
            assert!(!is_version_refusal(&refused(500)));
        }
    }
}
