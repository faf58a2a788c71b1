//! What workspaces used: by course for who has to do with it, by account for administrators.

use crate::body::Path;
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use pierhead_controller::UsageNow;
use pierhead_model::Username;
use pierhead_wire::UsageView;
use std::collections::HashMap;

/// Up to how many people each is looked up; beyond that all accounts are read at once.
const MANY: usize = 50;

pub(super) async fn of_course(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<Json<Vec<UsageView>>, ApiError> {
    let (_, all) = api.controller.course_usage(&caller.actor(), &id).await?;
    Ok(Json(told(&api, &all).await?))
}

pub(super) async fn export(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
) -> Result<impl IntoResponse, ApiError> {
    let (course, all) = api.controller.course_usage(&caller.actor(), &id).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}-usage.csv\"", course.record.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, views::usage_csv(&told(&api, &all).await?)))
}

pub(super) async fn of_all(State(api): State<Api>) -> Result<Json<Vec<UsageView>>, ApiError> {
    let all = api.controller.all_usage().await?;
    Ok(Json(told(&api, &all).await?))
}

async fn told(api: &Api, all: &[UsageNow]) -> Result<Vec<UsageView>, ApiError> {
    let mut called: HashMap<Username, String> = HashMap::new();
    if all.len() > MANY {
        let accounts = api.accounts.list().await?.into_iter();
        called.extend(accounts.map(|account| (account.username, account.full_name)));
    } else {
        for one in all {
            // An account that is gone has no name any more.
            if let Ok(account) = api.accounts.account(&one.account).await {
                called.insert(account.username, account.full_name);
            }
        }
    }
    Ok(all.iter().map(|one| views::usage(one, &called)).collect())
}
