//! Attempts at labs, and scripts of drafts.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{
    AnswerRequest, AttemptRequest, AttemptView, CheckRequest, LabPageView, LabRunRequest, LabRunView, ResetRequest,
    StepRequest,
};

const ATTEMPTS: [&str; 2] = ["api", "attempts"];

impl Client {
    /// Begins an attempt at a lab, or finds the one that one has; its workspace is opened or started.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such lab, or nothing of it is published.
    pub async fn begin_attempt(&self, lab: &str, request: &AttemptRequest) -> Result<Answer<AttemptView>, ClientError> {
        self.change_at_once(Call::post(&["api", "labs", lab, "attempts"]).body(json(request)?)).await?.read()
    }

    /// One's attempts, or all that one may see; those at one lab if it is named.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn attempts(&self, lab: Option<&str>, all: bool) -> Result<Answer<Vec<AttemptView>>, ClientError> {
        self.list(Call::get(&ATTEMPTS).query_if("lab", lab).query_if("all", all.then_some("true"))).await
    }

    /// One attempt.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn attempt(&self, id: &str) -> Result<Answer<AttemptView>, ClientError> {
        self.send(&Call::get(&["api", "attempts", id])).await?.read()
    }

    /// Forgets an attempt; its workspace is saved and ends.
    ///
    /// # Errors
    /// As [`Client::attempt`], and 403 if it is somebody else's.
    pub async fn delete_attempt(&self, id: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "attempts", id])).await.map(drop)
    }

    /// The page of a step, from 0.
    ///
    /// # Errors
    /// As [`Client::attempt`].
    pub async fn attempt_page(
        &self,
        id: &str,
        step: u32,
        language: Option<&str>,
    ) -> Result<Answer<LabPageView>, ClientError> {
        let call = Call::get(&["api", "attempts", id, "pages", &step.to_string()]).query_if("language", language);
        self.send(&call).await?.read()
    }

    /// Comes to a step, from 0.
    ///
    /// # Errors
    /// As [`Client::delete_attempt`].
    pub async fn visit_step(&self, id: &str, step: u32) -> Result<Answer<AttemptView>, ClientError> {
        let call = Call::new(Method::PUT, &["api", "attempts", id, "step"]).body(json(&StepRequest { step })?);
        self.send(&call).await?.read()
    }

    /// Runs the checks of a step that have not passed, or the one that is named. It takes as long as they do.
    ///
    /// # Errors
    /// As [`Client::delete_attempt`], and 409 if the workspace is not ready.
    pub async fn check_step(
        &self,
        id: &str,
        step: u32,
        name: Option<&str>,
    ) -> Result<Answer<AttemptView>, ClientError> {
        let body = json(&CheckRequest { name: name.map(str::to_owned) })?;
        let call = Call::post(&["api", "attempts", id, "steps", &step.to_string(), "checks"]).body(body);
        self.send(&call.unlimited()).await?.read()
    }

    /// Answers a question.
    ///
    /// # Errors
    /// As [`Client::delete_attempt`], and 400 for an answer that there can't be.
    pub async fn answer_quiz(
        &self,
        id: &str,
        step: u32,
        name: &str,
        answer: &AnswerRequest,
    ) -> Result<Answer<AttemptView>, ClientError> {
        let call = Call::post(&["api", "attempts", id, "steps", &step.to_string(), "quizzes", name]);
        self.send(&call.body(json(answer)?)).await?.read()
    }

    /// Opens a hint, from 0.
    ///
    /// # Errors
    /// As [`Client::delete_attempt`].
    pub async fn open_hint(&self, id: &str, step: u32, hint: u32) -> Result<Answer<AttemptView>, ClientError> {
        let path = ["api", "attempts", id, "steps", &step.to_string(), "hints", &hint.to_string()];
        self.send(&Call::post(&path)).await?.read()
    }

    /// Takes back a step, or everything.
    ///
    /// # Errors
    /// As [`Client::delete_attempt`].
    pub async fn reset_attempt(&self, id: &str, step: Option<u32>) -> Result<Answer<AttemptView>, ClientError> {
        let call = Call::post(&["api", "attempts", id, "reset"]).body(json(&ResetRequest { step })?);
        self.send(&call).await?.read()
    }

    /// Opens the workspace of an attempt, or starts it again.
    ///
    /// # Errors
    /// As [`Client::delete_attempt`].
    pub async fn open_attempt(&self, id: &str) -> Result<Answer<AttemptView>, ClientError> {
        self.send(&Call::post(&["api", "attempts", id, "workspace"])).await?.read()
    }

    /// Moves an attempt to the newest version of its lab.
    ///
    /// # Errors
    /// As [`Client::delete_attempt`].
    pub async fn move_attempt(&self, id: &str) -> Result<Answer<AttemptView>, ClientError> {
        self.send(&Call::post(&["api", "attempts", id, "move"])).await?.read()
    }

    /// Runs scripts of a lab's draft in a workspace of its author. It takes as long as they do.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such lab or workspace, 409 if that is not ready.
    pub async fn run_lab_draft(&self, lab: &str, request: &LabRunRequest) -> Result<Answer<LabRunView>, ClientError> {
        let call = Call::post(&["api", "labs", lab, "checks"]).body(json(request)?);
        self.send(&call.unlimited()).await?.read()
    }
}
