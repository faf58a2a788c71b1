//! Coming in without a password: by a link that somebody made, good once, by a link of the school's site, and by a provider.
//!
//! Both answer browsers with pages, which run no scripts, and programs with the same refusals as everywhere.

pub(super) mod oidc;
mod page;
mod refusal;

use crate::accounts::{LinkFor, SESSION_LIFE_MS};
use crate::body::Query;
use crate::identity::browser::{check_given_origin, cookie};
use crate::identity::{Caller, Origin};
use crate::{Api, ApiError};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use pierhead_controller::Actor;
use pierhead_identity::RedirectLink;
use pierhead_model::{Account, CourseRight, Username};
use pierhead_wire::{LinkView, format_timestamp};
use refusal::Refusal;
use serde::Deserialize;

/// For how many minutes a link is good unless somebody says otherwise, and at most: a week.
const USUAL_MINUTES: u32 = 60;
const MOST_MINUTES: u32 = 7 * 24 * 60;

/// Makes a link for somebody.
pub(super) async fn link_view(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    who: &Username,
    minutes: Option<u32>,
    whom: LinkFor,
) -> Result<(StatusCode, Json<LinkView>), ApiError> {
    let minutes = minutes.unwrap_or(USUAL_MINUTES);
    if !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(ApiError::field("minutes", format!("minutes must be a whole number from 1 to {MOST_MINUTES}")));
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let base = api.front.base(host).ok_or_else(|| ApiError::field("Host", "Host must be the server's name"))?;
    let (secret, expires_at) = api.accounts.give_link(who, minutes, whom, &caller.identity).await?;
    let url = format!("{base}/auth/link?key={secret}");
    Ok((StatusCode::CREATED, Json(LinkView { url, expires_at: format_timestamp(expires_at) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkQuery {
    key: String,
}

/// Asks before the link is used up: whatever looks at links by itself does not use them.
pub(super) async fn by_link(Query(query): Query<LinkQuery>) -> Response {
    page::ask(&query.key)
}

pub(super) async fn use_link(State(api): State<Api>, origin: Origin, headers: HeaderMap, body: Bytes) -> Response {
    let entered = async {
        check_given_origin(&api.front, &headers, false).map_err(Refusal::Other)?;
        let key = form_urlencoded::parse(&body).find(|(name, _)| name == "key");
        let (_, key) = key.ok_or_else(|| Refusal::Other(ApiError::field("key", "key must be given")))?;
        let account = api.accounts.redeem_link(&key).await.map_err(Refusal::of)?;
        enter(&api, "link", &account, &origin, "/").await
    };
    entered.await.unwrap_or_else(|refusal: Refusal| refusal.answer(&headers))
}

/// What a link of the school's site may say; the query itself is what is signed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether something else is there is asked")]
pub(super) struct RedirectQuery {
    user: Option<String>,
    course: Option<String>,
    lab: Option<String>,
    time: Option<String>,
    nonce: Option<String>,
    sig: Option<String>,
}

pub(super) async fn by_redirect(
    State(api): State<Api>,
    origin: Origin,
    headers: HeaderMap,
    query: Result<Query<RedirectQuery>, ApiError>,
    RawQuery(text): RawQuery,
) -> Response {
    let entered = async {
        query.map_err(Refusal::Other)?;
        let keys = api.redirect.as_ref().ok_or(Refusal::NoKeys)?;
        let link = keys.check(text.as_deref().unwrap_or_default(), api.controller.clock().now())?;
        match admitted(&api, &link).await {
            Ok(account) => enter(&api, "redirect", &account, &origin, &goal(&link)).await,
            Err(refusal) => {
                api.accounts.tell_refused_link(&link.username, origin.address, refusal.code()).await;
                Err(refusal)
            }
        }
    };
    entered.await.unwrap_or_else(|refusal: Refusal| refusal.answer(&headers))
}

/// Whose account a link is for, if it may be entered so. From here on the link is used.
async fn admitted(api: &Api, link: &RedirectLink) -> Result<Account, Refusal> {
    if !api.accounts.use_redirect(link).await.map_err(Refusal::of)? {
        return Err(Refusal::Used);
    }
    let account = api.accounts.account(&link.username).await.map_err(|error| match error {
        crate::AccountsError::NotFound(_) => Refusal::Unknown,
        other => Refusal::of(other),
    })?;
    // Whoever has the school's key gets no further than the school.
    if !account.is_of_school() {
        return Err(Refusal::NotOfSchool);
    }
    if account.suspended_at.is_some() {
        return Err(Refusal::Suspended);
    }
    let Some(course) = &link.course else { return Ok(account) };
    let actor = Actor { username: link.username.clone(), may_change_all: false, may_run_privileged: false };
    let found = api.controller.course(&actor, course.as_str()).map_err(|_| Refusal::ForeignCourse)?;
    let Some(lab) = &link.lab else { return Ok(account) };
    let is_there = match found.right {
        CourseRight::Student => found.record.shows(lab, api.controller.clock().now()),
        CourseRight::Assistant | CourseRight::Teacher => found.record.labs.iter().any(|entry| entry.lab == *lab),
    };
    if is_there { Ok(account) } else { Err(Refusal::NoLab) }
}

/// The page of the console that a link leads to.
fn goal(link: &RedirectLink) -> String {
    match (&link.course, &link.lab) {
        (Some(course), Some(lab)) => format!("/#/labs/{lab}?course={course}"),
        (Some(course), None) => format!("/#/courses/{course}"),
        (None, Some(lab)) => format!("/#/labs/{lab}"),
        (None, None) => "/#/labs".to_owned(),
    }
}

async fn enter(api: &Api, how: &str, account: &Account, origin: &Origin, goal: &str) -> Result<Response, Refusal> {
    let (token, _) =
        api.accounts.open_session_by(how, account, origin.address, &origin.client).await.map_err(Refusal::of)?;
    let headers = [
        (SET_COOKIE, cookie(&token, SESSION_LIFE_MS / 1000, api.front.is_secure())),
        (CACHE_CONTROL, "no-store".to_owned()),
        (LOCATION, goal.to_owned()),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
