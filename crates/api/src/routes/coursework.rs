//! Work in courses: what is due when, handing in, grading, results. What somebody may of it is said by the course.

use super::students::called;
use crate::body::{Body, Path, Query};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::{Path as Paths, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use pierhead_controller::{DueChange, ExtensionChange, GradeChange, WorkChange};
use pierhead_model::{Criterion, LatePolicy, Points, PointsFrom, Username};
use pierhead_wire::{
    CriterionEntry, ExtensionRequest, FieldError, GradeUpdate, GradebookRowView, ResultView, SubmissionView,
    WorkUpdate, WorkView, WorkspaceView,
};
use serde::Deserialize;

/// The parts of a path below a course: its id, a lab, and somebody's account.
type OfStudent = Paths<(String, String, String)>;

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<WorkView>>, ApiError> {
    let actor = caller.actor();
    let course = api.controller.course(&actor, &id)?;
    let all = api.controller.work_of(&actor, &id).await?;
    Ok(Json(all.iter().map(|work| views::work(&course, work)).collect()))
}

pub(super) async fn change(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, lab)): Paths<(String, String)>,
    body: Body<WorkUpdate>,
) -> Result<Json<WorkView>, ApiError> {
    let change = change_of(&body.value)?;
    api.controller.change_work(&caller.actor(), &id, &lab, &change).await?;
    shown(&api, &caller, &id, &lab).await
}

pub(super) async fn extend(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, lab, username)): OfStudent,
    body: Body<ExtensionRequest>,
) -> Result<Json<WorkView>, ApiError> {
    extended(&api, &caller, (&id, &lab, &username), Some(body.value.due)).await?;
    shown(&api, &caller, &id, &lab).await
}

pub(super) async fn take_back(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, lab, username)): OfStudent,
) -> Result<StatusCode, ApiError> {
    extended(&api, &caller, (&id, &lab, &username), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn submit(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, lab)): Paths<(String, String)>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<SubmissionView>), ApiError> {
    let key = idempotency(&headers, &[b"submit-work", id.as_bytes(), b"/", lab.as_bytes()])?;
    let submission = api.controller.submit_work(&caller.actor(), &id, &lab, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(views::submission(&submission, false))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubmissionsQuery {
    lab: Option<String>,
    username: Option<String>,
}

pub(super) async fn submissions(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    Query(query): Query<SubmissionsQuery>,
) -> Result<Json<Vec<SubmissionView>>, ApiError> {
    let actor = caller.actor();
    let sees_all = api.controller.course(&actor, &id)?.right > pierhead_model::CourseRight::Student;
    let all = api.controller.submissions(&actor, &id, query.lab.as_deref(), query.username.as_deref()).await?;
    Ok(Json(all.iter().map(|submission| views::submission(submission, sees_all)).collect()))
}

pub(super) async fn retry(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, lab, username)): OfStudent,
) -> Result<Json<SubmissionView>, ApiError> {
    let submission = api.controller.retry_submission(&caller.actor(), &id, &lab, &username).await?;
    Ok(Json(views::submission(&submission, true)))
}

pub(super) async fn open(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, lab, username)): OfStudent,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<WorkspaceView>), ApiError> {
    let parts: [&[u8]; 6] = [b"open-submission", id.as_bytes(), b"/", lab.as_bytes(), b"/", username.as_bytes()];
    let key = idempotency(&headers, &parts)?;
    let opened = api.controller.open_submission(&caller.actor(), &id, &lab, &username, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(views::workspace(&opened))))
}

pub(super) async fn grade(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, lab, username)): OfStudent,
    body: Body<GradeUpdate>,
) -> Result<Json<ResultView>, ApiError> {
    let change = grade_of(&body.value)?;
    let result = api.controller.set_grade(&caller.actor(), &id, &lab, &username, &change).await?;
    Ok(Json(views::result(&result)))
}

pub(super) async fn results(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<ResultView>>, ApiError> {
    let results = api.controller.results(&caller.actor(), &id).await?;
    Ok(Json(results.iter().map(views::result).collect()))
}

pub(super) async fn gradebook(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<GradebookRowView>>, ApiError> {
    let gradebook = api.controller.gradebook(&caller.actor(), &id).await?;
    let names = called(&api, &gradebook.course.enrolments).await?;
    Ok(Json(gradebook.rows.iter().map(|row| views::gradebook_row(row, &names)).collect()))
}

pub(super) async fn export(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<impl IntoResponse, ApiError> {
    let gradebook = api.controller.gradebook(&caller.actor(), &id).await?;
    let names = called(&api, &gradebook.course.enrolments).await?;
    let name = format!("attachment; filename=\"{}-grades.csv\"", gradebook.course.record.id);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, views::gradebook_csv(&gradebook, &names)))
}

async fn shown(api: &Api, caller: &Caller, id: &str, lab: &str) -> Result<Json<WorkView>, ApiError> {
    let actor = caller.actor();
    let course = api.controller.course(&actor, id)?;
    let all = api.controller.work_of(&actor, id).await?;
    let found = all.iter().find(|work| work.entry.lab.as_str() == lab);
    let found = found.ok_or_else(|| ApiError::not_found(format!("there is no lab {lab} in the course")))?;
    Ok(Json(views::work(&course, found)))
}

async fn extended(
    api: &Api,
    caller: &Caller,
    (id, lab, username): (&str, &str, &str),
    until: Option<String>,
) -> Result<(), ApiError> {
    let account = Username::parse(username).map_err(|_| {
        ApiError::not_found(format!("there is no student {}", username.chars().take(64).collect::<String>()))
    })?;
    let change = ExtensionChange { account, until };
    Ok(api.controller.extend_work(&caller.actor(), id, lab, &change).await?)
}

fn change_of(update: &WorkUpdate) -> Result<WorkChange, ApiError> {
    let moment = |text: &Option<String>| {
        text.as_ref().map(|text| if text.is_empty() { DueChange::None } else { DueChange::At(text.clone()) })
    };
    let late = update.late.as_deref().map(|name| {
        LatePolicy::parse(name).ok_or_else(|| ApiError::from(FieldError::new("late", "'mark' or 'refuse'")))
    });
    let rubric = update.rubric.as_ref();
    let rubric = rubric.map(|all| all.iter().enumerate().map(criterion).collect::<Result<Vec<_>, _>>());
    Ok(WorkChange {
        opens: moment(&update.opens),
        due: moment(&update.due),
        late: late.transpose()?,
        collects: update.collects,
        rubric: rubric.transpose()?,
        published: update.published,
    })
}

fn criterion((at, entry): (usize, &CriterionEntry)) -> Result<Criterion, ApiError> {
    let from = PointsFrom::parse(&entry.from)
        .ok_or_else(|| FieldError::new(format!("rubric[{at}].from"), "'checks', 'quizzes' or 'hand'"))?;
    let most = points(&format!("rubric[{at}].most"), entry.most)?;
    Ok(Criterion { id: entry.id.clone(), title: entry.title.trim().to_owned(), from, most })
}

fn points(field: &str, number: f64) -> Result<Points, ApiError> {
    let form = format!("a number from 0 to {} with at most two decimals", Points::MOST);
    Points::parse(number).ok_or_else(|| FieldError::new(field, form).into())
}

fn grade_of(update: &GradeUpdate) -> Result<GradeChange, ApiError> {
    let mut change = GradeChange { comment: update.comment.clone(), ..GradeChange::default() };
    for (id, number) in &update.points {
        let given = number.map(|number| points(&format!("points.{id}"), number)).transpose()?;
        change.lines.entry(id.clone()).or_default().points = Some(given);
    }
    for (id, comment) in &update.comments {
        change.lines.entry(id.clone()).or_default().comment = Some(comment.clone());
    }
    Ok(change)
}
