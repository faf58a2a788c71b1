//! Hosts that are reached through their agents: who has called, and the way to each engine behind them. Decides nothing
//! about certificates: whose count is asked of the controller's records.

mod bridge;
mod files;
mod hosts;
mod knocks;
mod leases;
mod listen;
mod previews;
mod refusals;
mod talking;
mod terminals;

pub(super) use files::AgentFiles;
pub(super) use listen::{Listener, listen};
pub(super) use previews::AgentPorts;
pub(super) use terminals::AgentHomes;

use bridge::Way;
use pierhead_agent::{Cutter, Tunnel};
use pierhead_engine::{Deadlines, Docker, EngineError};
use pierhead_model::EngineId;
use refusals::Refused;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::mpsc;

/// How many refusals may wait to be told; more are left out.
const MOST_WAITING: usize = 64;

/// What gets the refusals that shall be told.
pub(super) type Told = mpsc::Receiver<Refused>;

/// Tells the term in which this controller leads.
type Term = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// The tunnels that are open.
pub(super) struct Agents {
    open: Mutex<BTreeMap<EngineId, Open>>,
    term: OnceLock<Term>,
    refused: mpsc::Sender<Refused>,
}

/// A tunnel, and what its host was believed for.
#[derive(Clone)]
struct Open {
    tunnel: Tunnel,
    fingerprint: String,
    /// Tells it from others of the same host.
    number: u64,
    /// Those that it has replaced and that something goes on in.
    replaced: Vec<Cutter>,
}

impl Agents {
    /// Nobody has called yet. The second gets what agents refuse.
    pub fn new() -> (Arc<Self>, Told) {
        let (refused, told) = mpsc::channel(MOST_WAITING);
        (Arc::new(Self { open: Mutex::default(), term: OnceLock::new(), refused }), told)
    }

    /// From now on requests bear the leader's term.
    pub fn lead(&self, term: impl Fn() -> Option<u64> + Send + Sync + 'static) {
        // Only the first counts, and there is one.
        let _again = self.term.set(Box::new(term));
    }

    /// The engine of a host, whenever its agent has called.
    pub fn docker(self: &Arc<Self>, id: &EngineId) -> Result<Docker, EngineError> {
        let way = Way { agents: Arc::clone(self), engine: id.clone() };
        Docker::over(&format!("agent of {id}"), Arc::new(way), Deadlines::default())
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<EngineId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tunnel(&self, id: &EngineId) -> Option<Tunnel> {
        self.open().get(id).map(|open| open.tunnel.clone())
    }

    /// Whether a tunnel is the newest of its host.
    fn is_newest(&self, id: &EngineId, number: u64) -> bool {
        self.open().get(id).is_some_and(|open| open.number == number)
    }

    /// A tunnel by its number, as long as it is the newest of its host.
    fn tunnel_of(&self, id: &EngineId, number: u64) -> Option<Tunnel> {
        self.open().get(id).filter(|open| open.number == number).map(|open| open.tunnel.clone())
    }

    /// A host has called; what it had opened before ends as soon as nothing goes on in it.
    fn opened(&self, id: &EngineId, tunnel: Tunnel, fingerprint: String) -> u64 {
        let mut open = self.open();
        let (mut number, mut replaced) = (1, Vec::new());
        if let Some(before) = open.remove(id) {
            number = before.number + 1;
            replaced = before.replaced;
            replaced.retain(|cutter| !cutter.is_over());
            replaced.push(before.tunnel.cutter());
        }
        open.insert(id.clone(), Open { tunnel, fingerprint, number, replaced });
        number
    }

    /// A tunnel has ended; `true` if there is no newer one of that host.
    fn closed(&self, id: &EngineId, number: u64) -> bool {
        let mut open = self.open();
        let is_it = open.get(id).is_some_and(|open| open.number == number);
        if is_it && let Some(last) = open.remove(id) {
            // Nobody would find them any more to shut the host out.
            last.replaced.iter().for_each(Cutter::cut);
        }
        is_it
    }

    /// Ends the tunnels of hosts that are not believed any more, and names them.
    fn cut(&self, is_believed: impl Fn(&EngineId, &str) -> bool) -> Vec<EngineId> {
        let mut cut = Vec::new();
        self.open().retain(|id, open| {
            let stays = is_believed(id, &open.fingerprint);
            if !stays {
                open.replaced.iter().for_each(Cutter::cut);
                open.tunnel.cut();
                cut.push(id.clone());
            }
            stays
        });
        cut
    }

    fn term(&self) -> Option<u64> {
        self.term.get().and_then(|term| term())
    }
}
