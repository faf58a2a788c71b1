//! Pierhead: hosts behind agents.

use crate::fault::Fault;
use crate::round::Side;
use anyhow::{Context, Result};
use pierhead_bench::dev::{Dev, inside, until};
use pierhead_bench::machine::argv_of;
use pierhead_devhosts::{Host, Service};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;

const APP: &str = "bench";

pub(crate) struct Ours {
    pub dev: Dev,
    /// What each host's agent is started again with.
    agents: BTreeMap<String, Vec<String>>,
}

impl Ours {
    pub fn up(hosts: usize) -> Result<Self> {
        let dev = Dev::up(hosts, true)?;
        let mut agents = BTreeMap::new();
        for host in &dev.hosts {
            let mut argv = argv_of(dev.pid(&service(host))?)?;
            // A restart needs no token any more.
            let token = argv.iter().position(|word| word == "--join").context("its token")?;
            argv.drain(token..token + 2);
            agents.insert(host.name().to_owned(), argv);
        }
        Ok(Self { dev, agents })
    }

    fn start_agent(&self, host: &Host) -> Result<()> {
        // A killed one may be listed for a moment.
        until("the agent is gone", || {
            let services = self.dev.pool.services()?;
            Ok(!services.iter().any(|known| known.name == service(host) && known.alive))
        })?;
        let argv = inside(host, self.agents[host.name()].clone())?;
        self.dev.pool.spawn(&Service { name: service(host), argv, ..Service::default() })?;
        Ok(())
    }
}

pub(crate) fn service(host: &Host) -> String {
    format!("agent-{}", host.name())
}

/// Sends a signal.
pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("no process")?;
    kill_process(pid, signal).with_context(|| format!("a signal to {pid:?}"))
}

impl Side for Ours {
    fn name(&self) -> &'static str {
        "Pierhead"
    }

    fn hosts(&self) -> &[Host] {
        &self.dev.hosts
    }

    fn deploy(&self, replicas: u32) -> Result<()> {
        self.dev.run(APP, replicas)
    }

    fn clear(&self) -> Result<()> {
        self.dev.remove(APP)
    }

    fn is_lost(&self, host: &Host) -> Result<bool> {
        Ok(self.dev.health(host.name())? == "down")
    }

    fn is_well(&self, host: &Host) -> Result<bool> {
        Ok(self.dev.health(host.name())? == "healthy")
    }

    fn strike(&self, fault: Fault, host: &Host) -> Result<()> {
        match fault {
            Fault::AgentKilled => signal(self.dev.pid(&service(host))?, Signal::KILL),
            _ => fault.strike(host),
        }
    }

    fn mend(&self, fault: Fault, host: &Host) -> Result<()> {
        fault.mend(host)?;
        match fault {
            Fault::AgentKilled | Fault::PowerOff => self.start_agent(host),
            _ => Ok(()),
        }
    }
}
