//! Who takes a course: listed, enrolled, changed, taken off, and given a link to log in with.

use super::enter::link_view;
use super::guests::{guest, new_guest};
use crate::accounts::LinkFor;
use crate::body::{Body, Path};
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::{Path as Paths, State};
use axum::http::{HeaderMap, StatusCode};
use pierhead_controller::StudentChange;
use pierhead_model::{Course, CourseRight, Enrolments, Username};
use pierhead_wire::{EnrolRequest, FieldError, LinkRequest, LinkView, StudentUpdate, StudentView};
use std::collections::HashMap;

/// From how many students on all accounts are read at once.
const MANY: usize = 200;

pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<StudentView>>, ApiError> {
    let now = api.controller.course_as(&caller.actor(), &id, CourseRight::Assistant)?;
    let called = called(&api, &now.enrolments).await?;
    Ok(Json(views::students(&now, &called)))
}

/// What those are called who take a course.
pub(super) async fn called(api: &Api, enrolments: &Enrolments) -> Result<HashMap<Username, String>, ApiError> {
    let students = &enrolments.students;
    let mut called = HashMap::new();
    if students.len() > MANY {
        let accounts = api.accounts.list().await?.into_iter();
        called.extend(accounts.map(|account| (account.username, account.full_name)));
    } else {
        for who in students.keys() {
            if let Ok(account) = api.accounts.account(who).await {
                called.insert(account.username, account.full_name);
            }
        }
    }
    Ok(called)
}

pub(super) async fn enrol(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body<EnrolRequest>,
) -> Result<StatusCode, ApiError> {
    let key = idempotency(&headers, &[b"enrol", id.as_bytes(), &body.bytes])?;
    let now = api.controller.course_as(&caller.actor(), &id, CourseRight::Teacher)?;
    let entries = &body.value.students;
    if entries.is_empty() || entries.len() > Course::MOST_STUDENTS {
        return Err(ApiError::field("students", format!("students must be 1 to {}", Course::MOST_STUDENTS)));
    }
    let mut changes = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let username =
            enrolled_or_new(&api, &now.enrolments, &entry.username, &format!("students[{at}].username")).await?;
        let group = group(&format!("students[{at}].group"), entry.group.as_deref())?;
        // Whoever is enrolled is there again, if they had left.
        changes.push(StudentChange { username, group, suspended: Some(false) });
    }
    api.controller.enrol(&caller.actor(), &id, &changes, key.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn change(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, username)): Paths<(String, String)>,
    body: Body<StudentUpdate>,
) -> Result<StatusCode, ApiError> {
    let now = api.controller.course_as(&caller.actor(), &id, CourseRight::Teacher)?;
    let username = enrolled_or_new(&api, &now.enrolments, &username, "username").await?;
    let group = group("group", body.value.group.as_deref())?;
    let change = StudentChange { username, group, suspended: body.value.suspended };
    api.controller.enrol(&caller.actor(), &id, &[change], None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn remove(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, username)): Paths<(String, String)>,
) -> Result<StatusCode, ApiError> {
    api.controller.unenrol(&caller.actor(), &id, &guest(&username)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn link(
    State(api): State<Api>,
    caller: Caller,
    Paths((id, username)): Paths<(String, String)>,
    headers: HeaderMap,
    body: Body<LinkRequest>,
) -> Result<(StatusCode, Json<LinkView>), ApiError> {
    let now = api.controller.course_as(&caller.actor(), &id, CourseRight::Teacher)?;
    let who = guest(&username)?;
    if !now.enrolments.has(&who) {
        return Err(ApiError::not_found(format!("{who} does not take the course")));
    }
    link_view(&api, &caller, &headers, &who, body.value.minutes, LinkFor::Students).await
}

/// An account that takes the course already, or one that exists.
async fn enrolled_or_new(
    api: &Api,
    enrolments: &Enrolments,
    username: &str,
    field: &str,
) -> Result<Username, ApiError> {
    let who = Username::parse(username).map_err(|invalid| FieldError::of(field, &invalid))?;
    if enrolments.students.contains_key(&who) {
        return Ok(who);
    }
    new_guest(api, username).await
}

/// The group that is asked for: none for an empty text.
fn group(field: &str, name: Option<&str>) -> Result<Option<Option<String>>, ApiError> {
    match name {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(name) => {
            Enrolments::check_group(name).map_err(|invalid| FieldError::of(field, &invalid))?;
            Ok(Some(Some(name.to_owned())))
        }
    }
}
