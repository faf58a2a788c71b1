//! The pool as a whole: its totals, what would survive the loss of a host, and how to even out its load.

use serde::{Deserialize, Serialize};

/// Answer of `GET /healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// `ok`.
    pub status: String,
}

/// Answer of `GET /api/cluster/info`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClusterInfo {
    /// Cores of all hosts that answer, with overrides and over-commit.
    pub cpus: f64,
    /// Memory of the same, in MB.
    pub memory: f64,
    /// Cores reserved.
    pub reserved_cpus: f64,
    /// Memory reserved, in MB.
    pub reserved_memory: f64,
    /// Cores in use by running containers, averaged since the last such question (or the container's start).
    pub used_cpus: f64,
    /// Memory in use by running containers, in MB.
    pub used_memory: f64,
    /// Running containers.
    pub container_count: u64,
    /// Images, summed host by host.
    pub image_count: u64,
    /// Hosts, those that do not answer included.
    pub engine_count: u64,
    /// Hosts that were left out of the sums because they do not answer.
    pub silent_engines: Vec<SilentEngine>,
    /// Why nothing is moved off hosts that do not answer: so many vanished at once that it may be the controller's own
    /// view. Absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// That the records were restored from a backup, and what that holds up. Absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<RestoredView>,
    /// The cluster's id, which its containers bear as a label.
    pub id: String,
    /// The program's version.
    pub version: String,
}

/// Records that were restored from a backup, older than what the hosts run: nothing is made or removed until
/// `POST /api/cluster/settle`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestoredView {
    /// What to do, in words.
    pub reason: String,
    /// Containers of the pool that the records do not know. They are kept until then, and removed after it.
    pub unknown: Vec<UnknownContainer>,
}

/// A container of the pool that its records do not know.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnknownContainer {
    /// Its id.
    pub id: String,
    /// Its name on its host.
    pub name: String,
    /// Its host.
    pub engine: String,
}

/// A host that does not answer, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SilentEngine {
    /// Its id.
    pub id: String,
    /// Why, in words.
    pub reason: String,
}

/// Answer of `GET /api/cluster/survive/{id}`: what would become of what runs on a host if it were lost now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SurvivalView {
    /// The host.
    pub engine: String,
    /// Whether the others would take everything that runs there.
    pub survives: bool,
    /// How many slots run there.
    pub slots: u64,
    /// Where those would go that another host takes.
    #[serde(default)]
    pub moves: Vec<MoveView>,
    /// Those that no other host would take.
    pub homeless: Vec<HomelessView>,
}

/// A slot that no other host would take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HomelessView {
    /// Its app.
    pub app: String,
    /// Its number.
    pub slot: u32,
    /// Why, in words.
    pub reason: String,
}

/// Answer of `GET /api/cluster/rebalance`: moves that would even out the load of the hosts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RebalanceView {
    /// The moves in their order; empty if there is nothing to gain.
    pub moves: Vec<MoveView>,
    /// How the scores of the hosts would change.
    pub engines: Vec<ScoreView>,
    /// What a move must gain to be made, in points of the score.
    #[serde(default)]
    pub least_gain: f64,
    /// What the best move would gain that is left out because that is less; absent if none would gain anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_gain: Option<f64>,
}

/// Body of `POST /api/cluster/rebalance`: the moves that were agreed on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RebalanceRequest {
    /// As `GET` told them.
    pub moves: Vec<MoveView>,
}

/// A slot that goes from one host to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MoveView {
    /// Its app.
    pub app: String,
    /// Its number.
    pub slot: u32,
    /// The host that it leaves.
    pub from: String,
    /// The host that it goes to.
    pub to: String,
}

/// A host's score: 100 if nothing is reserved on it, 0 if all is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScoreView {
    /// The host.
    pub id: String,
    /// Now.
    pub before: f64,
    /// After the moves.
    pub after: f64,
}

/// An element of the answer of `GET /api/controllers`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ControllerView {
    /// Its id, another one after each start.
    pub id: String,
    /// Where its API answers.
    pub url: String,
    /// Whether it leads.
    pub leader: bool,
    /// Since when it leads, or else since when it runs (RFC 3339).
    pub since: String,
    /// How long it took until it had seen a change made just now, and the one that was asked its word of that, in
    /// milliseconds; null if that took more than a second.
    pub lag: Option<u64>,
    /// Of the one that answers: since how many seconds its store does not, so that all that it tells may be so old;
    /// absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<u64>,
}

/// The header of an answer that tells since how many seconds the store of the controller does not answer: what is told may be
/// so old. Without it, it is not.
pub const STALE: &str = "pierhead-stale";
