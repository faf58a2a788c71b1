//! What the ledger is asked when a slot needs a host.

use crate::{Avoid, MemberRequest, Request};
use pierhead_model::{App, Assignment, Attempt, FailureKind, Generation, HostPort, Placement, PortRequest, Slot};

/// A slot's needs, without anything that was learnt from failures.
pub(crate) fn slot_request(app: &App, slot: Slot, generation: Generation) -> Request {
    let member = |member: &pierhead_model::Member| MemberRequest {
        name: member.name.clone(),
        image: member.spec.image.clone(),
        placement: member.spec.placement.clone(),
        labels: member.spec.labels.clone(),
        ports: member.spec.ports.clone(),
        links: member.spec.links.keys().cloned().collect(),
    };
    Request {
        resources: app.slot_resources(),
        members: app.members.iter().map(member).collect(),
        links_of: (!app.links_to_all).then(|| app.owner.clone()),
        needs_agent: false,
        avoid: Vec::new(),
        avoid_ports: Vec::new(),
        seed: seed(app, slot, generation),
    }
}

/// The same, away from the hosts and ports where the slot failed lately.
pub(crate) fn retry_request(app: &App, slot: Slot, attempts: &[Attempt], generation: Generation) -> Request {
    let mut request = slot_request(app, slot, generation);
    let all_fixed = app.members.iter().flat_map(|member| &member.spec.ports).all(|port| port.host_port.is_some());
    for attempt in attempts {
        if attempt.failure.kind == FailureKind::PortTaken && !all_fixed {
            request
                .avoid_ports
                .extend(attempt.ports.iter().map(|port| (attempt.engine.clone(), port.protocol, port.host_port)));
        } else {
            let reason = attempt.failure.message.clone();
            request.avoid.push(Avoid { engine: attempt.engine.clone(), reason });
        }
    }
    request
}

/// What a slot that has ended needs to run once more: its own host and its own ports.
pub(crate) fn rerun_request(app: &App, assignment: &Assignment) -> Request {
    let mut request = slot_request(app, assignment.slot, assignment.generation);
    request.resources = assignment.reserved;
    for member in &mut request.members {
        member.placement = Placement::Host(assignment.engine.clone());
        member.labels.clear();
        member.links.clear();
        member.ports = assignment.ports.get(&member.name).into_iter().flatten().map(asked).collect();
    }
    request
}

fn asked(port: &HostPort) -> PortRequest {
    PortRequest {
        protocol: port.protocol,
        host_ip: port.host_ip,
        host_port: Some(port.host_port),
        container_port: port.container_port,
    }
}

/// Spreads the ports of slots and generations over the range (FNV-1a, 64 bits), so that a port that was given up is not
/// given out again at once.
fn seed(app: &App, slot: Slot, generation: Generation) -> u64 {
    let bytes = app.id.0.bytes().chain(slot.0.to_le_bytes()).chain(generation.0.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
