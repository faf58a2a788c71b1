//! What people ask of the pool, as the API writes it: a change of specs, with its operation.

use super::simulation::{Simulation, engine};
use pierhead_model::{
    App, AppId, AppName, ContainerSpec, Duty, Goal, ImageReference, Limits, Member, MemberName, Operation, OperationId,
    OperationState, PortRequest, Protocol, Relocation, Resources, RestartPolicy, Slot, SlotIntent, SlotKey, SlotWish,
    Target, Username,
};
use std::collections::BTreeMap;

/// How long an operation may take.
pub(super) const DEADLINE_MS: u64 = 300_000;

/// A small container that runs for ever.
pub(super) fn spec(image: &str) -> ContainerSpec {
    ContainerSpec::new(
        ImageReference::parse(image).unwrap(),
        Limits { reserved: Resources::new(100, 64), cpu_limit_millis: 1000 },
    )
}

pub(super) fn of_size(image: &str, cpu_millis: u64, memory_mb: u64) -> ContainerSpec {
    let limits = Limits { reserved: Resources::new(cpu_millis, memory_mb), cpu_limit_millis: cpu_millis };
    ContainerSpec { limits, ..spec(image) }
}

pub(super) fn restarting(image: &str, restart: RestartPolicy) -> ContainerSpec {
    ContainerSpec { restart, ..spec(image) }
}

/// Of which no two copies may run.
pub(super) fn single_writer(image: &str) -> ContainerSpec {
    ContainerSpec { single_writer: true, ..spec(image) }
}

pub(super) fn publishing(image: &str, host_port: Option<u16>) -> ContainerSpec {
    let port = PortRequest { protocol: Protocol::Tcp, host_ip: None, host_port, container_port: 80 };
    ContainerSpec { ports: vec![port], ..spec(image) }
}

fn member(name: &str, spec: ContainerSpec) -> Member {
    Member { name: MemberName::parse(name).unwrap(), spec }
}

pub(super) fn app_id(name: &str) -> AppId {
    AppId(format!("id-{name}"))
}

pub(super) fn key(name: &str, slot: u32) -> SlotKey {
    SlotKey { app: app_id(name), slot: Slot(slot) }
}

impl Simulation {
    /// Runs `count` more of an app, which is made if it is not there.
    pub fn run(&mut self, name: &str, count: u32, spec: ContainerSpec) -> OperationId {
        self.run_group(name, count, vec![("main", spec)])
    }

    pub fn run_group(&mut self, name: &str, count: u32, members: Vec<(&str, ContainerSpec)>) -> OperationId {
        let id = self.next_operation_id();
        let made_app = !self.records.apps.contains_key(&app_id(name));
        let new = App {
            id: app_id(name),
            name: AppName::parse(name).unwrap(),
            owner: Username::parse("clare").unwrap(),
            transient: true,
            members: members.into_iter().map(|(name, spec)| member(name, spec)).collect(),
            version: 1,
            newest_version: 1,
            former: None,
            taken_back: None,
            links_to_all: false,
            slots: BTreeMap::new(),
            next_slot: 0,
            created_at: self.now,
        };
        let mut app = self.records.apps.get(&app_id(name)).cloned().unwrap_or(new);
        let targets = app.add_slots(count, &id).into_iter().map(|slot| (slot, Goal::Added)).collect();
        self.change_app(id, app, targets, made_app)
    }

    /// Scales down by so many slots, the newest first.
    pub fn scale_down(&mut self, name: &str, count: usize) -> OperationId {
        let newest: Vec<u32> = self.app(name).slots.keys().rev().take(count).map(|slot| slot.0).collect();
        self.destroy(name, &newest)
    }

    /// Removes slots, and the app with its last one.
    pub fn destroy(&mut self, name: &str, slots: &[u32]) -> OperationId {
        let mut app = self.app(name);
        app.slots.retain(|slot, _| !slots.contains(&slot.0));
        let targets = slots.iter().map(|&slot| (Slot(slot), Goal::Gone)).collect();
        let id = self.next_operation_id();
        let is_last = app.slots.is_empty();
        let id = self.change_app(id, app, targets, false);
        if is_last && self.app(name).transient {
            self.remove_app(&app_id(name));
        }
        id
    }

    pub fn stop(&mut self, name: &str, slot: u32) -> OperationId {
        self.edit_slot(name, slot, Goal::Stopped, |intent| intent.wish = SlotWish::Stopped)
    }

    /// Starts or restarts a slot.
    pub fn restart(&mut self, name: &str, slot: u32) -> OperationId {
        self.edit_slot(name, slot, Goal::Running, |intent| {
            intent.wish = SlotWish::Running;
            intent.restarts += 1;
        })
    }

    fn edit_slot(&mut self, name: &str, slot: u32, goal: Goal, edit: impl FnOnce(&mut SlotIntent)) -> OperationId {
        let mut app = self.app(name);
        edit(app.slots.get_mut(&Slot(slot)).unwrap());
        let id = self.next_operation_id();
        self.change_app(id, app, vec![(Slot(slot), goal)], false)
    }

    /// Changes the description of an app of one container.
    pub fn describe_anew(&mut self, name: &str, spec: ContainerSpec) -> OperationId {
        self.describe_group_anew(name, vec![("main", spec)])
    }

    pub fn describe_group_anew(&mut self, name: &str, members: Vec<(&str, ContainerSpec)>) -> OperationId {
        let mut app = self.app(name);
        let version = app.describe(members.into_iter().map(|(name, spec)| member(name, spec)).collect());
        let targets = app.slots.keys().map(|&slot| (slot, Goal::Running)).collect();
        let id = self.next_operation_id();
        self.change_app(id.clone(), app, targets, false);
        let operation = Operation { describes: Some(version), ..self.operation(&id).clone() };
        self.records.operations.insert(id.clone(), operation.clone());
        self.world.set_operation(operation);
        id
    }

    /// A new description, and fewer slots with it.
    pub fn describe_fewer(&mut self, name: &str, spec: ContainerSpec, left: usize) -> OperationId {
        let surplus: Vec<Slot> = self.app(name).slots.keys().skip(left).copied().collect();
        let mut app = self.app(name);
        app.slots.retain(|slot, _| !surplus.contains(slot));
        self.set_app(app);
        let id = self.describe_anew(name, spec);
        let mut operation = self.operation(&id).clone();
        operation.targets.extend(surplus.into_iter().map(|slot| Target { slot, goal: Goal::Gone }));
        self.records.operations.insert(id.clone(), operation.clone());
        self.world.set_operation(operation);
        id
    }

    // What administrators ask.

    pub fn set_duty(&mut self, host: &str, duty: Duty) {
        self.host(host).record.duty = duty;
        let record = self.host(host).record.clone();
        self.world.set_engine(record);
    }

    /// Moves everything off a host.
    pub fn drain(&mut self, host: &str) -> OperationId {
        self.set_duty(host, Duty::Drained);
        let moves = crate::moves_off(&self.world, &engine(host));
        self.relocate(Relocation { drained: Some(engine(host)), moves })
    }

    /// Makes moves as they were planned.
    pub fn relocate(&mut self, relocation: Relocation) -> OperationId {
        let id = self.next_operation_id();
        let mut operation = self.new_operation(&id, Vec::new());
        operation.relocation = Some(relocation);
        self.records.operations.insert(id.clone(), operation.clone());
        self.world.set_operation(operation);
        id
    }

    pub fn cancel(&mut self, id: &OperationId) {
        let write = crate::cancel(&self.world, &self.world.operations()[id], self.now);
        self.write(&Vec::from_iter(write));
    }

    pub fn app(&self, name: &str) -> App {
        self.records.apps[&app_id(name)].clone()
    }

    fn next_operation_id(&mut self) -> OperationId {
        self.ids += 1;
        OperationId::parse(format!("op-{:04}", self.ids)).unwrap()
    }

    fn change_app(&mut self, id: OperationId, app: App, targets: Vec<(Slot, Goal)>, made_app: bool) -> OperationId {
        let operation = Operation {
            app: app.id.clone(),
            app_name: Some(app.name.clone()),
            made_app,
            ..self.new_operation(&id, targets)
        };
        self.set_app(app);
        self.records.operations.insert(id.clone(), operation.clone());
        self.world.set_operation(operation);
        id
    }

    fn new_operation(&self, id: &OperationId, targets: Vec<(Slot, Goal)>) -> Operation {
        Operation {
            id: id.clone(),
            title: "something that somebody asked".to_owned(),
            actor: Username::parse("clare").unwrap(),
            app: AppId(String::new()),
            app_name: None,
            relocation: None,
            targets: targets.into_iter().map(|(slot, goal)| Target { slot, goal }).collect(),
            made_app: false,
            describes: None,
            pull: false,
            ending: None,
            state: OperationState::Running,
            verdicts: Vec::new(),
            error: None,
            created_at: self.now,
            deadline: self.now.plus(DEADLINE_MS),
            ended_at: None,
        }
    }
}
