//! What runs on a Docker host, so that the host opens nothing to the network.
//!
//! The agent calls each controller over TCP and TLS 1.3. Both sides show certificates of the cluster's own authority, and then
//! the roles turn: on the connection that the agent has opened it answers HTTP/2, and the controller asks. The engine's
//! API travels in streams with a flow control of their own, so an image that goes through holds up no beat: what all
//! streams together can leave unread fits into the window of the connection, and what is on the way is kept small.
//! Talks with containers are requests whose two bodies are the two directions, since HTTP/2 has no upgrade.
//! Every request is matched with a list ([`Gate`]): its path, query and body are parsed, checked, and written anew;
//! what reaches the engine is never what came. Requests that change something bear the leader's term, and whoever has
//! an older one than the highest that was seen ([`Terms`], on disk) is answered 409. Reads need none.
//! A beat comes every 100 ms, counted and without a clock. If a tunnel breaks, the agent calls again, after a wait that
//! grows and is shortened by chance; at once after the machine slept, and when there are new certificates. A host gets
//! its certificate for a one-use token, and a fresh one for the one that it has ([`join`], [`renew`]). The crate issues
//! none, and decides nothing about containers.

mod allow;
mod beats;
mod controllers;
mod count;
mod engine;
mod error;
mod facts;
mod farewell;
mod files;
mod firewall;
mod forbid;
mod gate;
mod identity;
mod join;
mod knock;
mod lease;
mod look;
mod previews;
mod refusal;
mod term;
mod terminals;
mod tunnel;
mod whole;
mod words;
mod workspaces;

pub use beats::{Beat, INTERVAL, Load, LoadSource, Pulse};
pub use controllers::Controllers;
pub use error::{AgentError, Result};
pub use facts::{EngineState, HostFacts, LoadMeter};
pub use farewell::Farewell;
pub use firewall::Firewall;
pub use forbid::{Forbid, UnknownForbid};
pub use gate::{Gate, TunnelBody};
pub use identity::Identity;
pub use join::{
    Ask, CONTROLLER_NAME, Grant, Host, HostKey, InvalidToken, JOIN_PROTOCOL, JoinToken, Joining, Reply, Standing,
    is_signed, join, renew, standing,
};
pub use knock::knock;
pub use lease::{LONGEST_LEASE, LeaseGrant, Leases, SINGLE_WRITER, STOPPED_WITHIN, Stamp};
pub use look::{EngineWord, watch_engine};
pub use previews::ListeningPort;
pub use refusal::{REFUSAL, Refusal};
pub use term::{TERM, Terms};
pub use terminals::{Opening, Terminals, Visiting, VisitorRight};
pub use tunnel::{
    Agent, Backoff, Call, Controller, Cutter, Dialled, Link, PROTOCOL, STREAM_WINDOW, STREAMS, Talk, TerminalFrames,
    TerminalLine, Timing, ToldOfFiles, Tunnel, accept, accept_call, client_config, listener_config, server_config,
    try_call,
};
pub use whole::Whole;
pub use words::in_words;
