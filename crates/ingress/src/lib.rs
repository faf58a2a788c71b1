//! A reverse proxy for HTTP/1.1 and WebSockets that knows nothing of what stands behind it.
//!
//! Whoever runs it gives it a [`Resolver`], which is asked of every single request: by the name of the host, and by what
//! the request brings to show who sends it. It answers with a connection to be made, or with a refusal in words. So a
//! route holds from the next request on, and nobody goes on by what was true of the last one.
//!
//! What goes on to the other side is written anew. What concerns one connection only stays here, what says where a
//! request comes from is set and never taken over, and what is worth something to Pierhead itself goes neither there nor
//! comes from there. Bodies flow as they come, in both directions, for as long as they like.

mod body;
mod cookies;
mod exchange;
mod forwarding;
mod headers;
mod pages;
mod request;
mod resolve;
mod serve;
mod upgrade;

pub use request::Comes;
pub use resolve::{Asked, Decision, Refusal, Resolver, Route, Session, Stream, Words};
pub use serve::serve;

use hyper::header::HeaderName;
use std::time::Duration;

/// How an ingress answers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether browsers speak TLS, with whatever stands before it.
    pub is_tls: bool,
    /// The cookie in which a session is kept, of the requested host only.
    pub session_cookie: String,
    /// The parameter of a query in which a ticket comes.
    pub ticket: String,
    /// Cookies of these names, and of names that begin with one and a `-`, are never passed on, in either direction.
    pub hidden_cookies: Vec<String>,
    /// These headers are never passed on.
    pub hidden_headers: Vec<HeaderName>,
    /// An `Authorization` of these schemes is never passed on. Of the scheme `Bearer` the resolver decides.
    pub hidden_schemes: Vec<String>,
    /// How many connections there are at most; more wait.
    pub most_connections: usize,
    /// How long things may take.
    pub patience: Patience,
}

/// How long the parts of an exchange may take. There is no limit for bodies.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Until the head of a request is there, and between two of a connection.
    pub request: Duration,
    /// To reach the other side.
    pub connect: Duration,
    /// Until the other side begins to answer, from the last piece of the request on.
    pub answer: Duration,
    /// What is being answered has as long to end when the ingress does.
    pub drain: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(15),
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            drain: Duration::from_secs(4),
        }
    }
}
