//! Fate: what a test makes happen to a fake engine, and what it may ask about the calls.

use super::script::Mood;
use super::{Call, Fake, FakeImage};
use crate::deadlines::Verb;
use crate::error::{EngineError, Result};
use crate::output::{LogLine, Usage};
use crate::request::{CreateRequest, RegistryAuth};
use pierhead_model::{ContainerId, ContainerState, HostPort, ImageReference, ObservedContainer, Protocol, Resources};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Faults.
impl Fake {
    /// The next call of the verb fails, and nothing is done; several add up.
    pub fn fail_next(&self, verb: Verb, error: EngineError) {
        self.shared.script.verb(verb, |state| state.fail_next.push_back(Some(error)));
    }

    /// The next call of the verb passes whatever fails later; several add up, in turn with those that fail.
    pub fn pass_next(&self, verb: Verb) {
        self.shared.script.verb(verb, |state| state.fail_next.push_back(None));
    }

    /// Every call of the verb fails until [`Fake::heal`].
    pub fn fail_always(&self, verb: Verb, error: EngineError) {
        self.shared.script.verb(verb, |state| state.fail_always = Some(error));
    }

    /// The next image that is saved breaks off half-way; several add up.
    pub fn break_next_save(&self) {
        self.shared.breaking.fetch_add(1, Ordering::SeqCst);
    }

    /// The next call of the verb is done, but its caller only hears that the time is up; several add up.
    pub fn lose_reply(&self, verb: Verb) {
        self.shared.script.verb(verb, |state| state.lose_replies += 1);
    }

    /// Every call of the verb takes so long before anything is done; beyond its deadline it ends without.
    pub fn delay(&self, verb: Verb, delay: Duration) {
        self.shared.script.verb(verb, |state| state.delay = delay);
    }

    /// Takes back all faults of single verbs.
    pub fn heal(&self) {
        for state in self.shared.script.state().verbs.values_mut() {
            state.fail_next.clear();
            state.fail_always = None;
            state.lose_replies = 0;
            state.delay = Duration::ZERO;
        }
    }

    /// Nothing is answered any more: calls end at their deadlines. Those still waiting at [`Fake::resume`] are done.
    pub fn hang(&self) {
        self.shared.script.mood.send_replace(Mood::Hangs);
    }

    /// Ends [`Fake::hang`].
    pub fn resume(&self) {
        self.shared.script.mood.send_replace(Mood::Answers);
    }

    /// Calls fail at once, and streams of events break. Containers run on.
    pub fn unreachable(&self) {
        self.shared.script.mood.send_replace(Mood::CutOff);
        self.break_events();
    }

    /// Ends [`Fake::unreachable`].
    pub fn reachable(&self) {
        self.shared.script.mood.send_replace(Mood::Answers);
    }

    /// Streams of events stay open and say nothing more, until this is called with `false`.
    pub fn silence_events(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::SeqCst);
    }

    /// What happened so far can no longer be told to listeners who come later, as after a restart of the engine.
    pub fn forget_events(&self) {
        self.world().told.clear();
    }

    /// Something happens to a container, or in it, that changes nothing: `exec_start`, `top`, `resize`.
    pub fn happen(&self, id: &ContainerId, status: &str) {
        self.change(|world| world.tell(id, status, &[]));
    }

    /// Ends every stream of events with an error.
    pub fn break_events(&self) {
        // Nobody listens: nothing breaks.
        let _receivers = self.shared.events.send(None);
    }
}

/// What happens on the host without us.
impl Fake {
    /// A container's process ends by itself.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], or [`EngineError::Failed`] if it does not run.
    pub fn exit(&self, id: &ContainerId, code: i64) -> Result<()> {
        self.change(|world| world.exit(id, code))
    }

    /// How many logs are read now.
    pub fn logs_open(&self) -> usize {
        self.shared.changes.receiver_count()
    }

    /// How many streams of statistics are open now.
    pub fn stats_open(&self) -> usize {
        Arc::strong_count(&self.shared.stats_open) - 1
    }

    /// Somebody removes a container.
    pub fn vanish(&self, id: &ContainerId) {
        self.change(|world| world.remove(id));
    }

    /// Somebody starts a container of their own, held to `limits` (zero is none).
    pub fn add_foreign(&self, name: &str, image: &str, limits: Resources) -> ContainerId {
        self.change(|world| {
            let observed = ObservedContainer {
                id: world.new_id(),
                name: name.to_owned(),
                image: image.to_owned(),
                state: ContainerState::Created,
                exit_code: None,
                created_at: world.now,
                ports: vec![],
                limits,
                labels: BTreeMap::new(),
                restart_count: 0,
                started_at: None,
            };
            let id = world.insert(observed, vec![], None);
            let _running = world.start(&id);
            id
        })
    }

    /// Puts a container there as it is described, without asking whether that could happen: for tests that need
    /// states that are hard to reach, or very many containers.
    pub fn put(&self, container: ObservedContainer) {
        self.change(|world| {
            let (state, exit_code) = (container.state, container.exit_code);
            let ports = container.ports.clone();
            let id = world.insert(container, ports, None);
            world.events.clear();
            if let Ok(held) = world.held(&id) {
                held.observed.state = state;
                held.observed.exit_code = exit_code;
            }
        });
    }

    /// Something that is no container binds a port of the host.
    pub fn occupy_port(&self, protocol: Protocol, port: u16) {
        self.change(|world| world.bind(protocol, port, None, None));
    }

    /// It lets go of the port.
    pub fn free_port(&self, protocol: Protocol, port: u16) {
        self.change(|world| world.unbind(protocol, port, None));
    }

    /// An image is on the host from now on, or behaves differently from now on.
    pub fn put_image(&self, image: FakeImage) {
        self.change(|world| world.put_image(image, "tag"));
    }

    /// An image is no longer on the host.
    pub fn remove_image(&self, image: &ImageReference) {
        self.change(|world| world.images.remove(image));
    }

    /// An image can be pulled from now on.
    pub fn publish_image(&self, image: FakeImage) {
        self.change(|world| world.registry.insert(image.reference.clone(), image));
    }

    /// A registry asks for this account from now on: `auth.server` as images name it, `docker.io` where they name none.
    pub fn guard_registry(&self, auth: RegistryAuth) {
        self.change(|world| world.accounts.insert(auth.server.clone(), auth));
    }

    /// A container prints a piece of output.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn print(&self, id: &ContainerId, line: LogLine) -> Result<()> {
        self.change(|world| {
            let now = world.now;
            world.held(id).map(|held| held.print(now, line))
        })
    }

    /// What a container uses from now on, while it runs.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn set_usage(&self, id: &ContainerId, usage: Usage) -> Result<()> {
        self.change(|world| world.held(id).map(|held| held.meter.set(usage)))
    }

    /// By how much what a container uses grows in each second from now on, while it runs. Memory does not grow.
    ///
    /// # Errors
    /// [`EngineError::NotFound`].
    pub fn set_growth(&self, id: &ContainerId, each_second: Usage) -> Result<()> {
        self.change(|world| world.held(id).map(|held| held.meter.grow(each_second)))
    }
}

/// What was done, seen from behind the engine: not calls, and never subject to faults.
impl Fake {
    /// How often the verb was called.
    #[must_use]
    pub fn calls(&self, verb: Verb) -> u64 {
        self.shared.script.verb(verb, |state| state.calls)
    }

    /// The most calls of the verb that were under way at the same time.
    #[must_use]
    pub fn most_at_once(&self, verb: Verb) -> usize {
        self.shared.script.verb(verb, |state| state.most_running)
    }

    /// How many calls of the verb are under way.
    #[must_use]
    pub fn running(&self, verb: Verb) -> usize {
        self.shared.script.verb(verb, |state| state.running)
    }

    /// The last 100,000 calls, oldest first.
    #[must_use]
    pub fn journal(&self) -> Vec<Call> {
        self.shared.script.state().journal.iter().cloned().collect()
    }

    /// Forgets the calls so far.
    pub fn clear_journal(&self) {
        let mut state = self.shared.script.state();
        state.journal.clear();
        for state in state.verbs.values_mut() {
            state.calls = 0;
            state.most_running = state.running;
        }
    }

    /// How many pulls really went over the network, however many callers shared them.
    #[must_use]
    pub fn transfers(&self) -> u64 {
        self.shared.transfers.load(Ordering::SeqCst)
    }

    /// How many archives were loaded to their end, however many callers shared a load.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.shared.loads_done.load(Ordering::SeqCst)
    }

    /// How many bytes of archives came, those of loads that failed included.
    #[must_use]
    pub fn loaded_bytes(&self) -> u64 {
        self.shared.loaded_bytes.load(Ordering::SeqCst)
    }

    /// The containers as they are.
    #[must_use]
    pub fn look(&self) -> Vec<ObservedContainer> {
        self.world().containers.values().map(|held| held.observed.clone()).collect()
    }

    /// The container of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<ObservedContainer> {
        self.world().containers.values().find(|held| held.observed.name == name).map(|held| held.observed.clone())
    }

    /// What a container was created from.
    #[must_use]
    pub fn request(&self, id: &ContainerId) -> Option<Arc<CreateRequest>> {
        self.world().containers.get(id).and_then(|held| held.request.clone())
    }

    /// The ports of the host that running containers hold.
    #[must_use]
    pub fn bound_ports(&self) -> Vec<HostPort> {
        self.world().containers.values().flat_map(|held| held.observed.ports.clone()).collect()
    }
}
