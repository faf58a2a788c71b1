//! Builders of hosts, holds and requests for tests.

use crate::{Hold, HoldKey, HostFacts, Ledger, MemberRequest, PlacementPolicy, Request};
use pierhead_model::{
    AppId, EngineId, HostPort, ImageReference, LabelExpression, MemberName, Placement, PortRequest, Protocol,
    Resources, Slot, SlotKey,
};

pub(crate) fn engine(id: &str) -> EngineId {
    EngineId::parse(id).unwrap()
}

pub(crate) fn key(number: u32) -> HoldKey {
    HoldKey::Slot(SlotKey { app: AppId("a".to_owned()), slot: Slot(number) })
}

/// A host of so many cores and megabytes, without labels.
pub(crate) fn facts(id: &str, cpus: u64, memory_mb: u64) -> HostFacts {
    HostFacts {
        id: engine(id),
        allocatable: Resources::new(cpus * 1000, memory_mb),
        labels: [].into(),
        unavailable: None,
        has_agent: false,
        unguarded: None,
    }
}

pub(crate) fn labelled(id: &str, labels: &[&str]) -> HostFacts {
    HostFacts { labels: labels.iter().map(|&label| label.to_owned()).collect(), ..facts(id, 4, 4096) }
}

pub(crate) fn ledger(hosts: impl IntoIterator<Item = HostFacts>) -> Ledger {
    let mut ledger = Ledger::new(PlacementPolicy::default());
    hosts.into_iter().for_each(|facts| ledger.set_host(facts));
    ledger
}

/// Three equal hosts of 4 cores and 4096 MB.
pub(crate) fn three_hosts() -> Ledger {
    ledger(["host-1", "host-2", "host-3"].map(|id| facts(id, 4, 4096)))
}

pub(crate) fn hold(id: &str, cpu_millis: u64, memory_mb: u64) -> Hold {
    Hold {
        engine: engine(id),
        resources: Resources::new(cpu_millis, memory_mb),
        ports: Vec::new(),
        images: Vec::new(),
        names: Vec::new(),
        owner: None,
    }
}

/// One container of `httpd` that asks for so much and nothing else.
pub(crate) fn request(cpu_millis: u64, memory_mb: u64) -> Request {
    Request {
        resources: Resources::new(cpu_millis, memory_mb),
        members: vec![member("main")],
        links_of: None,
        needs_agent: false,
        avoid: Vec::new(),
        avoid_ports: Vec::new(),
        seed: 0,
    }
}

pub(crate) fn member(name: &str) -> MemberRequest {
    MemberRequest {
        name: MemberName::parse(name).unwrap(),
        image: ImageReference::parse("httpd").unwrap(),
        placement: Placement::Service,
        labels: Vec::new(),
        ports: Vec::new(),
        links: Vec::new(),
    }
}

/// The same request with its first member changed.
pub(crate) fn with(mut request: Request, change: impl FnOnce(&mut MemberRequest)) -> Request {
    change(&mut request.members[0]);
    request
}

pub(crate) fn label(text: &str) -> LabelExpression {
    LabelExpression::parse(text).unwrap()
}

pub(crate) fn port(host_ip: Option<&str>, host_port: Option<u16>) -> PortRequest {
    PortRequest {
        protocol: Protocol::Tcp,
        host_ip: host_ip.map(|ip| ip.parse().unwrap()),
        host_port,
        container_port: 80,
    }
}

pub(crate) fn bound(host_ip: Option<&str>, host_port: u16) -> HostPort {
    HostPort { protocol: Protocol::Tcp, host_ip: host_ip.map(|ip| ip.parse().unwrap()), host_port, container_port: 80 }
}

/// Places a request and holds what it asks for, as a container of its image that is named by its number.
pub(crate) fn place_and_hold(ledger: &mut Ledger, number: u32, request: &Request) -> Option<String> {
    let placed = ledger.place(request).ok()?;
    let taken = Hold {
        engine: placed.engine.clone(),
        resources: request.resources,
        ports: placed.ports.into_values().flatten().collect(),
        images: request.members.iter().map(|member| member.image.as_str().to_owned()).collect(),
        names: vec![format!("c{number}")],
        owner: None,
    };
    ledger.hold(key(number), taken);
    Some(placed.engine.as_str().to_owned())
}
