//! The queue: which workspaces get a host now, in the order in which they were asked for.

use super::{Draft, WorkspaceWrite, first_assignment};
use crate::making_room::MakingRoom;
use crate::world::place_hold;
use crate::{Avoid, EngineState, HoldKey, Ledger, MemberRequest, Refusal, Request, World};
use pierhead_model::{
    Ahead, EngineId, Environment, EnvironmentSpec, Generation, LabelExpression, Placement, SaveId, Subnet, Timestamp,
    Workspace, WorkspaceAssignment, WorkspaceId, WorkspaceOrigin, WorkspacePlace, WorkspaceStage, WorkspaceWish,
};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The prefix of a workspace's network: 13 addresses for containers.
const PREFIX: u8 = 28;

/// What the containers of a workspace's run begin from.
pub(super) fn origin(workspace: &Workspace, assignment: Option<&WorkspaceAssignment>) -> Option<SaveId> {
    match &workspace.origin {
        WorkspaceOrigin::Environment => None,
        WorkspaceOrigin::Newest => assignment.and_then(|assignment| assignment.last_save.clone()),
        WorkspaceOrigin::Save(save) => Some(save.clone()),
    }
}

/// The workspaces that wait for a host, the first first. Those that nobody waits for come last.
pub(super) fn queue<'a>(world: &'a World, surplus: &BTreeSet<WorkspaceId>) -> Vec<&'a Workspace> {
    let waits = |workspace: &&Workspace| {
        let assignment = world.workspace_assignments().get(&workspace.id);
        let is_waiting = assignment
            .is_none_or(|assignment| assignment.stage == WorkspaceStage::Waiting && assignment.run == workspace.run);
        is_waiting && workspace.wants_to_run() && !surplus.contains(&workspace.id)
    };
    let mut queue: Vec<&Workspace> = world.workspaces().values().filter(waits).collect();
    queue.sort_by_key(|workspace| (workspace.wish == WorkspaceWish::Warm, workspace.asked_at, &workspace.id));
    queue
}

/// Gives hosts to those that wait. Nobody is overtaken for want of room; who waits for something else holds up nobody.
/// Tells whether somebody is on the way, or waits for room or for others.
pub(super) fn place_waiting(draft: &mut Draft<'_>, ledger: &mut Cow<'_, Ledger>, room: &mut MakingRoom) -> bool {
    let world = draft.world;
    let most = most_starting(world);
    let mut starting = starting(world);
    let mut is_somebody_waiting = is_somebody_starting(world);
    let mut used = Subnets::of(world);
    let mut ahead = 0_usize;
    let mut room_awaited = false;
    for workspace in queue(world, draft.surplus) {
        let assignment = world.workspace_assignments().get(&workspace.id);
        let is_somebodys = workspace.wish != WorkspaceWish::Warm;
        if starting >= most {
            is_somebody_waiting |= is_somebodys;
            draft.block(&workspace.id, format!("{starting} workspaces are being started; {}", behind(ahead)));
            ahead += 1;
            continue;
        }
        if room_awaited {
            draft.block(&workspace.id, format!("waits for room; {}", behind(ahead)));
            ahead += 1;
            continue;
        }
        match place(draft, ledger, room, &mut used, workspace, assignment) {
            Ok(next) => {
                starting += 1;
                is_somebody_waiting |= is_somebodys;
                draft.plan.writes.push(WorkspaceWrite::Assign { assignment: Box::new(next), told: None });
            }
            Err(Waits { reason, for_room }) => {
                let reason = if for_room { format!("{reason}; {}", behind(ahead)) } else { reason };
                draft.block(&workspace.id, reason);
                ahead += 1;
                room_awaited |= for_room;
                is_somebody_waiting |= for_room && is_somebodys;
            }
        }
    }
    is_somebody_waiting
}

/// Whether one that is somebody's is on the way, and has not failed.
fn is_somebody_starting(world: &World) -> bool {
    world.workspace_assignments().values().any(|assignment| {
        let workspace = world.workspaces().get(&assignment.workspace);
        let is_somebodys = workspace.is_some_and(|workspace| workspace.wish == WorkspaceWish::Running);
        is_somebodys && assignment.stage == WorkspaceStage::Starting && assignment.failures == 0
    })
}

/// How many workspaces may be starting at the same time.
fn most_starting(world: &World) -> usize {
    let usable = world.engines().values().filter(|engine| engine.is_usable()).count();
    usable.max(1) * world.policy.workspace_starts
}

/// How many are being started. Those that failed, or whose host does not answer, hold up nobody.
fn starting(world: &World) -> usize {
    let is_starting = |assignment: &&WorkspaceAssignment| {
        let engine = assignment.place.as_ref().and_then(|place| world.engines().get(&place.engine));
        assignment.stage == WorkspaceStage::Starting
            && assignment.failure.is_none()
            && engine.is_some_and(EngineState::is_usable)
    };
    world.workspace_assignments().values().filter(is_starting).count()
}

fn behind(ahead: usize) -> String {
    match ahead {
        0 => "it is the first in the queue".to_owned(),
        1 => "1 is before it in the queue".to_owned(),
        more => format!("{more} are before it in the queue"),
    }
}

/// Why a workspace gets no host now.
struct Waits {
    reason: String,
    /// Whether it would if others left.
    for_room: bool,
}

fn place(
    draft: &Draft<'_>,
    ledger: &mut Cow<'_, Ledger>,
    room: &mut MakingRoom,
    used: &mut Subnets,
    workspace: &Workspace,
    assignment: Option<&WorkspaceAssignment>,
) -> Result<WorkspaceAssignment, Waits> {
    let world = draft.world;
    let next = assignment.cloned().unwrap_or_else(|| first_assignment(workspace));
    let generation = next.next_generation();
    let mut request = request(workspace, &next, generation);
    let waits = draft.waits(&next);
    let mut crowded = None;
    let (engine, subnet) = loop {
        let mut placed = ledger.place(&request);
        if placed.is_err() && waits.is_none() && !next.avoid.is_empty() {
            // It failed wherever it can go: after a wait it is tried anywhere.
            request.avoid.retain(|avoid| !next.avoid.contains(&avoid.engine));
            request.avoid.extend(left_hosts(&next));
            placed = ledger.place(&request);
        }
        let placed = match (placed, &crowded) {
            (Ok(placed), _) => placed,
            (Err(_), Some(host)) => {
                let reason = format!("all addresses for workspaces are used on host {host}");
                return Err(Waits { reason, for_room: false });
            }
            (Err(refusal), None) => {
                let refused = refused(draft, ledger, &request, &refusal, &next, waits);
                let may_ask = refused.for_room && workspace.wish != WorkspaceWish::Warm;
                let key = HoldKey::Workspace(workspace.id.clone(), generation);
                let made = may_ask.then(|| room.for_all(ledger, &[(key, request)])).flatten();
                return Err(made.map_or(refused, |reason| Waits { reason, for_room: true }));
            }
        };
        match used.take(world, &placed.engine, &workspace.id, generation) {
            Some(subnet) => break (placed.engine, subnet),
            None => {
                request.avoid.push(Avoid { engine: placed.engine.clone(), reason: String::new() });
                crowded = Some(placed.engine);
            }
        }
    };
    let place = WorkspacePlace {
        engine,
        generation,
        subnet,
        reserved: workspace.spec.resources(),
        version: workspace.version,
        spec: workspace.spec.clone(),
        from: next.resumes.clone(),
        containers: Default::default(),
        primed: BTreeSet::new(),
        filled: BTreeSet::new(),
        holds_work: false,
        save: None,
        not_before: Timestamp(0),
        ahead: Ahead::default(),
        created_at: draft.now,
    };
    ledger.to_mut().hold(HoldKey::Workspace(workspace.id.clone(), generation), place_hold(&place));
    Ok(WorkspaceAssignment {
        stage: WorkspaceStage::Starting,
        place: Some(place),
        newest_generation: generation,
        not_before: Timestamp(0),
        ..next
    })
}

/// What a workspace asks of the ledger.
fn request(workspace: &Workspace, assignment: &WorkspaceAssignment, generation: Generation) -> Request {
    let failed = assignment.failure.as_ref().map_or_else(String::new, |failure| failure.message.clone());
    let tried = assignment.avoid.iter().map(|engine| Avoid { engine: engine.clone(), reason: failed.clone() });
    let avoid = tried.chain(left_hosts(assignment)).collect();
    Request { avoid, ..request_of(&workspace.spec, seed(&workspace.id, generation)) }
}

/// What any workspace of an environment asks of it.
pub(super) fn request_of(spec: &EnvironmentSpec, seed: u64) -> Request {
    let privileged = || LabelExpression::parse(Environment::PRIVILEGED_LABEL).expect("it is a label");
    let labels = if spec.asks.privileged { vec![privileged()] } else { Vec::new() };
    let member = |container: &pierhead_model::EnvironmentContainer| MemberRequest {
        name: container.name.clone(),
        image: container.image.clone(),
        placement: Placement::Service,
        labels: labels.clone(),
        ports: Vec::new(),
        links: Vec::new(),
    };
    Request {
        resources: spec.resources(),
        members: spec.containers.iter().map(member).collect(),
        links_of: None,
        needs_agent: true,
        avoid: Vec::new(),
        avoid_ports: Vec::new(),
        seed,
    }
}

/// Hosts that still have a copy of it, whose network bears the same name.
fn left_hosts(assignment: &WorkspaceAssignment) -> Vec<Avoid> {
    let left = assignment.left.iter();
    left.map(|place| Avoid { engine: place.engine.clone(), reason: "a copy of it was left there".to_owned() }).collect()
}

fn refused(
    draft: &Draft<'_>,
    ledger: &Ledger,
    request: &Request,
    refusal: &Refusal,
    assignment: &WorkspaceAssignment,
    waits: Option<u64>,
) -> Waits {
    let failure = assignment.failure.as_ref().map(|failure| failure.message.as_str());
    if let (Some(failure), Some(seconds)) = (failure, waits) {
        return Waits { reason: format!("{failure}; is tried again in {seconds} s"), for_room: false };
    }
    if let Some(host) = draft.world.unknown_host(draft.now) {
        return Waits { reason: format!("{refusal}; waits until host {host} is known"), for_room: false };
    }
    Waits { reason: refusal.to_string(), for_room: ledger.lacks_only_room(request) }
}

/// The ranges of addresses that workspaces have on each host.
struct Subnets(BTreeSet<(EngineId, Subnet)>);

impl Subnets {
    fn of(world: &World) -> Self {
        let places = world.workspace_assignments().values().flat_map(|a| a.place.iter().chain(&a.left));
        Self(places.map(|place| (place.engine.clone(), place.subnet)).collect())
    }

    /// The first free range of a host, from a point on that each workspace and generation has for itself: a range that
    /// something unknown to us uses is not tried again at once.
    fn take(&mut self, world: &World, host: &EngineId, id: &WorkspaceId, generation: Generation) -> Option<Subnet> {
        let all = world.policy.workspace_subnets;
        let count = all.parts(PREFIX).count().max(1);
        let start = usize::try_from(seed(id, generation) % count as u64).unwrap_or(0);
        let mut parts = all.parts(PREFIX).skip(start).chain(all.parts(PREFIX).take(start));
        let is_free = |part: &Subnet| {
            let is_seen = |other: Subnet| other.overlaps(*part);
            !self.0.contains(&(host.clone(), *part))
                && !world.networks(host).filter_map(|network| network.subnet).any(is_seen)
        };
        let free = parts.find(is_free)?;
        self.0.insert((host.clone(), free));
        Some(free)
    }
}

/// A number that spreads workspaces and their generations (FNV-1a, 64 bits).
fn seed(id: &WorkspaceId, generation: Generation) -> u64 {
    let bytes = id.as_str().bytes().chain(generation.0.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
