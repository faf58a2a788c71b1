//! The members of the cluster: which one is asked, over which connection, as whom; and who is asked next when one does
//! not answer.

mod dial;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::HeaderValue;
use prost::Message;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use super::address::{EtcdSettings, User};
use super::failure::Failure;
use super::grpc::{self, Envelope, Sender, Stream};
use super::messages::{AuthenticateRequest, AuthenticateResponse, Response};
use dial::Dialer;

/// How long a request may take, over all members that are tried.
pub(super) const PATIENCE: Duration = Duration::from_secs(6);
/// How long one member may take for what another can be asked for instead.
const ATTEMPT: Duration = Duration::from_secs(2);
/// A pause once all members were tried in vain.
const PAUSE: Duration = Duration::from_millis(100);

/// One kind of request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    path: &'static str,
    /// Whether it may be asked for again when nobody knows if it happened.
    repeatable: bool,
}

pub(super) const RANGE: Method = Method { path: "/etcdserverpb.KV/Range", repeatable: true };
pub(super) const COMMIT: Method = Method { path: "/etcdserverpb.KV/Txn", repeatable: false };
pub(super) const READ: Method = Method { path: "/etcdserverpb.KV/Txn", repeatable: true };
pub(super) const COMPACT: Method = Method { path: "/etcdserverpb.KV/Compact", repeatable: true };
/// Asked for twice, the first lease ends by itself.
pub(super) const GRANT: Method = Method { path: "/etcdserverpb.Lease/LeaseGrant", repeatable: true };
pub(super) const REVOKE: Method = Method { path: "/etcdserverpb.Lease/LeaseRevoke", repeatable: true };
pub(super) const KEEP_ALIVE: Method = Method { path: "/etcdserverpb.Lease/LeaseKeepAlive", repeatable: true };
pub(super) const TIME_TO_LIVE: Method = Method { path: "/etcdserverpb.Lease/LeaseTimeToLive", repeatable: true };
const AUTHENTICATE: Method = Method { path: "/etcdserverpb.Auth/Authenticate", repeatable: true };
const WATCH: &str = "/etcdserverpb.Watch/Watch";

/// All members, and the session of the user.
pub(super) struct Members {
    dialer: Dialer,
    members: Vec<Member>,
    /// The one that is asked first.
    current: AtomicUsize,
    user: Option<User>,
    token: RwLock<Option<HeaderValue>>,
    /// etcd's own number of its cluster, as the first answer told.
    cluster: OnceLock<u64>,
    /// The latest revision that any answer told of.
    latest: AtomicU64,
    /// Connections live here, whoever asks for them.
    runtime: Handle,
}

struct Member {
    host: String,
    port: u16,
    /// `HOST:PORT`.
    name: String,
    /// `http://HOST:PORT`.
    origin: String,
    connection: Mutex<Option<Sender>>,
}

impl Members {
    /// Reaches nobody yet. Connections live on the present runtime.
    pub(super) fn new(settings: &EtcdSettings) -> Self {
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let member = |(host, port): (String, u16)| {
            let name = format!("{host}:{port}");
            let origin = format!("{scheme}://{name}");
            Member { host, port, name, origin, connection: Mutex::new(None) }
        };
        Self {
            dialer: Dialer::new(settings.tls.clone()),
            members: settings.address.hosts().map(member).collect(),
            current: AtomicUsize::new(0),
            user: settings.user.clone(),
            token: RwLock::new(None),
            cluster: OnceLock::new(),
            latest: AtomicU64::new(0),
            runtime: Handle::current(),
        }
    }

    /// etcd's number of its cluster; zero before the first answer.
    pub(super) fn cluster(&self) -> u64 {
        self.cluster.get().copied().unwrap_or_default()
    }

    /// The latest revision that was told so far.
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Asks members until one answers, or the time is over.
    pub(super) async fn call<M: Response>(&self, method: Method, request: &impl Message) -> Result<M, Failure> {
        self.call_until(method, request, Instant::now() + PATIENCE).await
    }

    /// Asks members until one answers, or until `deadline`.
    pub(super) async fn call_until<M: Response>(
        &self,
        method: Method,
        request: &impl Message,
        deadline: Instant,
    ) -> Result<M, Failure> {
        let message = grpc::frame(request);
        let mut reasons = Reasons::default();
        let mut sessions = 0;
        for attempt in 1.. {
            let (index, left) = (self.current(), deadline.saturating_duration_since(Instant::now()));
            let limit = if method.repeatable { left.min(ATTEMPT) } else { left };
            let failure = match self.attempt(index, method, message.clone(), limit).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match &failure {
                Failure::Refused { .. } if self.user.is_some() && failure.asks_for_new_session() && sessions == 0 => {
                    sessions += 1;
                    *self.token.write().unwrap_or_else(PoisonError::into_inner) = None;
                    continue;
                }
                Failure::Refused { .. } => return Err(failure),
                Failure::Unknown(_) if !method.repeatable => {
                    self.move_on(index).await;
                    return Err(failure);
                }
                Failure::Unsent(_) | Failure::Unknown(_) => self.move_on(index).await,
            }
            // An attempt that had less than its time knows less than the one before.
            if left >= ATTEMPT || !reasons.has(&self.members[index].name) {
                reasons.add(&self.members[index].name, failure.reason());
            }
            let pause = if attempt % self.members.len() == 0 { PAUSE } else { Duration::ZERO };
            if Instant::now() + pause >= deadline {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Err(Failure::Unsent(reasons.told()))
    }

    /// The member to ask.
    pub(super) fn current(&self) -> usize {
        self.current.load(Ordering::Acquire) % self.members.len()
    }

    /// Asks another from now on, unless somebody else has seen to that already.
    pub(super) async fn move_on(&self, from: usize) {
        let next = (from + 1) % self.members.len();
        let _other_was_first = self.current.compare_exchange(from, next, Ordering::AcqRel, Ordering::Acquire);
        // Whoever still waits on that connection has it; nobody new is given it.
        if let Ok(mut connection) = self.members[from].connection.try_lock() {
            *connection = None;
        }
    }

    pub(super) fn name(&self, index: usize) -> &str {
        &self.members[index].name
    }

    async fn attempt<M: Response>(
        &self,
        index: usize,
        method: Method,
        message: Bytes,
        limit: Duration,
    ) -> Result<M, Failure> {
        let deadline = Instant::now() + limit;
        let prepared = tokio::time::timeout_at(deadline, async {
            let mut sender = self.connection(index).await?;
            let token = self.session(index, &mut sender).await?;
            Ok((sender, token))
        });
        let (mut sender, token) =
            prepared.await.map_err(|_| Failure::Unsent(format!("no connection within {limit:.1?}")))??;
        let envelope = Envelope { origin: &self.members[index].origin, path: method.path, token: token.as_ref() };
        let answer = tokio::time::timeout_at(deadline, grpc::unary(&mut sender, envelope, message)).await;
        let answer: M = answer.map_err(|_| Failure::Unknown(format!("no answer within {limit:.1?}")))??;
        self.check_sender(index, &answer)?;
        Ok(answer)
    }

    /// An answer of another cluster is none.
    fn check_sender(&self, index: usize, answer: &impl Response) -> Result<(), Failure> {
        let Some(header) = answer.header() else { return Ok(()) };
        if *self.cluster.get_or_init(|| header.cluster_id) != header.cluster_id {
            let reason = format!("{} belongs to another etcd cluster than the rest", self.members[index].name);
            return Err(Failure::Refused { code: 9, message: reason });
        }
        self.latest.fetch_max(u64::try_from(header.revision).unwrap_or_default(), Ordering::AcqRel);
        Ok(())
    }

    /// The connection that requests to this member share.
    async fn connection(&self, index: usize) -> Result<Sender, Failure> {
        let member = &self.members[index];
        let mut connection = member.connection.lock().await;
        if let Some(sender) = connection.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let sender = self.dial(index).await?;
        *connection = Some(sender.clone());
        Ok(sender)
    }

    async fn dial(&self, index: usize) -> Result<Sender, Failure> {
        let member = &self.members[index];
        self.dialer.dial(&self.runtime, &member.host, member.port).await.map_err(Failure::Unsent)
    }

    /// The token of the user's session, which begins here if there is none.
    async fn session(&self, index: usize, sender: &mut Sender) -> Result<Option<HeaderValue>, Failure> {
        let Some(user) = &self.user else { return Ok(None) };
        if let Some(token) = self.token.read().unwrap_or_else(PoisonError::into_inner).clone() {
            return Ok(Some(token));
        }
        let request = AuthenticateRequest { name: user.name.clone(), password: user.password.clone() };
        let envelope = Envelope { origin: &self.members[index].origin, path: AUTHENTICATE.path, token: None };
        let answer = grpc::unary::<AuthenticateResponse>(sender, envelope, grpc::frame(&request)).await;
        let answer = answer.map_err(|failure| match failure {
            Failure::Unknown(reason) => Failure::Unsent(reason),
            other => other,
        })?;
        self.check_sender(index, &answer)?;
        let mut token = HeaderValue::from_str(&answer.token)
            .map_err(|_| Failure::Unsent("the session's token is no text".to_owned()))?;
        token.set_sensitive(true);
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(Some(token))
    }

    /// Opens a stream of changes over a connection of its own, so that a reader who is slow holds nobody else up.
    pub(super) async fn watch(
        &self,
        index: usize,
        first: &impl Message,
    ) -> Result<(mpsc::Sender<Bytes>, Stream), Failure> {
        let opened = tokio::time::timeout(ATTEMPT, async {
            let mut sender = self.dial(index).await?;
            let token = self.session(index, &mut sender).await?;
            let envelope = Envelope { origin: &self.members[index].origin, path: WATCH, token: token.as_ref() };
            grpc::stream(&mut sender, envelope, grpc::frame(first)).await
        });
        let opened = opened.await.map_err(|_| Failure::Unsent(format!("no answer within {ATTEMPT:.1?}")))?;
        if opened.as_ref().is_err_and(Failure::asks_for_new_session) {
            *self.token.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        opened
    }
}

/// The last failure of each member.
#[derive(Default)]
struct Reasons(Vec<(String, String)>);

impl Reasons {
    fn add(&mut self, member: &str, reason: &str) {
        self.0.retain(|(known, _)| known != member);
        self.0.push((member.to_owned(), reason.to_owned()));
    }

    fn has(&self, member: &str) -> bool {
        self.0.iter().any(|(known, _)| known == member)
    }

    fn told(&self) -> String {
        let each: Vec<_> = self.0.iter().map(|(member, reason)| format!("{member}: {reason}")).collect();
        format!("no member of etcd does what was asked ({})", each.join("; "))
    }
}

/// Shared by everything that asks.
pub(super) type Shared = Arc<Members>;
