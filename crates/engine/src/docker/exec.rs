//! Processes in running containers: made, started with both directions open, sized, looked at.

use super::Docker;
use super::raw::{self, Upgraded};
use crate::deadlines::Verb;
use crate::dial::Stream;
use crate::error::{EngineError, Result};
use crate::exec::{ExecId, ExecRequest, ExecState, NO_DETACH_KEYS};
use bollard::exec::{CreateExecOptions, ResizeExecOptions};
use pierhead_model::ContainerId;
use std::time::Duration;

/// How often it is looked whether a process has begun that is to be sized.
const BEGINNING: Duration = Duration::from_millis(10);

impl Docker {
    pub(super) async fn exec_made(&self, container: &ContainerId, request: &ExecRequest) -> Result<ExecId> {
        let options = CreateExecOptions {
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(request.tty),
            detach_keys: Some(NO_DETACH_KEYS.to_owned()),
            env: Some(request.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            cmd: Some(request.command.clone()),
            privileged: Some(false),
            user: request.user.clone(),
            working_dir: request.working_dir.clone(),
        };
        let made = self.call(Verb::CreateExec, self.deadlines.exec, |client| {
            let options = options.clone();
            async move { client.create_exec(container.as_str(), options).await }
        });
        ExecId::parse(made.await?.id).map_err(|error| EngineError::Failed(error.to_string()))
    }

    pub(super) async fn exec_started(&self, exec: &ExecId, tty: bool) -> Result<Box<dyn Stream>> {
        let json = format!(r#"{{"Detach":false,"Tty":{tty}}}"#);
        // Only to agree on a version; the bytes go over a connection of our own.
        let started = self.call(Verb::StartExec, self.deadlines.exec, |_| {
            let (path, json) = (format!("/v{}/exec/{exec}/start", self.wire.version()), json.clone().into_bytes());
            async move { raw::upgrade(&self.endpoint, &path, json).await }
        });
        match started.await? {
            Upgraded::Open(stream) => Ok(stream),
            Upgraded::Refused(why) => Err(EngineError::Failed(why)),
        }
    }

    /// An engine answers that a process was started before it runs, and refuses to size what does not run.
    pub(super) async fn exec_resized(&self, exec: &ExecId, columns: u16, rows: u16) -> Result<()> {
        let deadline = self.deadlines.exec;
        let resized = async {
            loop {
                let options = ResizeExecOptions { height: rows, width: columns };
                let resized = self.call(Verb::ResizeExec, deadline, |client| async move {
                    client.resize_exec(exec.as_str(), options).await
                });
                match resized.await {
                    Err(EngineError::Failed(_) | EngineError::Refused(_) | EngineError::NotFound)
                        if self.exec_seen(exec).await?.exit_code.is_none() =>
                    {
                        tokio::time::sleep(BEGINNING).await;
                    }
                    done => return done,
                }
            }
        };
        self.within(Verb::ResizeExec, deadline, resized).await
    }

    pub(super) async fn exec_seen(&self, exec: &ExecId) -> Result<ExecState> {
        let seen = self
            .call(Verb::Exec, self.deadlines.exec, |client| async move { client.inspect_exec(exec.as_str()).await })
            .await?;
        let is_running = seen.running.unwrap_or(false);
        Ok(ExecState { is_running, exit_code: seen.exit_code.filter(|_| !is_running) })
    }
}

/// What an engine says of a container in which nothing can be started is the request's fault.
pub(super) fn refusal(verb: Verb, status: u16, message: &str) -> Option<EngineError> {
    (verb == Verb::CreateExec && status == 409).then(|| EngineError::Refused(message.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::failure;
    use super::*;
    use bollard::errors::Error as ClientError;

    #[test]
    fn nothing_starts_in_what_does_not_run() {
        let said = |verb, status_code| {
            let message = "Container 1 is not running".to_owned();
            failure::classify(verb, ClientError::DockerResponseServerError { status_code, message })
        };
        assert!(matches!(said(Verb::CreateExec, 409), EngineError::Refused(text) if text.contains("is not running")));
        assert!(matches!(said(Verb::CreateExec, 404), EngineError::NotFound));
        assert!(matches!(said(Verb::StartExec, 409), EngineError::Failed(_)));
    }
}
