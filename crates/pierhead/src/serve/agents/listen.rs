//! The listener for agents: takes tunnels of hosts that are believed, follows their beats, and gives certificates to
//! those that ask with a token or with a certificate that counts.

use super::refusals::{self, Refused};
use super::{Agents, Told};
use crate::serve::tls::Shown;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use pierhead_agent::{
    AgentError, Beat, Call, Grant, Joining, Reply, Standing, Timing, Tunnel, accept_call, is_signed, listener_config,
};
use pierhead_controller::{
    Admission, Authority, Controller, EngineAnswers, Heard, HostBeat, HostLoad, JoinError, Joined, JoiningHost,
    fingerprint,
};
use pierhead_model::EngineId;
use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How many connections may be on their way to being believed.
const MOST_STRANGERS: usize = 1024;
/// The least time between two looks at whose certificates count.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long nothing is taken after the system had no connection to give.
const PAUSE: Duration = Duration::from_millis(200);

/// What a listener needs.
pub(in crate::serve) struct Listener {
    pub agents: Arc<Agents>,
    pub controller: Controller,
    pub authority: Arc<Authority>,
    pub admission: Admission,
    pub timing: Timing,
}

/// Takes calls, for ever. `shown` is the controller's own certificate.
pub(in crate::serve) async fn listen(listener: TcpListener, told: Told, shown: Shown, hosts: Listener) -> Result<()> {
    let authority = hosts.authority.certificate_der().to_vec().into();
    let config = listener_config(authority, shown.resolver()).context("the listener for agents")?;
    let (acceptor, hosts) = (TlsAcceptor::from(Arc::new(config)), Arc::new(hosts));
    let strangers = Arc::new(Semaphore::new(MOST_STRANGERS));
    let mut tasks = JoinSet::new();
    tasks.spawn(refusals::tell(hosts.controller.clone(), told));
    tasks.spawn(Arc::clone(&hosts).watch());
    loop {
        let Ok(place) = Arc::clone(&strangers).acquire_owned().await else { return Ok(()) };
        match listener.accept().await {
            Ok((stream, _)) => {
                let (hosts, acceptor) = (Arc::clone(&hosts), acceptor.clone());
                tasks.spawn(async move {
                    let call = hosts.take(stream, &acceptor).await;
                    drop(place);
                    if let Some(call) = call {
                        hosts.serve(call).await;
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no agent's connection can be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
        while tasks.try_join_next().is_some() {}
    }
}

impl Listener {
    async fn take(&self, stream: TcpStream, acceptor: &TlsAcceptor) -> Option<Call> {
        let from = stream.peer_addr().ok().map(|from| from.ip());
        match accept_call(stream, acceptor, &self.timing).await {
            Ok(call) => Some(call),
            Err(error) => {
                if let Some(from) = from {
                    self.refused_call(None, from, &error);
                }
                None
            }
        }
    }

    async fn serve(self: &Arc<Self>, call: Call) {
        match call {
            Call::Tunnel(tunnel) => self.host(tunnel).await,
            Call::Join(joining) => {
                let reply = self.reply(&joining).await;
                if let Err(error) = joining.answer(&reply, self.timing.handshake).await {
                    tracing::info!(error = in_words(&error), "a host did not take the answer to its request");
                }
            }
        }
    }

    /// A tunnel from its first to its last beat.
    async fn host(self: &Arc<Self>, tunnel: Tunnel) {
        let shown = fingerprint(tunnel.peer());
        let Some(id) = self.controller.agent_of(&shown) else {
            self.refused(
                None,
                "revoked",
                format!("a call from {} with a certificate that does not count", tunnel.from()),
            );
            return tunnel.cut();
        };
        let mut beats = match tunnel.beats().await {
            Ok(beats) => beats,
            Err(error) => return self.refused_call(Some(id), tunnel.from().ip(), &error),
        };
        if self.controller.waits_for_approval(&id) && !self.until_approved(&id, &shown, &tunnel, &mut beats).await {
            return tunnel.cut();
        }
        let number = self.agents.opened(&id, tunnel.clone(), shown.clone());
        // It may have been revoked between the two.
        if !self.controller.is_agent_of(&id, &shown) {
            self.agents.closed(&id, number);
            return tunnel.cut();
        }
        let from = tunnel.from();
        tracing::info!(engine = %id, %from, "the tunnel is open");
        self.controller.hear(&id, Heard::Opened);
        self.controller.probe_now(&id);
        if let Err(error) = self.controller.settle_agent(&id, &shown).await {
            tracing::warn!(engine = %id, %error, "an old certificate counts on for now");
        }
        drop(tunnel);
        let telling = tokio::spawn(Arc::clone(self).keep_told(id.clone(), number, from.ip()));
        let introducing = tokio::spawn(Arc::clone(self).keep_introduced(id.clone(), number));
        let leasing = tokio::spawn(Arc::clone(self).keep_leased(id.clone(), number));
        while let Some(Ok(beat)) = beats.next().await {
            if !self.agents.is_newest(&id, number) {
                break;
            }
            self.controller.hear(&id, heard(beat));
        }
        telling.abort();
        introducing.abort();
        leasing.abort();
        if self.agents.closed(&id, number) {
            tracing::info!(engine = %id, "the tunnel is gone");
            self.controller.hear(&id, Heard::Ended);
        }
    }

    async fn reply(&self, joining: &Joining) -> Reply {
        if joining.ask.look {
            return self.standing(joining);
        }
        match self.grant(joining).await {
            Ok(joined) => {
                tracing::info!(engine = %joined.engine, from = %joining.from, "a host has a new certificate");
                Reply::Granted(Grant {
                    engine: joined.engine.to_string(),
                    certificate: STANDARD.encode(joined.certificate),
                    life_ms: u64::try_from(self.admission.life.as_millis()).unwrap_or(u64::MAX),
                    waits: joined.waits,
                })
            }
            Err(error) => self.refuse(joining, &error),
        }
    }

    fn refuse(&self, joining: &Joining, error: &JoinError) -> Reply {
        let why = in_words(error);
        self.refused(None, code(error), format!("a host at {}: {why}", joining.from.ip()));
        Reply::Refused(why)
    }

    /// How a host stands that asks for nothing else.
    fn standing(&self, joining: &Joining) -> Reply {
        let shown = joining.peer.as_ref().map(|shown| fingerprint(shown));
        let known = shown.as_deref().map(|shown| self.controller.agent_of(shown));
        match known {
            Some(Some(id)) => Reply::Standing(Standing {
                waits: self.controller.waits_for_approval(&id),
                engine: id.to_string(),
                now_ms: self.controller.clock().now().0,
            }),
            Some(None) => self.refuse(joining, &JoinError::Revoked),
            None => self.refuse(joining, &JoinError::Unknown),
        }
    }

    async fn grant(&self, joining: &Joining) -> Result<Joined, JoinError> {
        let ask = &joining.ask;
        let unsigned = || JoinError::Invalid("the request is not signed with the key that it is about".to_owned());
        let public_key = is_signed(&ask.public_key, &ask.signature).ok_or_else(unsigned)?;
        match (&ask.secret, &joining.peer) {
            (Some(secret), _) => {
                let host = JoiningHost {
                    id: ask.id.clone(),
                    name: ask.name.clone(),
                    is_address_given: ask.address.is_some(),
                    address: ask.address.clone().unwrap_or_else(|| joining.from.ip().to_string()),
                    labels: ask.labels.clone(),
                    public_key,
                };
                self.controller.join_host(&self.authority, secret, &host, self.admission).await
            }
            (None, Some(shown)) => {
                let life = self.admission.life;
                self.controller.renew_agent(&self.authority, &fingerprint(shown), &public_key, life).await
            }
            (None, None) => Err(JoinError::Unknown),
        }
    }

    /// Cuts off whoever is revoked or removed, for ever.
    async fn watch(self: Arc<Self>) {
        let mut changes = self.controller.changes();
        while changes.changed().await.is_ok() {
            let cut = self.agents.cut(|id, shown| self.controller.is_agent_of(id, shown));
            for id in cut {
                tracing::info!(engine = %id, "the tunnel was cut: the host is revoked or removed");
                self.controller.hear(&id, Heard::ShutOut);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// A call that led to nothing.
    fn refused_call(&self, engine: Option<EngineId>, from: IpAddr, error: &AgentError) {
        let why = in_words(error);
        tracing::info!(%from, why, "a call to the listener for agents came to nothing");
        if let Some(code) = refusals::code_of_call(error) {
            self.refused(engine, code, format!("a call from {from}: {why}"));
        }
    }

    pub(super) fn refused(&self, engine: Option<EngineId>, code: &str, what: String) {
        // Where so many wait, one more tells nothing new.
        let _full = self.agents.refused.try_send(Refused { engine, code: code.to_owned(), what });
    }
}

/// A beat as the controller judges it.
fn heard(beat: Beat) -> Heard {
    let engine = beat.engine.map(|word| EngineAnswers { silent_ms: word.silent_ms, refuses: word.refuses });
    let load = HostLoad { cpu_permille: beat.load.cpu_permille, memory_available: beat.load.memory_available };
    Heard::Beat(HostBeat { run: beat.run, late_ms: beat.late_ms, engine, gave_up: beat.gave_up, load: Some(load) })
}

pub(super) fn code(error: &JoinError) -> &'static str {
    match error {
        JoinError::Unknown => "unknown_token",
        JoinError::Expired => "expired_token",
        JoinError::Used(_) => "used_token",
        JoinError::Revoked => "revoked",
        JoinError::Invalid(_) => "invalid",
        JoinError::Sign(_) | JoinError::Store(_) => "failed",
    }
}

/// An error with its causes.
pub(super) fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    words
}
