//! Whether a host with an agent is there, and which part of it is not: its agent, its engine, the host itself, or the
//! link between it and this controller. Pure: time is passed in, as time that this controller was awake.
//!
//! Suspicion comes before death. Nothing dies of one missed beat, of what was seen while this controller stood still
//! itself, or of silence alone where somebody else can be asked. That whoever judges asks first how late it is itself, and
//! waits longer then, is the idea of Lifeguard (arXiv 1707.00788).

mod awake;
mod cause;
mod machine;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use awake::{Awake, TICK};
pub(crate) use cause::Witness;
pub(crate) use machine::{Local, Machine, Wishes};
pub(crate) use rules::Rules;

use crate::stats::HostLoad;

/// What is heard of a host's agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It has called, and can be asked.
    Opened,
    /// It beats.
    Beat(HostBeat),
    /// Its tunnel has ended, and there is no newer one.
    Ended,
    /// Its tunnel was cut, since what it was believed for does not count any more.
    ShutOut,
}

/// What a host tells with a beat.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostBeat {
    /// Which run of the agent it is of.
    pub run: u64,
    /// How late the host was with it, in milliseconds.
    pub late_ms: u64,
    /// How the engine answers the agent; absent if the agent does not look.
    pub engine: Option<EngineAnswers>,
    /// Whether the agent ends, and has stopped what needs a lease.
    pub gave_up: bool,
    /// What the host has to do; absent if the agent does not tell. Nothing is judged by it.
    pub load: Option<HostLoad>,
}

/// How an engine answers the agent beside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EngineAnswers {
    /// For how long it has not answered what it was asked, in milliseconds; 0 if it answers.
    pub silent_ms: u64,
    /// Why it cannot be asked at all, in words.
    pub refuses: Option<String>,
}
