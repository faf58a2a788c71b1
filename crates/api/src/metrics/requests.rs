//! Requests, counted by route template, method and class of status; how long their answers took; which go on.

use super::text::{Kind, Page};
use crate::Api;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use pierhead_controller::measured::{Gauge, Histogram, SECONDS};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The route of a path that there is not.
const NO_ROUTE: &str = "none";
const LOG_IN: &str = "/auth/login";
const EVENT_STREAM: &str = "/api/events/stream";
/// Every other method is none that a route takes.
const METHODS: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// What came of attempts to log in.
const RESULTS: [&str; 4] = ["succeeded", "wrong", "limited", "refused"];

/// What is counted about requests.
#[derive(Debug, Default)]
pub(super) struct Requests {
    routes: RwLock<BTreeMap<String, Arc<[Answers; 5]>>>,
    log_ins: [AtomicU64; 4],
}

/// The answers to one method of one route.
#[derive(Debug)]
struct Answers {
    classes: [AtomicU64; 5],
    seconds: Histogram,
    /// Bodies that go on: streams of events, and logs.
    open: Gauge,
}

impl Default for Answers {
    fn default() -> Self {
        Self { classes: Default::default(), seconds: Histogram::new(SECONDS), open: Gauge::default() }
    }
}

/// Counts a request, and its answer's body as long as it is being sent.
pub(crate) async fn measure(State(api): State<Api>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let method = METHODS.iter().position(|method| method == request.method()).unwrap_or(METHODS.len());
    let of_route = api.metrics.requests.of(route);
    let response = next.run(request).await;
    let answers = &of_route[method];
    answers.count(response.status(), began.elapsed());
    if route == LOG_IN {
        api.metrics.requests.log_ins[result(response.status())].fetch_add(1, Ordering::Relaxed);
    }
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    let open = answers.open.open();
    response.map(|body| {
        Body::from_stream(body.into_data_stream().inspect(move |_| {
            let _open = &open;
        }))
    })
}

fn result(status: StatusCode) -> usize {
    match status {
        StatusCode::UNAUTHORIZED => 1,
        StatusCode::TOO_MANY_REQUESTS => 2,
        status if status.is_success() => 0,
        _ => 3,
    }
}

impl Answers {
    fn count(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.seconds.observe(took);
    }
}

impl Requests {
    fn of(&self, route: &str) -> Arc<[Answers; 5]> {
        if let Some(found) = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(route) {
            return Arc::clone(found);
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(route.to_owned()).or_default())
    }

    pub(super) fn write(&self, page: &mut Page) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner).clone();
        let name = |method: usize| METHODS.get(method).map_or("other", Method::as_str);
        let all = || {
            routes.iter().flat_map(|(route, methods)| {
                methods.iter().enumerate().map(move |(method, answers)| (route.as_str(), name(method), answers))
            })
        };
        let counted = "Requests by route, method and class of status.";
        let mut family = page.family("pierhead_http_requests_total", Kind::Counter, counted);
        for (route, method, answers) in all() {
            for (class, count) in CLASSES.iter().zip(&answers.classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    family.sample(&[("route", route), ("method", method), ("status", class)], count as f64);
                }
            }
        }
        let took = "How long it took until an answer began.";
        let mut family = page.family("pierhead_http_request_duration_seconds", Kind::Histogram, took);
        for (route, method, answers) in all() {
            let read = answers.seconds.read();
            if read.count > 0 {
                family.histogram(&[("route", route), ("method", method)], &read);
            }
        }
        let streams = "Event streams that are open.";
        let open =
            routes.get(EVENT_STREAM).map_or(0, |methods| methods.iter().map(|answers| answers.open.count()).sum());
        page.family("pierhead_event_streams_open", Kind::Gauge, streams).sample(&[], open as f64);
        let log_ins = "Attempts to log in by what came of them.";
        let mut family = page.family("pierhead_log_ins_total", Kind::Counter, log_ins);
        for (result, count) in RESULTS.iter().zip(&self.log_ins) {
            family.sample(&[("result", result)], count.load(Ordering::Relaxed) as f64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_log_ins() {
        let results = [200, 401, 429, 400, 503].map(|status| RESULTS[result(StatusCode::from_u16(status).unwrap())]);
        assert_eq!(results, ["succeeded", "wrong", "limited", "refused", "refused"]);
    }

    #[test]
    fn only_what_was_asked_for_is_shown() {
        let requests = Requests::default();
        requests.of("/a/{id}")[1].count(StatusCode::CREATED, Duration::from_millis(3));
        requests.of("/a/{id}")[1].count(StatusCode::CONFLICT, Duration::from_millis(30));
        requests.of(NO_ROUTE)[4].count(StatusCode::NOT_FOUND, Duration::ZERO);
        let open = requests.of(EVENT_STREAM)[0].open.open();
        let text = |requests: &Requests| {
            let mut page = Page::default();
            requests.write(&mut page);
            page.into_text()
        };
        let shown = text(&requests);
        for line in [
            "pierhead_http_requests_total{route=\"/a/{id}\",method=\"POST\",status=\"2xx\"} 1\n",
            "pierhead_http_requests_total{route=\"/a/{id}\",method=\"POST\",status=\"4xx\"} 1\n",
            "pierhead_http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"} 1\n",
            "pierhead_http_request_duration_seconds_bucket{route=\"/a/{id}\",method=\"POST\",le=\"0.005\"} 1\n",
            "pierhead_http_request_duration_seconds_count{route=\"/a/{id}\",method=\"POST\"} 2\n",
            "pierhead_event_streams_open 1\n",
        ] {
            assert!(shown.contains(line), "{line}{shown}");
        }
        assert!(!shown.contains("method=\"PUT\"") && !shown.contains("5xx"), "{shown}");
        drop(open);
        assert!(text(&requests).contains("pierhead_event_streams_open 0\n"));
    }
}
