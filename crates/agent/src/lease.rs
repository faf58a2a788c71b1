//! The lease under which this host runs what must not run twice in the pool: until when, and what may be started under
//! it. [`Leases::guard`] stops all of it once the lease has ended.
//!
//! A controller asks for a stamp of this host's clock, and grants a time that counts from there. So the lease ends here
//! before it does in the eyes of whoever granted it, however long the grant was on its way, and a grant that comes late
//! or twice is worth no more. The clock is the one that goes on while the machine sleeps.
//!
//! The end is on disk before it counts, for an agent that is killed and started again: it neither stops what it need not
//! nor forgets what it must. No power failure has to be outlived, as nothing of this runs then.

mod containers;
mod file;
mod guard;
pub(crate) mod processes;

use crate::engine::EngineSocket;
use crate::error::Result;
use crate::farewell::Farewell;
use crate::refusal::Refusal;
use containers::Containers;
use file::{File, Kept};
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The label of containers that need a lease.
pub const SINGLE_WRITER: &str = "pierhead.single-writer";
/// The time since the machine was switched on.
type Clock = Box<dyn Fn() -> Duration + Send + Sync>;

/// The longest time that is granted at once: whoever does not know what was granted before can wait for it.
pub const LONGEST_LEASE: Duration = Duration::from_secs(10);
/// How long after the end of a lease what needs one has been stopped at the latest, if the agent is let run.
pub const STOPPED_WITHIN: Duration = Duration::from_millis(4_000);
/// How much of the lease must be left to start something.
const SPARE: Duration = Duration::from_secs(3);

/// A moment of a host's clock, which means something to that host only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Since which start of the machine the clock counts.
    pub boot: String,
    /// What it says, in milliseconds.
    pub at_ms: u64,
}

/// What a controller grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseGrant {
    /// The stamp that it counts from: since which start of the machine its clock counts.
    pub boot: String,
    /// What that clock said, in milliseconds.
    pub at_ms: u64,
    /// How long it lasts, in milliseconds.
    pub lasts_ms: u64,
}

impl Stamp {
    /// A lease that counts from it.
    #[must_use]
    pub fn grant(self, lasts: Duration) -> LeaseGrant {
        LeaseGrant { boot: self.boot, at_ms: self.at_ms, lasts_ms: millis(lasts) }
    }
}

/// The answer to a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// How long the lease lasts from now on, in milliseconds.
    pub(crate) left_ms: u64,
}

/// The lease of this host, and what is known to need one.
pub struct Leases {
    engine: Containers,
    file: File,
    boot: String,
    clock: Clock,
    /// The end of the lease by the clock, in milliseconds; 0 if there is none.
    ends_ms: AtomicU64,
    /// The end after which nothing was found to run any more; a lease of the past that is not it is still to be enforced.
    enforced_ms: AtomicU64,
    /// The containers that need a lease, whether or not they run.
    known: Mutex<BTreeSet<String>>,
    /// Whether the engine has told what there was before this run.
    is_listed: AtomicBool,
    /// Whether something was described in this run that needs a lease: then every start is looked at.
    is_described: AtomicBool,
    /// Whether this agent ends: nothing is granted or started any more.
    is_ending: AtomicBool,
    /// Says that it ends and nothing runs any more that needs a lease.
    farewell: Farewell,
    writing: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl std::fmt::Debug for Leases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leases").field("ends_ms", &self.ends_ms).finish_non_exhaustive()
    }
}

impl Leases {
    /// Reads what an earlier run had, in the directory of the agent's state.
    ///
    /// # Errors
    /// There is a file that cannot be read: then nobody knows what may still run here.
    pub fn open(dir: &Path, engine: &Path) -> Result<Arc<Self>> {
        Self::at(dir, engine, file::boot(), Box::new(clock))
    }

    fn at(dir: &Path, engine: &Path, boot: String, clock: Clock) -> Result<Arc<Self>> {
        let file = File::in_dir(dir);
        // What was agreed on before the machine started is past, and so is all that ran.
        let kept = file.read()?.filter(|kept| kept.boot == boot).unwrap_or_default();
        Ok(Arc::new(Self {
            engine: Containers::new(EngineSocket::new(engine)),
            file,
            boot,
            clock,
            ends_ms: AtomicU64::new(kept.ends_ms),
            enforced_ms: AtomicU64::new(u64::MAX),
            known: Mutex::new(kept.containers),
            is_listed: AtomicBool::new(false),
            is_described: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            farewell: Farewell::default(),
            writing: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// This moment of the host's clock.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { boot: self.boot.clone(), at_ms: self.now_ms() }
    }

    /// Takes what is granted; tells how long the lease lasts from now, in milliseconds.
    pub(crate) async fn take(&self, grant: &LeaseGrant) -> std::result::Result<u64, Refusal> {
        let longest = millis(LONGEST_LEASE);
        if grant.boot != self.boot || grant.at_ms > self.now_ms() || grant.lasts_ms > longest {
            let message = format!("a lease must count from a stamp of this host, and last at most {longest} ms");
            return Err(Refusal::malformed(message));
        }
        let _turn = self.writing.lock().await;
        self.check_goes_on()?;
        let ended = self.ends_ms.load(Ordering::Acquire);
        if ended <= self.now_ms() && self.enforced_ms.load(Ordering::Acquire) != ended {
            let message = "the last lease has ended, and it is still to be seen that nothing runs any more";
            return Err(Refusal::new(StatusCode::CONFLICT, "lease_ending", message));
        }
        let ends_ms = grant.at_ms.saturating_add(grant.lasts_ms);
        if ends_ms > ended {
            let known = self.known().clone();
            self.keep(ends_ms, known).await?;
            self.ends_ms.store(ends_ms, Ordering::Release);
            self.changed.notify_one();
        }
        Ok(self.left_ms())
    }

    /// What is said when this agent has given its lease up for good, and nothing runs any more that needs one.
    #[must_use]
    pub fn farewell(&self) -> Farewell {
        self.farewell.clone()
    }

    /// Refuses what an agent that ends does not do any more.
    pub(crate) fn check_goes_on(&self) -> std::result::Result<(), Refusal> {
        match self.is_ending.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(Refusal::new(StatusCode::CONFLICT, "lease_ending", "this host's agent ends")),
        }
    }

    /// Lets a container be started, or says why not. What needs a lease is known before its engine hears of it.
    pub(crate) async fn admit(&self, id: &str) -> std::result::Result<(), Refusal> {
        let is_open = self.is_described.load(Ordering::Acquire) || !self.is_listed.load(Ordering::Acquire);
        if !is_open && self.known().is_empty() {
            return Ok(());
        }
        let Some(id) = self.engine.needs_lease(id).await.map_err(|error| away(&error))? else {
            return Ok(());
        };
        self.check_goes_on()?;
        let _turn = self.writing.lock().await;
        self.check_goes_on()?;
        if self.left_ms() < millis(SPARE) {
            let message = "this container must not run twice in the pool, and this host has no lease to run it";
            return Err(Refusal::new(StatusCode::CONFLICT, "no_lease", message));
        }
        let mut known = self.known().clone();
        if known.insert(id) {
            self.keep(self.ends_ms.load(Ordering::Acquire), known.clone()).await?;
            *self.known() = known;
        }
        Ok(())
    }

    /// Notes the description of a container that is made: if it needs a lease, it is looked at when it starts.
    pub(crate) fn note_description(&self, json: &[u8]) {
        if json.windows(SINGLE_WRITER.len()).any(|part| part == SINGLE_WRITER.as_bytes()) {
            self.is_described.store(true, Ordering::Release);
        }
    }

    async fn keep(&self, ends_ms: u64, containers: BTreeSet<String>) -> std::result::Result<(), Refusal> {
        let kept = Kept { boot: self.boot.clone(), ends_ms, containers };
        self.file.write(kept).await.map_err(|error| {
            tracing::error!(%error, "the lease cannot be kept");
            let message = "this host cannot keep its lease on its disk, and has none without it";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "lease_not_kept", message)
        })
    }

    fn known(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        millis((self.clock)())
    }

    fn left_ms(&self) -> u64 {
        self.ends_ms.load(Ordering::Acquire).saturating_sub(self.now_ms())
    }
}

fn away(error: &crate::error::AgentError) -> Refusal {
    let message = format!("it cannot be seen whether this container must not run twice: {error}");
    Refusal::new(StatusCode::BAD_GATEWAY, "engine_away", message)
}

/// The time since the machine was switched on, sleep included.
fn clock() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
