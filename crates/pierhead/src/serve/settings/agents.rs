//! Where agents are taken, and how long their certificates are good.

use super::ServeArgs;
use anyhow::{Context, Result, bail};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A certificate's life unless something else is said, in milliseconds: 30 days.
const LIFE_MS: u64 = 30 * 24 * 3600 * 1000;

/// The settings about agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AgentSettings {
    pub listen: SocketAddr,
    address: Option<String>,
    pub life: Duration,
    /// Whether hosts that join wait for approval.
    pub needs_approval: bool,
}

impl ServeArgs {
    pub(super) fn agents(&self) -> Result<Option<AgentSettings>> {
        let life = self.agent_certificate_life.map_or(LIFE_MS, super::Span::millis);
        if !(5_000..=10 * 365 * 24 * 3600 * 1000).contains(&life) {
            bail!("--agent-certificate-life must be from 5s to 3650d");
        }
        let Some(listen) = self.agent_listen else {
            if self.agent_address.is_some() || self.agent_certificate_life.is_some() || self.approve_hosts == Some(true)
            {
                bail!("--agent-address, --agent-certificate-life and --approve-hosts are for --agent-listen");
            }
            return Ok(None);
        };
        if let Some(address) = &self.agent_address
            && !has_port(address)
        {
            bail!("--agent-address {address:?} must be HOST:PORT, such as pool.example:7443");
        }
        let (life, needs_approval) = (Duration::from_millis(life), self.approve_hosts.unwrap_or(false));
        Ok(Some(AgentSettings { listen, address: self.agent_address.clone(), life, needs_approval }))
    }
}

impl AgentSettings {
    /// What hosts are told to call.
    pub fn address(&self, listen: SocketAddr) -> Result<String> {
        if let Some(address) = &self.address {
            return Ok(address.clone());
        }
        let reached = reachable(listen);
        let reached = reached.context("this machine has no address that hosts could call; give --agent-address")?;
        Ok(reached.to_string())
    }
}

/// Where others reach what listens here; none if it listens everywhere and this machine has no address.
pub(crate) fn reachable(listen: SocketAddr) -> Option<SocketAddr> {
    if !listen.ip().is_unspecified() {
        return Some(listen);
    }
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let mut reachable = found.iter().map(if_addrs::Interface::ip).filter(|ip| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(_) => false,
    });
    reachable.next().map(|ip| SocketAddr::new(ip, listen.port()))
}

fn has_port(address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let is_plain = address.len() <= 255 && address.bytes().all(plain);
    is_plain
        && address
            .rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(listen: Option<&str>, address: Option<&str>, life: Option<&str>) -> Result<Option<AgentSettings>> {
        let args = ServeArgs {
            agent_listen: listen.map(|text| text.parse().unwrap()),
            agent_address: address.map(str::to_owned),
            agent_certificate_life: life.map(|text| text.parse().unwrap()),
            ..ServeArgs::default()
        };
        args.agents()
    }

    #[test]
    fn hosts_wait_for_approval_where_it_is_said() {
        let args = |listen: Option<&str>, approve_hosts| {
            let agent_listen = listen.map(|text| text.parse().unwrap());
            ServeArgs { agent_listen, approve_hosts, ..ServeArgs::default() }.agents()
        };
        for (said, expected) in [(None, false), (Some(false), false), (Some(true), true)] {
            assert_eq!(args(Some("10.0.0.1:1"), said).unwrap().unwrap().needs_approval, expected);
        }
        assert!(args(None, Some(true)).unwrap_err().to_string().contains("--approve-hosts are for --agent-listen"));
    }

    #[test]
    fn agents_are_taken_where_it_is_said() {
        assert_eq!(args(None, None, None).unwrap(), None);
        let here = args(Some("10.0.0.1:7443"), None, None).unwrap().unwrap();
        assert_eq!(here.life, Duration::from_secs(30 * 24 * 3600));
        assert_eq!(here.address("10.0.0.1:7443".parse().unwrap()).unwrap(), "10.0.0.1:7443");
        let named = args(Some("0.0.0.0:1"), Some("pool.lan:2"), Some("1h")).unwrap().unwrap();
        assert_eq!((named.address(named.listen).unwrap().as_str(), named.life.as_secs()), ("pool.lan:2", 3600));
        for (listen, address, life, words) in [
            (None, Some("a:1"), None, "are for --agent-listen"),
            (None, None, Some("1h"), "are for --agent-listen"),
            (Some("10.0.0.1:1"), Some("a"), None, "must be HOST:PORT"),
            (Some("10.0.0.1:1"), Some("a b:1"), None, "must be HOST:PORT"),
            (Some("10.0.0.1:1"), Some("a:0"), None, "must be HOST:PORT"),
            (Some("10.0.0.1:1"), None, Some("4s"), "from 5s"),
        ] {
            let refused = args(listen, address, life).unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
    }
}
