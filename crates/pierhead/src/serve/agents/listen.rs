//! The listener for agents: takes tunnels of hosts that are believed, follows their beats, and gives certificates to
//! those that ask with a token or with a certificate that counts.

use super::refusals::{self, Refused};
use super::{Agents, Told};
use crate::serve::tls::Shown;
use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use pierhead_agent::{Call, Grant, Joining, Reply, Timing, Tunnel, accept_call, is_signed, listener_config};
use pierhead_controller::{Authority, Controller, JoinError, Joined, JoiningHost, fingerprint};
use pierhead_model::EngineId;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How many connections may be on their way to being believed.
const MOST_STRANGERS: usize = 1024;
/// How long a host may be without a beat before it is asked whether it is there.
const SILENCE: Duration = Duration::from_millis(400);
/// The least time between two looks at whose certificates count.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How long nothing is taken after the system had no connection to give.
const PAUSE: Duration = Duration::from_millis(200);

/// What a listener needs.
pub(in crate::serve) struct Listener {
    pub agents: Arc<Agents>,
    pub controller: Controller,
    pub authority: Arc<Authority>,
    /// How long certificates are good.
    pub life: Duration,
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
        let from = stream.peer_addr().map_or_else(|_| "an unknown address".to_owned(), |from| from.ip().to_string());
        match accept_call(stream, acceptor, &self.timing).await {
            Ok(call) => Some(call),
            Err(error) => {
                let why = in_words(&error);
                tracing::info!(from, why, "a call to the listener for agents was refused");
                self.refused(None, "no_certificate", format!("a call from {from}: {why}"));
                None
            }
        }
    }

    async fn serve(&self, call: Call) {
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
    async fn host(&self, tunnel: Tunnel) {
        let shown = fingerprint(tunnel.peer());
        let Some(id) = self.controller.agent_of(&shown) else {
            self.refused(
                None,
                "revoked",
                format!("a call from {} with a certificate that does not count", tunnel.from()),
            );
            return tunnel.cut();
        };
        let Ok(mut beats) = tunnel.beats().await else { return };
        let number = self.agents.opened(&id, tunnel.clone(), shown.clone());
        // It may have been revoked between the two.
        if !self.controller.is_agent_of(&id, &shown) {
            self.agents.closed(&id, number);
            return tunnel.cut();
        }
        tracing::info!(engine = %id, from = %tunnel.from(), "the tunnel is open");
        self.controller.probe_now(&id);
        if let Err(error) = self.controller.settle_agent(&id, &shown).await {
            tracing::warn!(engine = %id, %error, "an old certificate counts on for now");
        }
        drop(tunnel);
        loop {
            match tokio::time::timeout(SILENCE, beats.next()).await {
                Ok(Some(Ok(_))) => {}
                Ok(_) => break,
                // A doubt is no death: the probe tells.
                Err(_) => self.controller.probe_now(&id),
            }
        }
        if self.agents.closed(&id, number) {
            tracing::info!(engine = %id, "the tunnel is gone");
            self.controller.probe_now(&id);
        }
    }

    async fn reply(&self, joining: &Joining) -> Reply {
        match self.grant(joining).await {
            Ok(joined) => {
                tracing::info!(engine = %joined.engine, from = %joining.from, "a host has a new certificate");
                Reply::Granted(Grant {
                    engine: joined.engine.to_string(),
                    certificate: STANDARD.encode(joined.certificate),
                    life_ms: u64::try_from(self.life.as_millis()).unwrap_or(u64::MAX),
                })
            }
            Err(error) => {
                let why = in_words(&error);
                self.refused(None, code(&error), format!("a host at {}: {why}", joining.from.ip()));
                Reply::Refused(why)
            }
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
                    address: ask.address.clone().unwrap_or_else(|| joining.from.ip().to_string()),
                    labels: ask.labels.clone(),
                    public_key,
                };
                self.controller.join_host(&self.authority, secret, &host, self.life).await
            }
            (None, Some(shown)) => {
                self.controller.renew_agent(&self.authority, &fingerprint(shown), &public_key, self.life).await
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
                self.controller.probe_now(&id);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    fn refused(&self, engine: Option<EngineId>, code: &str, what: String) {
        // Where so many wait, one more tells nothing new.
        let _full = self.agents.refused.try_send(Refused { engine, code: code.to_owned(), what });
    }
}

fn code(error: &JoinError) -> &'static str {
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
fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        words = format!("{words}: {cause}");
        next = cause.source();
    }
    words
}
