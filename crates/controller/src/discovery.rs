//! Hosts that register themselves in etcd, and hosts of the pool that are written there: the keys below `engines/` are
//! followed, and the leading controller makes the pool's records and those keys agree.
//!
//! What is to be done is decided in `steps`, which is pure. Nothing here places anything or asks an engine: a host that
//! is not registered any more counts as down, and what lived there is the planner's business, as with any lost host.

mod carry_out;
mod follow;
mod register;
mod steps;

pub use register::{HostInRegistry, RegisterError};

use crate::Controller;
use carry_out::Settler;
use follow::View;
use futures_util::future::BoxFuture;
use pierhead_store::{Error, Store};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked again while something failed or a host that left is not forgotten.
const TICK: Duration = Duration::from_millis(250);
/// The same while nothing waits.
const IDLE_TICK: Duration = Duration::from_secs(10);

/// Opens a registry of hosts, however long that takes.
pub type OpenRegistry = Arc<dyn Fn() -> BoxFuture<'static, Arc<dyn Store>> + Send + Sync>;

impl Controller {
    /// Follows a registry of hosts, as soon as `open` has it; one that refuses us is opened anew. All controllers of a pool
    /// follow the same; the one that leads acts.
    pub fn discover(&self, open: OpenRegistry) {
        self.discovers.store(true, Ordering::Relaxed);
        let controller = self.clone();
        self.spawn(async move {
            loop {
                let registry = open().await;
                let (told, view) = watch::channel(None);
                tokio::select! {
                    () = follow::follow(Arc::clone(&registry), told) => {}
                    () = settle(controller.clone(), registry, view) => {}
                }
            }
        });
    }

    /// Whether a registry of hosts is followed.
    pub(crate) fn discovers(&self) -> bool {
        self.discovers.load(Ordering::Relaxed)
    }
}

/// Makes records and registry agree, whenever one of them has changed.
async fn settle(controller: Controller, registry: Arc<dyn Store>, mut view: watch::Receiver<Option<View>>) {
    let mut leading = controller.leading.subscribe();
    let mut settler = Settler::new(controller.clone(), registry);
    loop {
        view.mark_unchanged();
        leading.mark_unchanged();
        let tick = match settler.round(&view).await {
            Ok(false) => IDLE_TICK,
            Ok(true) => TICK,
            Err(error) => {
                match error {
                    Error::Conflict { .. } => tracing::debug!(%error, "the pool changed while hosts were registered"),
                    _ => tracing::warn!(%error, "registered hosts could not be taken over; it is tried again"),
                }
                TICK
            }
        };
        tokio::select! {
            changed = view.changed() => if changed.is_err() { return },
            changed = leading.changed() => if changed.is_err() { return },
            () = controller.engines.records_changed() => {}
            () = tokio::time::sleep(tick) => {}
        }
    }
}
