//! Coming in by a provider of log-ins (OpenID Connect): to it, and back.

mod refusal;

use super::{enter, page};
use crate::accounts::{AccountsError, NoAccount};
use crate::body::Query;
use crate::identity::Origin;
use crate::identity::browser::{log_in_cookie, log_in_of};
use crate::{Api, ApiError};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, HOST, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use pierhead_identity::{OidcError, OidcLogIn, OidcPerson, OidcProvider};
use pierhead_model::Account;
use pierhead_wire::LogInWays;
use refusal::Refusal;
use serde::Deserialize;

/// What a log-in is sealed for.
const SEALED_FOR: &str = "oidc/log-in";
/// How long a browser keeps it, in seconds; what is in it says the same.
const KEPT_S: u64 = 600;
/// The longest place of the console that somebody is led to, in bytes.
const LONGEST_PLACE: usize = 500;

/// By what one may log in beside a password.
pub(in crate::routes) async fn ways(State(api): State<Api>) -> Json<LogInWays> {
    Json(LogInWays { provider: api.oidc.as_ref().map(|provider| provider.settings().name.clone()) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::routes) struct StartQuery {
    to: Option<String>,
}

pub(in crate::routes) async fn start(
    State(api): State<Api>,
    headers: HeaderMap,
    query: Result<Query<StartQuery>, ApiError>,
) -> Response {
    let begun = async {
        let goal = goal(query.map_err(Refusal::Other)?.0.to)?;
        let provider = api.oidc.as_ref().ok_or(Refusal::NoProvider)?;
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let base = api.front.base(host);
        let base = base.ok_or_else(|| Refusal::Other(ApiError::field("Host", "Host must be the server's name")))?;
        let back = format!("{base}/auth/oidc/back");
        let (url, log_in) = provider.begin(&back, &goal, api.controller.clock().now()).await.map_err(Refusal::of)?;
        let headers = [
            (SET_COOKIE, log_in_cookie(&sealed(&api, &log_in)?, KEPT_S, api.front.is_secure())),
            (CACHE_CONTROL, "no-store".to_owned()),
            (LOCATION, url),
        ];
        Ok((StatusCode::SEE_OTHER, headers).into_response())
    };
    begun.await.unwrap_or_else(|refusal: Refusal| refusal.answer(&headers))
}

/// The place of the console that somebody wants to: always one of this server's.
fn goal(to: Option<String>) -> Result<String, Refusal> {
    let Some(to) = to else { return Ok("/".to_owned()) };
    if to.len() > LONGEST_PLACE || !to.starts_with('/') || !to.bytes().all(|byte| byte.is_ascii_graphic()) {
        let form = format!("to must be a place of the console, such as /labs, of at most {LONGEST_PLACE} characters");
        return Err(Refusal::Other(ApiError::field("to", form)));
    }
    Ok(format!("/#{to}"))
}

/// What a provider sends a browser back with. It may send more, which says nothing to us.
#[derive(Default)]
struct Answer {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    issuer: Option<String>,
}

impl Answer {
    fn read(query: &str) -> Result<Self, Refusal> {
        let mut answer = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "state" => &mut answer.state,
                "code" => &mut answer.code,
                "error" => &mut answer.error,
                "iss" => &mut answer.issuer,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Refusal::Foreign);
            }
        }
        Ok(answer)
    }
}

pub(in crate::routes) async fn back(
    State(api): State<Api>,
    origin: Origin,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let found = async {
        let provider = api.oidc.as_ref().ok_or(Refusal::NoProvider)?;
        let log_in = begun(&api, &headers)?;
        let answer = Answer::read(query.as_deref().unwrap_or_default())?;
        // Nothing else of an answer counts that is not this browser's.
        if answer.state.as_deref() != Some(log_in.state.as_str()) {
            return Err(Refusal::Foreign);
        }
        Ok((provider, log_in, answer))
    };
    let (provider, log_in, answer) = match found.await {
        Ok(found) => found,
        Err(refusal) => return refusal.answer(&headers),
    };
    let entered = async {
        let attempt = api.accounts.begin_attempt(origin.address).map_err(Refusal::of_accounts)?;
        let account = admitted(&api, provider, &log_in, answer, &origin).await?;
        api.accounts.attempt_succeeded(attempt);
        enter(&api, "oidc", &account, &origin, &log_in.goal).await.map_err(Refusal::of_link)
    };
    let mut response = entered.await.unwrap_or_else(|refusal| refusal.answer(&headers));
    // Whatever came of it, this log-in is over.
    let gone = HeaderValue::try_from(log_in_cookie("", 0, api.front.is_secure())).expect("visible ASCII");
    response.headers_mut().append(SET_COOKIE, gone);
    response
}

/// Whose account somebody may enter who came back. From here on the log-in is used.
async fn admitted(
    api: &Api,
    provider: &OidcProvider,
    log_in: &OidcLogIn,
    answer: Answer,
    origin: &Origin,
) -> Result<Account, Refusal> {
    let now = api.controller.clock().now();
    if now >= log_in.expires_at {
        return Err(Refusal::Expired);
    }
    if !api.accounts.use_log_in(log_in).await.map_err(Refusal::of_accounts)? {
        return Err(Refusal::Used);
    }
    if let Some(error) = answer.error {
        return Err(Refusal::denied(&error));
    }
    let code = answer.code.ok_or(Refusal::Foreign)?;
    let person = match provider.finish(log_in, &code, answer.issuer.as_deref(), now).await {
        Ok(person) => person,
        Err(error) => {
            if matches!(error, OidcError::OtherProvider | OidcError::Token(_)) {
                tracing::warn!(%error, "an answer of the provider of log-ins can't be believed");
                let refusal = Refusal::of(error);
                api.accounts.tell_refused_person("", origin.address, refusal.code()).await;
                return Err(refusal);
            }
            return Err(Refusal::of(error));
        }
    };
    match api.accounts.of_person(&person, provider.settings().create.as_ref()).await {
        Ok(account) => Ok(account),
        Err(why) => Err(refused(api, &person, why, origin).await),
    }
}

async fn refused(api: &Api, person: &OidcPerson, why: NoAccount, origin: &Origin) -> Refusal {
    let is_told = !matches!(&why, NoAccount::Failed(error) if !matches!(error, AccountsError::Suspended));
    let refusal = Refusal::of_person(why);
    if is_told {
        let name = person.name.as_ref().map(|name| name.as_str()).unwrap_or_default();
        api.accounts.tell_refused_person(name, origin.address, refusal.code()).await;
    }
    refusal
}

fn sealed(api: &Api, log_in: &OidcLogIn) -> Result<String, Refusal> {
    let failed =
        || Refusal::Other(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "seal_failed", "nothing can be sealed"));
    let text = serde_json::to_vec(log_in).map_err(|_| failed())?;
    api.sealer.seal(SEALED_FOR, &text).map_err(|_| failed())
}

/// The log-in that this browser began.
fn begun(api: &Api, headers: &HeaderMap) -> Result<OidcLogIn, Refusal> {
    let sealed = log_in_of(headers, api.front.is_secure()).ok_or(Refusal::NotBegun)?;
    let text = api.sealer.open(SEALED_FOR, &sealed).map_err(|_| Refusal::NotBegun)?;
    serde_json::from_slice(&text).map_err(|_| Refusal::NotBegun)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_led_to_the_console_and_nowhere_else() {
        assert_eq!(goal(None).unwrap(), "/");
        for (to, led) in [("/labs/x?course=cs-101", "/#/labs/x?course=cs-101"), ("//evil.example", "/#//evil.example")]
        {
            assert_eq!(goal(Some(to.to_owned())).unwrap(), led);
        }
        for bad in ["", "labs", "https://evil.example", "/a\r\nSet-Cookie: x", "/ä", &format!("/{}", "x".repeat(500))]
        {
            assert!(goal(Some(bad.to_owned())).is_err(), "{bad}");
        }
    }

    #[test]
    fn with_tls_the_cookie_is_for_tls_and_this_host_only() {
        let (plain, secure) = (log_in_cookie("x", 600, false), log_in_cookie("x", 600, true));
        assert!(secure.starts_with("__Host-") && secure.ends_with("; Secure") && !plain.contains("Secure"), "{secure}");
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("pierhead-log-in=x; other=y"));
        assert_eq!((log_in_of(&headers, false).as_deref(), log_in_of(&headers, true)), (Some("x"), None));
        headers.append("cookie", HeaderValue::from_static("pierhead-log-in=z"));
        assert_eq!(log_in_of(&headers, false), None, "of two neither counts");
    }

    #[test]
    fn of_an_answer_each_thing_counts_once_and_the_rest_nothing() {
        let answer = Answer::read("state=s%201&code=c&session_state=x&zzz=1&iss=https%3A%2F%2Fa.example").unwrap();
        assert_eq!((answer.state.as_deref(), answer.code.as_deref()), (Some("s 1"), Some("c")));
        assert_eq!((answer.issuer.as_deref(), answer.error), (Some("https://a.example"), None));
        assert!(Answer::read("state=1&state=2").is_err() && Answer::read("").unwrap().state.is_none());
    }
}
