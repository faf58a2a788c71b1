//! How hosts come into the pool by themselves: one-use secrets, certificates for their agents, and their revocation.
//!
//! A certificate counts as long as its fingerprint stands in the record of its engine; the record is all there is to
//! ask. Of secrets only hashes are kept. Nothing here knows how agents are reached.

mod placing;
#[cfg(test)]
mod tests;
mod told;

pub use told::HostTold;

use crate::requests::RequestError;
use crate::{Actor, Authority, AuthorityError, Controller, Once, fingerprint, keys};
use pierhead_model::{AgentCertificate, AgentKeys, Engine, EngineId, EventTag, HealthStatus, Timestamp, Username};
use pierhead_store::{Error, StoreJson, Transaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How often a change is tried anew that others are faster with.
const ATTEMPTS: usize = 10;

/// A secret with which one host may join.
pub struct JoinSecret {
    /// It exists nowhere else.
    pub secret: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// The record of one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct JoinRecord {
    created_by: Username,
    expires_at: Timestamp,
    /// Whether its host needs no approval.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    approved: bool,
    /// The host that joined with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    used_by: Option<EngineId>,
}

/// A host that wants to join, as it describes itself: nothing of it is checked.
#[derive(Debug, Clone, Default)]
pub struct JoiningHost {
    /// What it shall be called, and not otherwise.
    pub id: Option<String>,
    /// What it calls itself.
    pub name: Option<String>,
    /// Where its published ports answer.
    pub address: String,
    /// Whether it says so itself; else it is where it calls from.
    pub is_address_given: bool,
    /// Labels to place by.
    pub labels: Vec<String>,
    /// The public key of its agent, of which it has shown to have the private half.
    pub public_key: Vec<u8>,
}

/// How hosts are taken.
#[derive(Debug, Clone, Copy)]
pub struct Admission {
    /// How long their certificates are good.
    pub life: Duration,
    /// Whether they wait for an administrator, unless their token says otherwise.
    pub needs_approval: bool,
}

/// A host that has a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The engine.
    pub engine: EngineId,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Whether the host waits for approval.
    pub waits: bool,
}

/// Why a host gets no certificate.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// There is no such secret, or it is forgotten.
    #[error("the join token is not one of this pool's, or has expired; make one with 'pierhead engine join-command'")]
    Unknown,
    /// It is there, and too old.
    #[error("the join token has expired; make another with 'pierhead engine join-command'")]
    Expired,
    /// Another host came with it.
    #[error("the join token was used already, by host {0}; each is good for one host")]
    Used(EngineId),
    /// The certificate does not count.
    #[error("this host's certificate was revoked or replaced; join again with a new token")]
    Revoked,
    /// Something that the host says of itself.
    #[error("{0}")]
    Invalid(String),
    /// The authority does not sign.
    #[error("no certificate can be signed now")]
    Sign(#[from] AuthorityError),
    /// The store can't do it.
    #[error("the pool cannot take this host now")]
    Store(#[from] Error),
}

impl Controller {
    /// A secret with which one host may join; `approved` if it shall not wait for approval.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn make_join_secret(
        &self,
        actor: &Actor,
        life: Duration,
        approved: bool,
        once: Option<&Once>,
    ) -> Result<JoinSecret, RequestError> {
        self.forget_join_secrets().await?;
        let (secret, now) = (hexadecimal(&rand::random::<[u8; 32]>()), self.clock.now());
        let expires_at = now.plus(u64::try_from(life.as_millis()).unwrap_or(u64::MAX));
        let record = JoinRecord { created_by: actor.username.clone(), expires_at, approved, used_by: None };
        let transaction = Transaction::new().put_json(keys::join(&hash(&secret)), &record)?;
        let message = format!("good for={} s{}", life.as_secs(), if approved { ", approved" } else { "" });
        let kind = "make-join-token";
        let mut transaction = self.with_event(transaction, kind, message, EventTag::Cluster, Some(&actor.username))?;
        if let Some(once) = once {
            transaction = once.remember(transaction)?;
        }
        self.store.commit(transaction).await?;
        Ok(JoinSecret { secret, expires_at })
    }

    /// Those that expired a day ago: until then a host is told why it is refused.
    async fn forget_join_secrets(&self) -> Result<(), Error> {
        let now = self.clock.now();
        for entry in self.store.list_all(keys::JOINS).await?.entries {
            let is_old = |record: JoinRecord| now.since(record.expires_at) > 24 * 3600 * 1000;
            if entry.json::<JoinRecord>().is_ok_and(is_old) {
                self.store.commit(Transaction::new().delete(entry.key)).await?;
            }
        }
        Ok(())
    }

    /// Takes a host into the pool for a secret, which is used up by that.
    ///
    /// # Errors
    /// The secret is not good, or the host cannot be called what it wants to be.
    pub async fn join_host(
        &self,
        authority: &Authority,
        secret: &str,
        host: &JoiningHost,
        admission: Admission,
    ) -> Result<Joined, JoinError> {
        let token_key = keys::join(&hash(secret));
        for _ in 0..ATTEMPTS {
            let found = self.store.get_json::<JoinRecord>(&token_key).await?;
            let (token, revision) = found.ok_or(JoinError::Unknown)?;
            let now = self.clock.now();
            if let Some(used_by) = token.used_by {
                return Err(JoinError::Used(used_by));
            }
            if token.expires_at <= now {
                return Err(JoinError::Expired);
            }
            let mut place = placing::place(self, host, &token.created_by, now).await?;
            let life = admission.life;
            let certificate = authority.issue_client(&host.public_key, place.engine.id.as_str(), now, life)?;
            let waits = admission.needs_approval && !token.approved;
            place.engine.agent = Some(AgentKeys {
                certificates: vec![kept(&certificate, now, life)],
                waits,
                labels: host.labels.iter().cloned().collect(),
                is_address_given: host.is_address_given,
            });
            let id = place.engine.id.clone();
            let used = JoinRecord { used_by: Some(id.clone()), ..token };
            let transaction = Transaction::new().unchanged(token_key.clone(), revision);
            let transaction = transaction.put_json(token_key.clone(), &used)?;
            let key = keys::engine(&id);
            let transaction = match place.replaces {
                None => transaction.absent(key.clone()),
                Some(revision) => transaction.unchanged(key.clone(), revision),
            };
            let transaction = transaction.put_json(key, &place.engine)?;
            let waiting = if waits { ", waits for approval" } else { "" };
            let message = format!("addr={} by={}{waiting}", place.engine.addr, used.created_by);
            match self.commit_of_agent(transaction, "join-engine", message, &place.engine, None).await {
                Ok(()) => return Ok(Joined { engine: id, certificate, waits }),
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(JoinError::Invalid("too many hosts join at the same moment; try again".to_owned()))
    }

    /// A fresh certificate for the host that shows one which counts.
    ///
    /// # Errors
    /// [`JoinError::Revoked`] if it does not count.
    pub async fn renew_agent(
        &self,
        authority: &Authority,
        shown: &str,
        public_key: &[u8],
        life: Duration,
    ) -> Result<Joined, JoinError> {
        for _ in 0..ATTEMPTS {
            let id = self.agent_of(shown).ok_or(JoinError::Revoked)?;
            let found = self.store.get_json::<Engine>(&keys::engine(&id)).await?;
            let (mut engine, revision) = found.ok_or(JoinError::Revoked)?;
            let now = self.clock.now();
            let certificate = authority.issue_client(public_key, id.as_str(), now, life)?;
            let kept_keys = engine.agent.take().unwrap_or_default();
            let (mut certificates, waits) = (kept_keys.certificates.clone(), kept_keys.waits);
            // What was issued before and never shown is not known to anybody who counts.
            certificates.retain(|known| known.fingerprint == shown);
            if certificates.is_empty() {
                return Err(JoinError::Revoked);
            }
            certificates.push(kept(&certificate, now, life));
            engine.agent = Some(AgentKeys { certificates, ..kept_keys });
            let key = keys::engine(&id);
            let transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &engine)?;
            match self.store.commit(transaction).await {
                Ok(revision) => {
                    self.reached(revision).await;
                    return Ok(Joined { engine: id, certificate, waits });
                }
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(JoinError::Invalid("the record of this host is being changed; try again".to_owned()))
    }

    /// The engine whose agent a certificate is of, if that counts.
    #[must_use]
    pub fn agent_of(&self, fingerprint: &str) -> Option<EngineId> {
        let known = self.known();
        let found = known.world.engines().values().find(|engine| counts(&engine.record, fingerprint));
        found.map(|engine| engine.record.id.clone())
    }

    /// Whether a certificate is of an engine's agent, and counts.
    #[must_use]
    pub fn is_agent_of(&self, id: &EngineId, fingerprint: &str) -> bool {
        self.known().world.engines().get(id).is_some_and(|engine| counts(&engine.record, fingerprint))
    }

    /// Takes note that a host has shown a certificate: those that it replaces count no longer.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn settle_agent(&self, id: &EngineId, shown: &str) -> Result<(), Error> {
        let key = keys::engine(id);
        let Some((mut engine, revision)) = self.store.get_json::<Engine>(&key).await? else { return Ok(()) };
        let Some(keys) = engine.agent.as_mut() else { return Ok(()) };
        let Some(at) = keys.certificates.iter().position(|known| known.fingerprint == shown) else { return Ok(()) };
        if at == 0 {
            return Ok(());
        }
        keys.certificates.drain(..at);
        match self.store.commit(Transaction::new().unchanged(key.clone(), revision).put_json(key, &engine)?).await {
            // Whoever was faster may have revoked it; the next call settles it otherwise.
            Ok(_) | Err(Error::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Revokes the certificates of a host's agent: it is shut out until it joins again. What runs there runs on.
    ///
    /// # Errors
    /// If there is no such engine, or it has no agent.
    pub async fn revoke_agent(&self, actor: &Actor, id: &str, once: Option<&Once>) -> Result<(), RequestError> {
        if let Some(once) = once
            && once.was_done().await?
        {
            return Ok(());
        }
        let not_found =
            || RequestError::NotFound { what: "engine", id: id.chars().take(64).collect(), replaced_by: None };
        let id = EngineId::parse(id).map_err(|_| not_found())?;
        loop {
            let found = self.store.get_json::<Engine>(&keys::engine(&id)).await?;
            let (mut engine, revision) = found.ok_or_else(not_found)?;
            let Some(kept_keys) = engine.agent.take() else {
                let expected =
                    "a host with an agent; this one is reached at its address, and can be removed".to_owned();
                return Err(RequestError::Invalid { field: "id", expected });
            };
            engine.agent = Some(AgentKeys { certificates: Vec::new(), ..kept_keys });
            let key = keys::engine(&id);
            let mut transaction = Transaction::new().unchanged(key.clone(), revision).put_json(key, &engine)?;
            if let Some(once) = once {
                transaction = once.remember(transaction)?;
            }
            let message = format!("addr={}", engine.addr);
            let committed = self.commit_of_agent(transaction, "revoke-engine", message, &engine, Some(actor)).await;
            match committed {
                Ok(()) => return Ok(()),
                Err(Error::Conflict { .. }) if once.is_some() => {
                    if let Some(once) = once
                        && once.was_done().await?
                    {
                        return Ok(());
                    }
                }
                Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Tells of what an agent, or who claims to be one, was refused.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn tell_of_agent(&self, id: Option<&EngineId>, kind: &str, message: String) -> Result<(), Error> {
        let event = match id {
            Some(id) => self.event_of_engine(&self.known(), kind, message, id, None),
            None => self.event_of_pool(kind, message),
        };
        self.store.commit(Transaction::new().put_json(keys::event(&event.id), &event)?).await.map(drop)
    }

    /// Probes an engine at once: somebody doubts that it is there, or knows that it is back.
    pub fn probe_now(&self, id: &EngineId) {
        if let Some(link) = self.engines.link(id) {
            link.probe();
        }
    }

    /// Tells the term that requests to hosts bear, whenever it is asked: its own if this controller leads. What people ask
    /// of one host (its containers that are not ours, an image that it shall have) any controller does, in the term of
    /// the leader that it knows of; one that led lately does not, so that nothing of its own goes on in a later term.
    pub fn term(&self) -> impl Fn() -> Option<u64> + Send + Sync + 'static {
        let (standing, shared) = (std::sync::Arc::clone(&self.standing), std::sync::Arc::clone(&self.shared));
        move || {
            let of_another = || shared.read().leader.as_ref().map(|(_, term)| term.value());
            standing.term().or_else(|| if standing.is_long_over() { of_another() } else { None })
        }
    }

    async fn commit_of_agent(
        &self,
        transaction: Transaction,
        kind: &str,
        message: String,
        engine: &Engine,
        actor: Option<&Actor>,
    ) -> Result<(), Error> {
        let health = pierhead_model::Health { status: HealthStatus::Pending, ..Default::default() };
        let then = pierhead_model::EngineThen::new(engine, None, &health);
        let event = pierhead_model::Event {
            engine: Some(Box::new(then)),
            actor: actor.map(|actor| actor.username.clone()),
            ..self.event_of_pool(kind, message)
        };
        let transaction = transaction.put_json(keys::event(&event.id), &event)?;
        let revision = self.store.commit(transaction).await?;
        self.reached(revision).await;
        Ok(())
    }
}

fn kept(certificate: &[u8], now: Timestamp, life: Duration) -> AgentCertificate {
    let expires_at = now.plus(u64::try_from(life.as_millis()).unwrap_or(u64::MAX));
    AgentCertificate { fingerprint: fingerprint(certificate), expires_at }
}

fn counts(engine: &Engine, fingerprint: &str) -> bool {
    let keys = engine.agent.as_ref();
    keys.is_some_and(|keys| keys.certificates.iter().any(|known| known.fingerprint == fingerprint))
}

fn hash(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
