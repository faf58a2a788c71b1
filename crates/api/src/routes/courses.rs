//! Courses: list, make, show, change, delete. What somebody may in one is said by its record.

use super::guests::new_guest;
use crate::body::{Body, Path};
use crate::identity::{Caller, idempotency};
use crate::precondition::Precondition;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_controller::CourseChange;
use pierhead_identity::{is_zone, local_moment};
use pierhead_model::{CourseId, CourseLab, CourseSession, LabId, Timestamp, Username, Zone};
use pierhead_store::Revision;
use pierhead_wire::{CourseLabEntry, CourseRequest, CourseSessionEntry, CourseUpdate, CourseView, FieldError};
use std::collections::BTreeSet;

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Json<Vec<CourseView>> {
    let courses = api.controller.courses_of(&caller.actor());
    Json(courses.iter().map(|course| views::course(course, &caller.identity.username)).collect())
}

pub(super) async fn add(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<CourseRequest>,
) -> Result<(StatusCode, Json<CourseView>), ApiError> {
    let key = idempotency(&headers, &[b"add-course", &body.bytes])?;
    let CourseRequest { id, title, term, zone, teachers, assistants, labs, sessions, recording_days } = body.value;
    let id = CourseId::parse(id).map_err(|invalid| FieldError::of("id", &invalid))?;
    let asked =
        CourseUpdate { title, term, zone, teachers, assistants, labs, sessions, recording_days, archived: None };
    let change = change_of(&api, &asked, &Zone::default(), &BTreeSet::new()).await?;
    api.controller.add_course(&caller.actor(), &id, &change, key.as_ref()).await?;
    Ok((StatusCode::CREATED, shown(&api, &caller, id.as_str()).await?))
}

pub(super) async fn show(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<Json<CourseView>, ApiError> {
    shown(&api, &caller, &id).await
}

pub(super) async fn change(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    headers: HeaderMap,
    body: Body<CourseUpdate>,
) -> Result<Json<CourseView>, ApiError> {
    // Whoever may not change it learns nothing of accounts.
    let found = api.controller.course_as(&caller.actor(), &id, pierhead_model::CourseRight::Teacher)?;
    let known: BTreeSet<Username> = found.record.teachers.union(&found.record.assistants).cloned().collect();
    let change = change_of(&api, &body.value, &found.record.zone, &known).await?;
    let change = CourseChange { based_on: based_on(&headers)?, ..change };
    api.controller.change_course(&caller.actor(), &id, &change).await?;
    shown(&api, &caller, &id).await
}

pub(super) async fn delete(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    api.controller.delete_course(&caller.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn shown(api: &Api, caller: &Caller, id: &str) -> Result<Json<CourseView>, ApiError> {
    let course = api.controller.course(&caller.actor(), id)?;
    let (ahead, zone) = (api.controller.ahead_of(&course).await, &course.record.zone);
    let ahead = ahead.iter().map(|of| views::course_ahead(of, zone)).collect();
    Ok(Json(CourseView { ahead, ..views::course(&course, &caller.identity.username) }))
}

/// The revision that a change was made of, by `If-Match`.
fn based_on(headers: &HeaderMap) -> Result<Option<Revision>, ApiError> {
    let form = "the revision of the course";
    match Precondition::of(headers, form)? {
        Precondition::None => Ok(None),
        Precondition::Tag(tag) => {
            tag.parse().map(|number| Some(Revision::new(number))).map_err(|_| Precondition::malformed(form))
        }
        Precondition::Absent => Err(ApiError::field("if-none-match", "if-none-match is for what is not there yet")),
    }
}

/// What is asked, with people who are there and moments of the course's zone.
async fn change_of(
    api: &Api,
    asked: &CourseUpdate,
    zone: &Zone,
    known: &BTreeSet<Username>,
) -> Result<CourseChange, ApiError> {
    let new_zone = asked.zone.as_deref().map(read_zone).transpose()?;
    let zone = new_zone.clone().unwrap_or_else(|| zone.clone());
    let labs = asked
        .labs
        .as_ref()
        .map(|labs| labs.iter().enumerate().map(|(at, entry)| lab(at, entry, &zone)).collect::<Result<Vec<_>, _>>());
    let sessions = asked.sessions.as_ref().map(|sessions| {
        sessions.iter().enumerate().map(|(at, entry)| session(at, entry, &zone)).collect::<Result<Vec<_>, _>>()
    });
    Ok(CourseChange {
        based_on: None,
        title: asked.title.clone(),
        term: asked.term.clone(),
        zone: new_zone,
        teachers: staff(api, asked.teachers.as_deref(), known).await?,
        assistants: staff(api, asked.assistants.as_deref(), known).await?,
        labs: labs.transpose()?,
        sessions: sessions.transpose()?,
        recording_days: asked.recording_days,
        archived: asked.archived,
    })
}

fn read_zone(text: &str) -> Result<Zone, ApiError> {
    let zone = Zone::parse(text).map_err(|invalid| FieldError::of("zone", &invalid))?;
    if is_zone(&zone) {
        return Ok(zone);
    }
    Err(ApiError::field("zone", "zone must be the name of a time zone, such as Asia/Shanghai, Europe/Vienna or UTC"))
}

async fn staff(
    api: &Api,
    names: Option<&[String]>,
    known: &BTreeSet<Username>,
) -> Result<Option<BTreeSet<Username>>, ApiError> {
    let Some(names) = names else { return Ok(None) };
    if names.len() > pierhead_model::Course::MOST_STAFF {
        return Err(ApiError::field("teachers", "teachers and assistants must be at most 200 people each"));
    }
    let mut people = BTreeSet::new();
    for name in names {
        let is_known = Username::parse(name.as_str()).ok().filter(|name| known.contains(name));
        people.insert(match is_known {
            Some(name) => name,
            None => new_guest(api, name).await?,
        });
    }
    Ok(Some(people))
}

fn lab(at: usize, entry: &CourseLabEntry, zone: &Zone) -> Result<CourseLab, ApiError> {
    Ok(CourseLab {
        lab: lab_id(&format!("labs[{at}].lab"), &entry.lab)?,
        version: entry.version,
        opens_at: moment_if(&format!("labs[{at}].opens_at"), entry.opens_at.as_deref(), zone)?,
        due_at: moment_if(&format!("labs[{at}].due_at"), entry.due_at.as_deref(), zone)?,
        warm_from: moment_if(&format!("labs[{at}].warm_from"), entry.warm_from.as_deref(), zone)?,
    })
}

fn session(at: usize, entry: &CourseSessionEntry, zone: &Zone) -> Result<CourseSession, ApiError> {
    let lab = entry.lab.as_deref().map(|id| lab_id(&format!("sessions[{at}].lab"), id)).transpose()?;
    Ok(CourseSession {
        starts: moment(&format!("sessions[{at}].starts"), &entry.starts, zone)?,
        ends: moment(&format!("sessions[{at}].ends"), &entry.ends, zone)?,
        lab,
    })
}

fn lab_id(field: &str, text: &str) -> Result<LabId, ApiError> {
    LabId::parse(text).map_err(|invalid| ApiError::field(field, format!("{field} must be {}", invalid.expected)))
}

fn moment_if(field: &str, text: Option<&str>, zone: &Zone) -> Result<Option<Timestamp>, ApiError> {
    text.map(|text| moment(field, text, zone)).transpose()
}

fn moment(field: &str, text: &str, zone: &Zone) -> Result<Timestamp, ApiError> {
    local_moment(text, zone).ok_or_else(|| {
        let form = "RFC 3339, such as 2026-12-01T18:00:00+08:00, or date and time in the course's zone, such as \
                    2026-12-01T18:00";
        ApiError::field(field, format!("{field} must be {form}"))
    })
}
