//! Attempts at labs: begin one, work through it, and what authors run of their drafts.

use super::lab_files::content;
use crate::body::{Body, Path, Query, flag};
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::body::Body as Bytes;
use axum::extract::{Path as Paths, State};
use axum::http::StatusCode;
use axum::response::Response;
use pierhead_controller::{AttemptBeginning, AttemptNow, LabRun, QuizReply, RequestError};
use pierhead_lab::{Check, fill};
use pierhead_wire::{
    AnswerRequest, Answered, AttemptRequest, AttemptView, CheckRequest, LabPageView, LabRunRequest, LabRunView,
    ResetRequest, StepRequest,
};
use serde::Deserialize;

type Answer = Result<Json<AttemptView>, ApiError>;

fn shown(now: Result<AttemptNow, RequestError>) -> Answer {
    Ok(Json(views::attempt(&now?)))
}

/// The number of a step or hint in an address.
fn number(what: &'static str, text: &str) -> Result<u32, ApiError> {
    text.parse().map_err(|_| ApiError::field(what, format!("{what} must be a number from 0 on")))
}

pub(super) async fn begin(
    State(api): State<Api>,
    caller: Caller,
    Path(lab): Path,
    body: Body<AttemptRequest>,
) -> Result<(StatusCode, Json<AttemptView>), ApiError> {
    let AttemptRequest { language, course } = body.value;
    let beginning = AttemptBeginning { language, course, version: None };
    let begun = api.controller.begin_attempt(&caller.actor(), &lab, &beginning).await?;
    Ok((StatusCode::CREATED, Json(views::attempt(&begun))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    lab: Option<String>,
    all: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<AttemptView>>, ApiError> {
    let all = flag("all", query.all.as_deref())?;
    let attempts = api.controller.attempts_of(&caller.actor(), query.lab.as_deref(), all).await;
    Ok(Json(attempts.iter().map(views::attempt).collect()))
}

pub(super) async fn show(State(api): State<Api>, caller: Caller, Path(id): Path) -> Answer {
    shown(api.controller.attempt(&caller.actor(), &id).await)
}

pub(super) async fn delete(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    api.controller.delete_attempt(&caller.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    language: Option<String>,
}

pub(super) async fn page(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, step)): Paths<(String, String)>,
    Query(query): Query<PageQuery>,
) -> Result<Json<LabPageView>, ApiError> {
    let step = number("step", &step)?;
    let page = api.controller.attempt_page(&caller.actor(), &id, step, query.language.as_deref()).await?;
    let now = api.controller.attempt(&caller.actor(), &id).await?;
    let checks = now.document.as_ref().map(|document| {
        let values = document.values(&now.record.seed);
        let title = |check: &Check| fill(&check.title, &values, |_| ()).into_owned();
        document.checks(step).iter().map(|check| Check { title: title(check), ..check.clone() }).collect::<Vec<_>>()
    });
    Ok(Json(views::lab_page(&page, &checks.unwrap_or_default())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileQuery {
    path: Option<String>,
}

pub(super) async fn file(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<FileQuery>,
) -> Result<Response, ApiError> {
    let path = query.path.ok_or_else(|| ApiError::field("path", "path must be given"))?;
    let (path, file, pieces) = api.controller.attempt_file(&caller.actor(), &id, &path).await?;
    Ok(content(&path, &file, Bytes::from_stream(pieces)))
}

pub(super) async fn visit(State(api): State<Api>, caller: Caller, Path(id): Path, body: Body<StepRequest>) -> Answer {
    shown(api.controller.visit_step(&caller.actor(), &id, body.value.step).await)
}

pub(super) async fn check(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, step)): Paths<(String, String)>,
    body: Body<CheckRequest>,
) -> Answer {
    let step = number("step", &step)?;
    shown(api.controller.check_step(&caller.actor(), &id, step, body.value.name.as_deref()).await)
}

pub(super) async fn answer(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, step, name)): Paths<(String, String, String)>,
    body: Body<AnswerRequest>,
) -> Answer {
    let step = number("step", &step)?;
    let reply = match body.value.check()? {
        Answered::Options(options) => QuizReply::Options(options),
        Answered::Text(text) => QuizReply::Text(text),
    };
    shown(api.controller.answer_quiz(&caller.actor(), &id, step, &name, &reply).await)
}

pub(super) async fn hint(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, step, hint)): Paths<(String, String, String)>,
) -> Answer {
    let (step, hint) = (number("step", &step)?, number("hint", &hint)?);
    shown(api.controller.open_hint(&caller.actor(), &id, step, hint).await)
}

pub(super) async fn reset(State(api): State<Api>, caller: Caller, Path(id): Path, body: Body<ResetRequest>) -> Answer {
    shown(api.controller.reset_attempt(&caller.actor(), &id, body.value.step).await)
}

pub(super) async fn workspace(State(api): State<Api>, caller: Caller, Path(id): Path) -> Answer {
    shown(api.controller.open_attempt(&caller.actor(), &id).await)
}

pub(super) async fn move_on(State(api): State<Api>, caller: Caller, Path(id): Path) -> Answer {
    shown(api.controller.move_attempt(&caller.actor(), &id).await)
}

pub(super) async fn run_draft(
    State(api): State<Api>,
    caller: Caller,
    Path(lab): Path,
    body: Body<LabRunRequest>,
) -> Result<Json<LabRunView>, ApiError> {
    let run = match body.value.run.as_deref() {
        None | Some("checks") => LabRun::Checks,
        Some("setup") => LabRun::Setup,
        Some("solution") => LabRun::Solution,
        Some(_) => return Err(ApiError::field("run", "run must be checks, setup or solution")),
    };
    let (workspace, step) = (&body.value.workspace, body.value.step);
    let results = api.controller.run_draft(&caller.actor(), &lab, workspace, step, run).await?;
    Ok(Json(views::lab_run(&results)))
}
