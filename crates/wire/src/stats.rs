//! What hosts and containers use, now and before.

use serde::{Deserialize, Serialize};

/// Answer of `GET /api/stats`, and each event of its stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsView {
    /// When (RFC 3339).
    pub at: String,
    /// The hosts of which it is known.
    pub engines: Vec<EngineStatsView>,
    /// The running containers of which it is known.
    pub containers: Vec<ContainerStatsView>,
}

/// What a host uses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EngineStatsView {
    /// Its id.
    pub id: String,
    /// What `cpu_cores` and `memory_bytes` are of: `host` for all that runs there, as its agent tells, or `containers`
    /// for the sum of its containers. All else is always the sum of its containers.
    pub measured: String,
    /// Cores in use.
    pub cpu_cores: f64,
    /// Cores that it has.
    pub cpu_total: f64,
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// Memory that it has, in bytes.
    pub memory_total: u64,
    /// Bytes that come in over networks in a second.
    pub rx_bytes_s: u64,
    /// Bytes that go out over networks in a second.
    pub tx_bytes_s: u64,
    /// Bytes that are read from block devices in a second.
    pub read_bytes_s: u64,
    /// Bytes that are written to block devices in a second.
    pub write_bytes_s: u64,
}

/// What a container uses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContainerStatsView {
    /// Its id.
    pub id: String,
    /// Its name on its host.
    pub name: String,
    /// Its host.
    pub engine: String,
    /// Cores in use.
    pub cpu_cores: f64,
    /// Memory in use, in bytes, without the page cache that can be given back.
    pub memory_bytes: u64,
    /// The most memory that it gets, in bytes: its own limit, or what the host has.
    pub memory_limit: u64,
    /// Bytes that come in over its networks in a second; 0 if it has none of its own.
    pub rx_bytes_s: u64,
    /// Bytes that go out over its networks in a second.
    pub tx_bytes_s: u64,
    /// Bytes that it reads from block devices in a second.
    pub read_bytes_s: u64,
    /// Bytes that it writes to block devices in a second.
    pub write_bytes_s: u64,
}

/// Answer of `GET /api/stats/history`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsHistoryView {
    /// The last five minutes by the second, as far as somebody looked then, and the last six hours by the quarter of a
    /// minute.
    pub series: Vec<StatsSeriesView>,
}

/// Points at equal distances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsSeriesView {
    /// The distance of two points, in seconds.
    pub interval_s: u64,
    /// The points, the oldest first. Where nothing is known there is none.
    pub points: Vec<StatsPointView>,
}

/// What was used in the interval that begins at a moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatsPointView {
    /// When the interval begins (RFC 3339).
    pub at: String,
    /// Cores in use.
    pub cpu_cores: f64,
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// Bytes that came in over networks in a second.
    pub rx_bytes_s: u64,
    /// Bytes that went out over networks in a second.
    pub tx_bytes_s: u64,
    /// Bytes that were read from block devices in a second.
    pub read_bytes_s: u64,
    /// Bytes that were written to block devices in a second.
    pub write_bytes_s: u64,
}
