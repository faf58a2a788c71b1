//! What happens to one request: it is read, somebody decides about it, and it is passed on or answered here.

use crate::Settings;
use crate::body::{AnswerBody, Coming, Moved, Sending, full};
use crate::exchange::{Answer, exchange};
use crate::headers::{Sender, ask_for_websocket, asks_for_websocket, of_answer, of_request};
use crate::pages;
use crate::request::Read;
use crate::resolve::{Asked, Decision, Refusal, Resolver, Route, Session};
use crate::upgrade::carry;
use futures_util::FutureExt;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE};
use hyper::{Request, Response, StatusCode, Version};
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What all requests share.
pub(crate) struct Forwarding {
    pub resolver: Arc<dyn Resolver>,
    pub settings: Settings,
    /// The WebSockets that are open.
    pub open: TaskTracker,
    /// Says that they shall be closed.
    pub closing: CancellationToken,
}

impl Forwarding {
    /// Answers a request, in one way or another.
    pub async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<AnswerBody> {
        let wanted = pages::Wanted::of(request.headers());
        let refused = |refusal: &Refusal| {
            tracing::debug!(%peer, code = refusal.code, "refused");
            pages::page(refusal, wanted)
        };
        let read = match Read::of(&request, &self.settings) {
            Ok(read) => read,
            Err(refusal) => return refused(&refusal),
        };
        let asked = Asked {
            host: read.host(),
            sessions: &read.sessions,
            ticket: read.ticket.as_deref(),
            bearer: read.bearer.as_deref(),
            is_change: read.is_change,
            comes: &read.comes,
            peer,
        };
        let passed = match self.resolver.resolve(asked).await {
            Decision::Pass(route) => self.pass(request, &read, route, peer).await,
            Decision::Enter(session) => Ok(self.enter(&read, session.as_ref())),
            Decision::Refuse(refusal) => Err(refusal),
        };
        passed.unwrap_or_else(|refusal| refused(&refusal))
    }

    /// Sends a browser to the same address without the ticket.
    fn enter(&self, read: &Read, session: Option<&Session>) -> Response<AnswerBody> {
        let (scheme, secure) = if self.settings.is_tls { ("https", "; Secure") } else { ("http", "") };
        let mut response = Response::new(full(""));
        *response.status_mut() = StatusCode::SEE_OTHER;
        let mut set = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        // With the host: a path may begin with two slashes.
        set(LOCATION, &format!("{scheme}://{}{}", read.authority, read.target));
        set(CACHE_CONTROL, "no-store");
        set(REFERRER_POLICY, "no-referrer");
        if let Some(Session { value, seconds }) = session {
            let name = &self.settings.session_cookie;
            set(SET_COOKIE, &format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"));
        }
        response
    }

    async fn pass(
        &self,
        mut request: Request<Incoming>,
        read: &Read,
        route: Route,
        peer: IpAddr,
    ) -> Result<Response<AnswerBody>, Refusal> {
        let browser = read.is_websocket.then(|| hyper::upgrade::on(&mut request));
        let (mut head, body) = request.into_parts();
        let sender = Sender { peer, authority: &read.authority };
        of_request(&mut head.headers, &sender, &self.settings, route.hides_authorization);
        if read.is_websocket {
            ask_for_websocket(&mut head.headers);
        }
        head.version = Version::HTTP_11;
        head.uri = read.target.parse().map_err(|_| Refusal::malformed("Its path is none.", "路径无效。"))?;
        head.extensions.clear();
        let request = Request::from_parts(head, Sending { body, moved: Moved::now() });
        let ended = route.ended.shared();
        let Answer { mut response, connection } =
            exchange(route.dial, request, &self.settings.patience, ended.clone()).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let browser = browser.filter(|_| asks_for_websocket(response.headers())).ok_or_else(Refusal::broken)?;
            let upstream = hyper::upgrade::on(&mut response).await.map_err(|_| Refusal::broken())?;
            let closing = self.closing.clone().cancelled_owned();
            self.open.spawn(async move {
                let _kept = connection;
                tokio::select! {
                    () = carry(browser, upstream, ended) => {}
                    () = closing => {}
                }
            });
            let mut answer = Response::from_parts(response.into_parts().0, full(""));
            of_answer(answer.headers_mut(), &self.settings, None);
            ask_for_websocket(answer.headers_mut());
            return Ok(answer);
        }
        let (mut head, body) = response.into_parts();
        of_answer(&mut head.headers, &self.settings, read.framed_by);
        head.version = Version::HTTP_11;
        head.extensions.clear();
        let body = Coming { body, ended, _connection: connection };
        Ok(Response::from_parts(head, body.boxed_unsync()))
    }
}
