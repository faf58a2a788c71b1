//! Keeps a host registered: its key stands under a lease, is renewed, written anew if the lease was lost, and taken back
//! at the end. Runs on the host; it knows nothing of controllers.

use pierhead_model::{Endpoint, EngineId, Invalid, RegisteredSize, Registration};
use pierhead_store::{Error, LeaseId, Result, Store, Transaction};
use std::sync::Arc;
use std::time::Duration;

/// How many hosts may have the same digits.
const MOST_NAMESAKES: u32 = 100;
/// The wait after a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// How long taking the registration back may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a host cannot be registered, ever.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Its address gives no id.
    #[error("{at} gives no id for the host")]
    Name {
        /// The address.
        at: String,
        /// Why not.
        #[source]
        source: Invalid,
    },
}

/// A host that is to be registered.
pub struct HostInRegistry {
    registry: Arc<dyn Store>,
    at: Endpoint,
    size: RegisteredSize,
    id: EngineId,
    ttl: Duration,
}

impl HostInRegistry {
    /// A host whose engine answers at an address; its registration outlives it by `ttl`.
    ///
    /// # Errors
    /// If the address gives no id.
    pub fn new(
        registry: Arc<dyn Store>,
        at: Endpoint,
        size: RegisteredSize,
        ttl: Duration,
    ) -> Result<Self, RegisterError> {
        let id = at.id().map_err(|source| RegisterError::Name { at: at.to_string(), source })?;
        Ok(Self { registry, at, size, id, ttl })
    }

    /// Keeps the host registered until `stop` is done, and takes the registration back then. Ends earlier if the registry
    /// refuses us, as one does that was put in the place of another: it is to be opened anew.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut held = None;
        tokio::select! {
            () = stop => {}
            () = self.keep(&mut held) => return,
        }
        let Some(lease) = held else { return };
        match tokio::time::timeout(FAREWELL, self.registry.revoke(lease)).await {
            Ok(Ok(())) => tracing::info!("this host is not registered any more"),
            _ => tracing::warn!("the registration could not be taken back; it ends by itself"),
        }
    }

    /// Registers and renews until the registry refuses; `held` is the lease that stands.
    async fn keep(&self, held: &mut Option<LeaseId>) {
        let mut is_away = false;
        loop {
            let outcome = match *held {
                None => self.register(held).await,
                Some(lease) => self.renew(lease).await,
            };
            match outcome {
                Ok(()) if is_away => {
                    tracing::info!("etcd answers again");
                    is_away = false;
                }
                Ok(()) => {}
                Err(Error::LeaseGone { .. }) => {
                    tracing::warn!("the registration has ended; this host registers again");
                    *held = None;
                }
                Err(error @ Error::Denied { .. }) => {
                    tracing::warn!(%error, "etcd is opened anew");
                    return tokio::time::sleep(PAUSE).await;
                }
                Err(error) => {
                    if !is_away {
                        tracing::warn!(%error, "etcd does not do what it is asked; it is tried again");
                    }
                    is_away = true;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Waits for a third of the lease's life, and renews it.
    async fn renew(&self, lease: LeaseId) -> Result<()> {
        tokio::time::sleep(self.ttl / 3).await;
        self.registry.keep_alive(lease).await
    }

    async fn register(&self, held: &mut Option<LeaseId>) -> Result<()> {
        let lease = self.registry.grant(self.ttl).await?;
        match self.write(lease).await {
            Ok(id) => {
                *held = Some(lease);
                tracing::info!(engine = %id, at = %self.at, cpus = self.size.cpus, memory_mb = self.size.memory_mb, "this host is registered");
                Ok(())
            }
            Err(error) => {
                // It holds nothing, or something that shall not stay; if this fails it ends by itself.
                let _ = self.registry.revoke(lease).await;
                Err(error)
            }
        }
    }

    /// Writes the key, under the first id that no other host has.
    async fn write(&self, lease: LeaseId) -> Result<EngineId> {
        for number in 1..=MOST_NAMESAKES {
            let Some(id) = self.numbered(number) else { break };
            let registration = Registration { id, at: self.at.clone(), size: Some(self.size) };
            let key = registration.key();
            let transaction = match self.registry.get(&key).await? {
                None => Transaction::new().absent(key.as_str()),
                Some(found) => match Registration::parse(&key, &found.value) {
                    Ok(other) if other.at != self.at => {
                        tracing::warn!(key, other = %other.at, at = %self.at, "another host has this id; the next is tried");
                        continue;
                    }
                    // It is ours of earlier, or nobody's.
                    _ => Transaction::new().unchanged(key.as_str(), found.modified),
                },
            };
            self.registry.commit(transaction.put_leased(key, registration.value().into_bytes(), lease)).await?;
            return Ok(registration.id);
        }
        Err(Error::Unavailable { reason: format!("{MOST_NAMESAKES} hosts are registered as {}", self.id) })
    }

    fn numbered(&self, number: u32) -> Option<EngineId> {
        match number {
            1 => Some(self.id.clone()),
            _ => EngineId::parse(format!("{}-{number}", self.id)).ok(),
        }
    }
}
