//! From Docker's two descriptions of a container (in a list, and alone) to ours. Pure.

use crate::request::uncovered;
use bollard::models::{
    ContainerInspectResponse, ContainerSummary, HostConfig, PortMap, PortSummary, PortSummaryTypeEnum,
};
use pierhead_model::{
    ContainerId, ContainerState, HostPort, ObservedContainer, Ownership, Protocol, Resources, Timestamp,
};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// For how many seconds a container is young: longer than anybody waits for one to have run well.
const YOUNG_SECONDS: u64 = 10;

/// A container of a list; `None` if it has no usable id. Limits, exit code, restart count and start are not in a list.
pub(super) fn from_summary(summary: ContainerSummary) -> Option<ObservedContainer> {
    let id = ContainerId::parse(summary.id?).ok()?;
    Some(ObservedContainer {
        name: own_name(&summary.names.unwrap_or_default()),
        image: summary.image.unwrap_or_default(),
        state: state(&summary.state.map(|state| state.to_string()).unwrap_or_default()),
        exit_code: None,
        created_at: Timestamp(u64::try_from(summary.created.unwrap_or(0)).unwrap_or(0).saturating_mul(1000)),
        ports: fold(summary.ports.unwrap_or_default().iter().filter_map(listed_port)),
        limits: Resources::default(),
        labels: uncovered(summary.labels.unwrap_or_default()),
        restart_count: 0,
        started_at: None,
        id,
    })
}

/// A container as `inspect` shows it; `None` if it has no usable id.
pub(super) fn from_inspect(container: ContainerInspectResponse) -> Option<ObservedContainer> {
    let id = ContainerId::parse(container.id.as_deref()?).ok()?;
    let facts = Looked::at(&container);
    let config = container.config.unwrap_or_default();
    let ports = container.network_settings.and_then(|network| network.ports).unwrap_or_default();
    let mut observed = ObservedContainer {
        id,
        name: container.name.unwrap_or_default().trim_start_matches('/').to_owned(),
        image: config.image.unwrap_or_default(),
        state: state(&container.state.and_then(|state| state.status).map(|s| s.to_string()).unwrap_or_default()),
        exit_code: None,
        created_at: container.created.as_deref().map_or(Timestamp(0), moment),
        ports: fold(inspected_ports(&ports)),
        limits: Resources::default(),
        labels: uncovered(config.labels.unwrap_or_default()),
        restart_count: 0,
        started_at: None,
    };
    facts.fill(&mut observed);
    Some(observed)
}

/// What only a look at the single container shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    pub(super) limits: Resources,
    state: Option<ContainerState>,
    exit_code: i64,
    restart_count: u32,
    started_at: Option<Timestamp>,
}

impl Looked {
    pub(super) fn at(container: &ContainerInspectResponse) -> Self {
        Self {
            limits: container.host_config.as_ref().map(limits).unwrap_or_default(),
            state: container.state.as_ref().and_then(|state| state.status.as_ref()).map(|word| state(word.as_ref())),
            exit_code: container.state.as_ref().and_then(|state| state.exit_code).unwrap_or(0),
            restart_count: u32::try_from(container.restart_count.unwrap_or(0)).unwrap_or(u32::MAX),
            started_at: container.state.as_ref().and_then(|state| state.started_at.as_deref()).and_then(started),
        }
    }

    /// Fills in the parts that the contract promises for a container of this state and these labels.
    pub(super) fn fill(self, container: &mut ObservedContainer) {
        if is_foreign(container) {
            container.limits = self.limits;
        }
        // The look is newer than the list, and the exit code belongs to the state that it saw.
        container.state = self.state.unwrap_or(container.state);
        if has_exited(container.state) {
            container.exit_code = Some(self.exit_code);
        }
        container.restart_count = self.restart_count;
        container.started_at = self.started_at;
    }
}

/// Whether a container of a list runs since so short a time that this may be its second life: "Up 3 seconds".
pub(super) fn is_young(summary: &ContainerSummary) -> bool {
    let status = summary.status.as_deref().unwrap_or_default();
    let Some(age) = status.strip_prefix("Up ") else { return false };
    let seconds = age.split_once(" second").and_then(|(count, _)| count.parse::<u64>().ok());
    age.starts_with("Less than a second") || seconds.is_some_and(|seconds| seconds <= YOUNG_SECONDS)
}

/// Whether no cluster of ours made the container.
pub(super) fn is_foreign(container: &ObservedContainer) -> bool {
    !container.labels.contains_key(Ownership::CLUSTER)
}

/// Whether a container of this state has an exit code. One whose start failed has a code too, but never ran.
pub(super) fn has_exited(state: ContainerState) -> bool {
    matches!(state, ContainerState::Exited | ContainerState::Dead | ContainerState::Restarting)
}

fn state(word: &str) -> ContainerState {
    // A word of newer engines for a container that still runs.
    if word == "stopping" { ContainerState::Running } else { ContainerState::from_engine(word) }
}

/// A linked container has the names of its links too: `/web/db` beside `/db`.
fn own_name(names: &[String]) -> String {
    let bare = |name: &String| name.trim_start_matches('/').to_owned();
    names.iter().map(bare).find(|name| !name.contains('/')).or_else(|| names.first().map(bare)).unwrap_or_default()
}

/// Docker writes the year 1 for what was never started.
fn started(text: &str) -> Option<Timestamp> {
    Some(moment(text)).filter(|at| at.0 > 0)
}

pub(super) fn moment(text: &str) -> Timestamp {
    let milliseconds = text.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_millisecond);
    Timestamp(u64::try_from(milliseconds).unwrap_or(0))
}

fn limits(config: &HostConfig) -> Resources {
    let positive = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).unwrap_or(0);
    let (nano, quota, period) = (positive(config.nano_cpus), positive(config.cpu_quota), positive(config.cpu_period));
    let cpu_millis = if nano > 0 {
        nano.div_ceil(1_000_000)
    } else {
        // The kernel's period, where the engine names none.
        quota.saturating_mul(1000).div_ceil(if period > 0 { period } else { 100_000 })
    };
    Resources::new(cpu_millis, positive(config.memory).div_ceil(1 << 20))
}

fn listed_port(port: &PortSummary) -> Option<HostPort> {
    let protocol = match port.typ? {
        PortSummaryTypeEnum::TCP => Protocol::Tcp,
        PortSummaryTypeEnum::UDP => Protocol::Udp,
        _ => return None,
    };
    Some(HostPort {
        protocol,
        host_ip: address(port.ip.as_deref()),
        host_port: port.public_port.filter(|port| *port != 0)?,
        container_port: port.private_port,
    })
}

fn inspected_ports(ports: &PortMap) -> impl Iterator<Item = HostPort> {
    ports.iter().flat_map(|(key, bindings)| {
        let parsed = key
            .split_once('/')
            .and_then(|(port, protocol)| Some((port.parse::<u16>().ok()?, Protocol::parse(protocol).ok()?)));
        bindings.iter().flatten().filter_map(move |binding| {
            let (container_port, protocol) = parsed?;
            Some(HostPort {
                protocol,
                host_ip: address(binding.host_ip.as_deref()),
                host_port: binding.host_port.as_deref()?.parse().ok().filter(|port| *port != 0)?,
                container_port,
            })
        })
    })
}

/// `0.0.0.0` is every address; `::` stays for now.
fn address(text: Option<&str>) -> Option<IpAddr> {
    let ip: IpAddr = text?.parse().ok()?;
    (ip.is_ipv6() || !ip.is_unspecified()).then_some(ip)
}

/// Docker binds "every address" twice, for IPv4 and IPv6. Where both are the same port, that is one binding to
/// every address; where they differ (old engines choose two ports), the one of IPv6 keeps its address.
fn fold(ports: impl Iterator<Item = HostPort>) -> Vec<HostPort> {
    let all: BTreeSet<HostPort> = ports.collect();
    let every = |port: &HostPort| HostPort { host_ip: None, ..port.clone() };
    all.iter()
        .filter(|port| {
            let twin = port.host_ip.is_some_and(|ip| ip.is_ipv6() && ip.is_unspecified());
            !(twin && all.contains(&every(port)))
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
