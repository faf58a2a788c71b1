//! What is asked of whoever runs the ingress, and what can be answered.

use crate::request::Comes;
use async_trait::async_trait;
use futures_util::future::{BoxFuture, Shared};
use hyper::StatusCode;
use std::fmt;
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncWrite};

/// Decides about every request.
#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// Where a request goes, if anywhere. Asked once for each, before anything of it is passed on.
    async fn resolve(&self, asked: Asked<'_>) -> Decision;
}

/// What a request tells of itself.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The name of the host that it is sent to, in small letters, without a port.
    pub host: &'a str,
    /// What stands in its session cookies; a page of another host may have added some.
    pub sessions: &'a [String],
    /// The ticket in its query. Only asked with where it can be exchanged for a session.
    pub ticket: Option<&'a str>,
    /// Its bearer token, if it has one.
    pub bearer: Option<&'a str>,
    /// Whether it may change something: it does more than look, or opens a WebSocket.
    pub is_change: bool,
    /// The page that made a browser send it.
    pub comes: &'a Comes,
    /// The address at the other end of the connection.
    pub peer: IpAddr,
}

/// What becomes of a request.
pub enum Decision {
    /// It is passed on.
    Pass(Route),
    /// Its ticket was good, or it is not needed: the browser gets a session, if it needs one, and is sent to the same
    /// address without the ticket.
    Enter(Option<Session>),
    /// It is not.
    Refuse(Refusal),
}

/// A session that a browser is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Only what a cookie may have.
    pub value: String,
    /// How long the browser keeps it.
    pub seconds: u64,
}

/// The way of one request.
pub struct Route {
    /// Connects to the other side.
    pub dial: BoxFuture<'static, Result<Box<dyn Stream>, Refusal>>,
    /// Ends when whoever asked may not go on: what flows still is cut then.
    pub ended: BoxFuture<'static, ()>,
    /// Whether the request's `Authorization` is none of the other side's business.
    pub hides_authorization: bool,
}

/// What ends when whoever asked may not go on; each way of what flows looks at it by itself.
pub(crate) type Ended = Shared<BoxFuture<'static, ()>>;

/// A connection to the other side.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Why a request goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// The same for programs: small letters and `_`.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: Words,
    /// What somebody can do about it.
    pub text: Words,
}

/// The same in English and in Chinese.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese, simplified.
    pub zh: String,
}

impl Words {
    /// The same in both languages.
    #[must_use]
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

impl Refusal {
    /// A refusal in both languages: a title and a text each.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: (&str, &str), text: (&str, &str)) -> Self {
        Self { status, code, title: Words::new(title.0, title.1), text: Words::new(text.0, text.1) }
    }

    pub(crate) fn malformed(en: &str, zh: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            ("This request cannot be passed on", "无法转发此请求"),
            (en, zh),
        )
    }

    pub(crate) fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            ("This method is not passed on", "不转发此方法"),
            ("CONNECT and TRACE are meant for proxies and are not taken here.", "此处不接受 CONNECT 和 TRACE。"),
        )
    }

    pub(crate) fn connects_too_slowly() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "connect_too_slow",
            ("The program was not reached in time", "未能及时连接到程序"),
            ("Its host may be busy or away. Try again in a moment.", "它所在的主机可能正忙或已离线。请稍后再试。"),
        )
    }

    pub(crate) fn answers_too_slowly() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "answer_too_slow",
            ("The program does not answer", "程序没有响应"),
            ("It took the request and did not begin to answer in time.", "它接受了请求，但没有及时开始响应。"),
        )
    }

    pub(crate) fn ended() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "ended",
            ("You may not see this any more", "您无权再查看此内容"),
            (
                "Your right to it ended, or its workspace moved, while this was on its way. Open the port again.",
                "在处理此请求期间，您的权限已结束，或工作区已迁移。请重新打开该端口。",
            ),
        )
    }

    pub(crate) fn broken() -> Self {
        Self::new(
            StatusCode::BAD_GATEWAY,
            "broken_answer",
            ("The program gave no proper answer", "程序没有给出有效的响应"),
            (
                "What answers on this port closed the connection, or does not speak HTTP.",
                "此端口上的程序关闭了连接，或者使用的不是 HTTP。",
            ),
        )
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass(_) => f.write_str("Pass"),
            Self::Enter(session) => f.debug_tuple("Enter").field(&session.is_some()).finish(),
            Self::Refuse(refusal) => f.debug_tuple("Refuse").field(&refusal.code).finish(),
        }
    }
}
