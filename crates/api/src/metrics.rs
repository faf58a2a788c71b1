//! `/metrics`: what this controller knows and measures, in the text form that Prometheus reads.
//!
//! Let in is who has the scrapers' token, which is good for nothing else; no account's token is good for this. Nothing
//! here names a person, an app or a container: the number of lines hangs on the hosts and the routes only. The text is
//! written by ourselves: what is shown is known already, or counted in a few atomics, so that a library with a registry
//! of its own would be more than what it saves.

mod pool;
mod process;
mod requests;
mod text;

pub(crate) use requests::measure;

use crate::{Api, ApiError};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::Response;
use requests::Requests;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use text::{Kind, Page};

/// What is measured about requests, and who may read all measurements.
#[derive(Clone, Default)]
pub struct Metrics {
    token_hash: Option<[u8; 32]>,
    requests: Arc<Requests>,
}

impl Metrics {
    /// Measurements that can be read with this token; by nobody without one.
    #[must_use]
    pub fn new(token: Option<&str>) -> Self {
        Self { token_hash: token.map(hash), requests: Arc::default() }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Lets scrapers through.
pub(crate) async fn require_scraper(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    check(api.metrics.token_hash.as_ref(), request.headers())?;
    Ok(next.run(request).await)
}

fn check(wanted: Option<&[u8; 32]>, headers: &HeaderMap) -> Result<(), ApiError> {
    let wanted = wanted.ok_or_else(|| {
        ApiError::not_found("measurements are off; start the controller with --metrics-token-file to have them")
    })?;
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    // Of hashes: how long the comparison takes tells nothing about the token.
    match bearer {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && hash(token.trim()) == *wanted => Ok(()),
        _ => Err(ApiError::unauthenticated("measurements need the token of --metrics-token-file, as a bearer token")),
    }
}

pub(crate) async fn show(State(api): State<Api>) -> ([(HeaderName, &'static str); 1], String) {
    let mut page = Page::default();
    page.family("pierhead_build_info", Kind::Gauge, "The program's version.").sample(&[("version", api.version)], 1.0);
    process::write(&mut page);
    pool::write(&mut page, &api.controller);
    measured(&mut page, &api);
    api.metrics.requests.write(&mut page);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page.into_text())
}

fn measured(page: &mut Page, api: &Api) {
    let measured = api.controller.measured();
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed) as f64;
    for (name, help, histogram) in [
        ("pierhead_probe_duration_seconds", "How long engines took to answer probes.", &measured.probes),
        ("pierhead_plan_duration_seconds", "How long placing and planning took.", &measured.plans),
        ("pierhead_lab_check_lateness_seconds", "How late continuous checks of labs began.", &measured.lab_checks),
        ("pierhead_store_commit_duration_seconds", "How long the store's commits took.", &measured.commits),
    ] {
        page.family(name, Kind::Histogram, help).histogram(&[], &histogram.read());
    }
    let mut refused = page.family("pierhead_store_commits_refused_total", Kind::Counter, "Commits that were not made.");
    refused.sample(&[("reason", "conflict")], count(&measured.conflicts));
    refused.sample(&[("reason", "failed")], count(&measured.failed_commits));
    let made = "When this controller made its newest backup by schedule, in seconds since 1970; 0 if there is none.";
    page.family("pierhead_last_backup_timestamp_seconds", Kind::Gauge, made)
        .sample(&[], (count(&measured.last_backup) / 1000.0).floor());
    let kept = "Logs kept of containers that were removed.";
    page.family("pierhead_gone_logs_kept_total", Kind::Counter, kept).sample(&[], count(&measured.logs_kept));
    let open = "Logs of containers that are read or followed now.";
    page.family("pierhead_log_readers_open", Kind::Gauge, open).sample(&[], measured.log_readers.count() as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_token_opens_it() {
        let wanted = hash("scrape-me");
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            check(Some(&wanted), &headers).map_err(|error| error.status.as_u16())
        };
        assert_eq!((with("Bearer scrape-me"), with("bearer  scrape-me")), (Ok(()), Ok(())));
        for bad in ["Bearer scrape-you", "scrape-me", "Basic scrape-me", "Bearer ", "Bearer"] {
            assert_eq!(with(bad), Err(401), "{bad}");
        }
        assert_eq!(check(Some(&wanted), &HeaderMap::new()).unwrap_err().status.as_u16(), 401);
        let off = check(None, &HeaderMap::new()).unwrap_err();
        assert!(off.status.as_u16() == 404 && off.body.message.contains("--metrics-token-file"), "{off:?}");
    }
}
