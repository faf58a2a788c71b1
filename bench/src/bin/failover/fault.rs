//! What is done to a host, and how it is undone.

use anyhow::Result;
use clap::ValueEnum;
use pierhead_devhosts::Host;

/// A fault of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Its link is dead; all on it runs on.
    Cut,
    /// Its engine is killed; its containers run on.
    EngineKilled,
    /// Its engine stands still.
    EngineStopped,
    /// Its agent is killed, and nobody starts it again.
    AgentKilled,
    /// Link, engine, agent and containers are gone.
    PowerOff,
}

impl Fault {
    /// These, or all.
    pub fn chosen(only: &[Self]) -> Vec<Self> {
        if only.is_empty() { Self::value_variants().to_vec() } else { only.to_vec() }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "host cut off",
            Self::EngineKilled => "engine SIGKILL",
            Self::EngineStopped => "engine SIGSTOP",
            Self::AgentKilled => "agent SIGKILL",
            Self::PowerOff => "power-off",
        }
    }

    /// Whether Swarm has what is broken.
    pub fn is_for_swarm(self) -> bool {
        self != Self::AgentKilled
    }

    /// What comes closest to it there: its engine is its agent.
    pub fn at_swarm(self) -> Self {
        if self == Self::AgentKilled { Self::EngineKilled } else { self }
    }

    /// Breaks a host; what agents need is the side's affair.
    pub fn strike(self, host: &Host) -> Result<()> {
        match self {
            Self::Cut => host.cut()?,
            Self::EngineKilled => host.kill_engine()?,
            Self::EngineStopped => host.hang_engine()?,
            Self::AgentKilled => {}
            Self::PowerOff => host.power_off()?,
        }
        Ok(())
    }

    /// Undoes it.
    pub fn mend(self, host: &Host) -> Result<()> {
        match self {
            Self::Cut => host.restore()?,
            Self::EngineKilled => host.start_engine()?,
            Self::EngineStopped => host.resume_engine()?,
            Self::AgentKilled => {}
            Self::PowerOff => {
                host.restore()?;
                host.start_engine()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swarm_is_compared_in_what_it_has() {
        assert_eq!(Fault::chosen(&[]).len(), 5);
        assert_eq!(Fault::chosen(&[Fault::Cut]), [Fault::Cut]);
        for fault in Fault::chosen(&[]) {
            assert!(fault.at_swarm().is_for_swarm());
            assert_eq!(fault.at_swarm() == fault, fault.is_for_swarm());
        }
    }
}
