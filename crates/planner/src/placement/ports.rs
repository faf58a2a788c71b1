//! Host ports: whether those that a request fixes are free on a host, and which ones it gets where it fixes none.

use super::Request;
use crate::ledger::Host;
use pierhead_model::{EngineId, HostPort, MemberName, PortRequest, Protocol};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

/// Why a request's ports can't be had on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PortTrouble {
    /// A fixed port is bound already.
    Taken(Protocol, u16),
    /// The request asks for one port twice.
    Twice(Protocol, u16),
    /// No port of the range is free.
    RangeUsedUp(Protocol, RangeInclusive<u16>),
}

impl fmt::Display for PortTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(protocol, number) => write!(f, "port {number}/{protocol} is taken"),
            Self::Twice(protocol, number) => write!(f, "port {number}/{protocol} is asked for twice"),
            Self::RangeUsedUp(protocol, range) => {
                write!(f, "no {protocol} port from {} to {} is free", range.start(), range.end())
            }
        }
    }
}

/// The host's ports of each member. Fixed ones are taken first, so that no chosen one is in their way.
pub(crate) fn choose(
    host: &Host,
    request: &Request,
    range: &RangeInclusive<u16>,
) -> Result<BTreeMap<MemberName, Vec<HostPort>>, PortTrouble> {
    let wanted = || request.members.iter().flat_map(|member| &member.ports);
    let mut bound: Vec<HostPort> = Vec::new();
    for port in wanted() {
        let Some(number) = port.host_port else { continue };
        if bound.iter().any(|other| other.collides(port.protocol, port.host_ip, number)) {
            return Err(PortTrouble::Twice(port.protocol, number));
        }
        if is_taken(host, request, port, number) {
            return Err(PortTrouble::Taken(port.protocol, number));
        }
        bound.push(bind(port, number));
    }
    let mut ports: BTreeMap<MemberName, Vec<HostPort>> = BTreeMap::new();
    for member in &request.members {
        for port in &member.ports {
            let number = match port.host_port {
                Some(number) => number,
                None => find_free(host, request, port, &bound, range)?,
            };
            let chosen = bind(port, number);
            if port.host_port.is_none() {
                bound.push(chosen.clone());
            }
            ports.entry(member.name.clone()).or_default().push(chosen);
        }
    }
    Ok(ports)
}

fn bind(port: &PortRequest, number: u16) -> HostPort {
    HostPort { protocol: port.protocol, host_ip: port.host_ip, host_port: number, container_port: port.container_port }
}

fn is_taken(host: &Host, request: &Request, port: &PortRequest, number: u16) -> bool {
    let is_it = |(engine, protocol, taken): &(EngineId, Protocol, u16)| {
        *taken == number && *protocol == port.protocol && engine == host.id()
    };
    host.is_port_taken(port.protocol, port.host_ip, number) || request.avoid_ports.iter().any(is_it)
}

/// The first free port from the place that the seed names, going round at the end of the range.
fn find_free(
    host: &Host,
    request: &Request,
    port: &PortRequest,
    bound: &[HostPort],
    range: &RangeInclusive<u16>,
) -> Result<u16, PortTrouble> {
    let used_up = || PortTrouble::RangeUsedUp(port.protocol, range.clone());
    let start = u64::from(*range.start());
    let length = u64::from(*range.end()).checked_sub(start).ok_or_else(used_up)? + 1;
    (0..length)
        .filter_map(|step| u16::try_from(start + (request.seed % length + step) % length).ok())
        .find(|&number| {
            !bound.iter().any(|other| other.collides(port.protocol, port.host_ip, number))
                && !is_taken(host, request, port, number)
        })
        .ok_or_else(used_up)
}
