//! The school's own list: how it stands, what it would change, and carrying it out.

use crate::body::Large;
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pierhead_controller::{RosterError, RosterOrder};
use pierhead_identity::{CsvTexts, RosterSource, SourceError};
use pierhead_wire::{RosterCsv, RosterRequest, RosterStatusView, RosterView, format_timestamp};

impl From<RosterError> for ApiError {
    fn from(error: RosterError) -> Self {
        let message = error.to_string();
        match error {
            RosterError::NoSource => Self::new(StatusCode::CONFLICT, "no_roster", message),
            RosterError::Busy => {
                let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", message);
                Self { retry_after_s: Some(60), ..error }
            }
            RosterError::Source(
                SourceError::Csv { .. } | SourceError::Columns { .. } | SourceError::TooMany { .. },
            ) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad_roster", message),
            RosterError::Source(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "roster_away", message),
            RosterError::Excess(_) => Self::new(StatusCode::CONFLICT, "too_much", message),
            RosterError::Changed => Self::new(StatusCode::CONFLICT, "changed_meanwhile", message),
            RosterError::Store(error) => error.into(),
        }
    }
}

pub(super) async fn show(State(api): State<Api>) -> Result<Json<RosterStatusView>, ApiError> {
    let (options, record) = api.controller.roster().await?;
    let has_source = options.source.is_some();
    Ok(Json(RosterStatusView {
        source: options.source.as_ref().map(RosterSource::told),
        every_seconds: options.every.filter(|_| has_source).map(|every| every.as_secs()),
        looked_at: record.as_ref().map(|record| format_timestamp(record.looked_at)),
        outcome: record.as_ref().map(|record| record.outcome.clone()),
        message: record.as_ref().map(|record| record.message.clone()),
        done_at: record.and_then(|record| record.done_at).map(format_timestamp),
    }))
}

pub(super) async fn preview(State(api): State<Api>, body: Large<RosterRequest>) -> Result<Json<RosterView>, ApiError> {
    let report = api.controller.preview_roster(body.0.csv.map(source)).await?;
    Ok(Json(views::roster(&report)))
}

pub(super) async fn sync(
    State(api): State<Api>,
    caller: Caller,
    body: Large<RosterRequest>,
) -> Result<Json<RosterView>, ApiError> {
    let RosterRequest { csv, force, expect } = body.0;
    let order = RosterOrder { source: csv.map(source), force: force.unwrap_or(false), expect };
    let report = api.controller.sync_roster(Some(&caller.identity.username), order).await?;
    Ok(Json(views::roster(&report)))
}

fn source(csv: RosterCsv) -> RosterSource {
    let RosterCsv { people, courses, enrolments } = csv;
    RosterSource::Texts(CsvTexts { people, courses, enrolments })
}
