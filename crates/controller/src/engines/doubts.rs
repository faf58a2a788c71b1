//! Whether a stream of events tells everything: what a listing shows and no event told is doubtful. Pure.

use pierhead_model::{ContainerId, ObservedContainer, Timestamp};
use std::collections::BTreeMap;

/// How much later than a listing shows it an event may come, in milliseconds; and how much earlier than the listing
/// before it.
const LATENESS: u64 = 1_000;
/// How many containers are doubted by name.
const MOST: usize = 1_000;

/// What was listed and what was told of one engine.
#[derive(Default)]
pub(super) struct Doubts {
    /// When the last listing began, and which containers it showed to run.
    listed: Option<(Timestamp, BTreeMap<ContainerId, bool>)>,
    /// When each container was told of last, and how it is by what was told.
    told: BTreeMap<ContainerId, (Timestamp, Option<Way>)>,
    /// What changed without being told, and when that was seen.
    open: BTreeMap<ContainerId, Timestamp>,
    /// The listing before the first of them.
    from: Timestamp,
    /// Whether the stream was opened anew for it.
    is_tried_again: bool,
}

/// How a container is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Runs,
    Stopped,
    Gone,
}

/// What is to be done about doubts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// The stream is to be opened anew: then the engine tells again what it has.
    TryAgain,
    /// It was, and the engine does not have it: so many containers changed untold since that moment.
    Missed(usize, Timestamp),
}

impl Doubts {
    /// A stream begins: unless it was opened for a doubt, what was listed before is no longer compared.
    pub(super) fn begin(&mut self) {
        if !self.is_tried_again {
            self.listed = None;
        }
    }

    pub(super) fn told(&mut self, id: ContainerId, status: &str, now: Timestamp) {
        self.open.remove(&id);
        let way = match status {
            "start" | "restart" | "unpause" => Some(Way::Runs),
            "create" | "die" | "stop" => Some(Way::Stopped),
            "destroy" => Some(Way::Gone),
            _ => self.told.get(&id).and_then(|(_, way)| *way),
        };
        if self.told.len() < MOST || self.told.contains_key(&id) {
            self.told.insert(id, (now, way));
        } else {
            // Too much happens to keep account of it: the next listing is taken as it is.
            self.listed = None;
            self.told.clear();
        }
    }

    /// A listing that began at a moment.
    pub(super) fn listed(&mut self, began: Timestamp, containers: &[ObservedContainer], now: Timestamp) {
        let runs: BTreeMap<ContainerId, bool> =
            containers.iter().map(|container| (container.id.clone(), container.state.is_running())).collect();
        // Without a listing to compare with, what was told must be what is there.
        let (before, former) = self.listed.take().unwrap_or((began, runs.clone()));
        let gone = former.keys().filter(|id| !runs.contains_key(*id));
        let changed = runs.iter().filter(|(id, runs)| former.get(*id) != Some(*runs)).map(|(id, _)| id);
        let earliest = Timestamp(before.0.saturating_sub(LATENESS));
        let told = self.told.iter().filter(|(_, (_, way))| way.is_some()).map(|(id, _)| id);
        let unlike: Vec<ContainerId> = gone.chain(changed).chain(told).cloned().collect();
        for id in unlike {
            let way = match runs.get(&id) {
                Some(true) => Way::Runs,
                Some(false) => Way::Stopped,
                None => Way::Gone,
            };
            let is_told = self.told.get(&id).is_some_and(|(told, by)| {
                // A listing says nothing about what came after it began.
                *told >= began || by.map_or(*told >= earliest, |by| by == way)
            });
            if !is_told && self.open.len() < MOST {
                if self.open.is_empty() {
                    self.from = before;
                }
                self.open.entry(id).or_insert(now);
            }
        }
        self.told.retain(|_, (told, _)| told.0.saturating_add(LATENESS) >= began.0);
        self.listed = Some((began, runs));
    }

    /// What is to be done, in a stream that has been open for so many milliseconds.
    pub(super) fn verdict(&mut self, now: Timestamp, open_for: u64) -> Verdict {
        let count = self.open.values().filter(|seen| now.since(**seen) >= LATENESS).count();
        if count == 0 {
            self.is_tried_again &= !self.open.is_empty();
            return Verdict::Fine;
        }
        if !self.is_tried_again {
            self.is_tried_again = true;
            return Verdict::TryAgain;
        }
        if open_for < 2 * LATENESS {
            return Verdict::Fine;
        }
        self.open.clear();
        self.is_tried_again = false;
        Verdict::Missed(count, self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pierhead_model::{ContainerState, Resources};

    fn id(number: u32) -> ContainerId {
        ContainerId::parse(format!("{number:064x}")).unwrap()
    }

    fn container(number: u32, state: ContainerState) -> ObservedContainer {
        ObservedContainer {
            id: id(number),
            name: "a".to_owned(),
            image: "a:1".to_owned(),
            state,
            exit_code: None,
            created_at: Timestamp(0),
            ports: vec![],
            limits: Resources::default(),
            labels: BTreeMap::new(),
            restart_count: 0,
            started_at: None,
        }
    }

    fn listed(doubts: &mut Doubts, at: u64, runs: &[u32]) {
        let containers: Vec<_> = runs.iter().map(|number| container(*number, ContainerState::Running)).collect();
        doubts.listed(Timestamp(at), &containers, Timestamp(at));
    }

    #[test]
    fn what_was_told_is_not_doubted_whenever_it_was_told() {
        let mut doubts = Doubts::default();
        listed(&mut doubts, 10_000, &[1, 2]);
        doubts.told(id(3), "start", Timestamp(9_500));
        listed(&mut doubts, 20_000, &[1, 2, 3, 4]);
        doubts.told(id(4), "start", Timestamp(20_500));
        assert_eq!(doubts.verdict(Timestamp(30_000), 30_000), Verdict::Fine);
    }

    #[test]
    fn what_is_untold_asks_for_a_new_stream_and_then_is_missed() {
        let mut doubts = Doubts::default();
        listed(&mut doubts, 10_000, &[1, 2]);
        listed(&mut doubts, 20_000, &[2, 3]);
        assert_eq!(doubts.verdict(Timestamp(20_500), 30_000), Verdict::Fine, "it may still come");
        assert_eq!(doubts.verdict(Timestamp(21_000), 30_000), Verdict::TryAgain);
        doubts.begin();
        doubts.told(id(3), "start", Timestamp(21_100));
        assert_eq!(doubts.verdict(Timestamp(21_200), 100), Verdict::Fine);
        assert_eq!(doubts.verdict(Timestamp(23_200), 2_100), Verdict::Missed(1, Timestamp(10_000)));
        assert_eq!(doubts.verdict(Timestamp(30_000), 9_000), Verdict::Fine, "it is said once");
        doubts.begin();
        listed(&mut doubts, 30_000, &[3, 7]);
        assert_eq!(
            doubts.verdict(Timestamp(40_000), 9_000),
            Verdict::Fine,
            "the first listing of a stream shows nothing"
        );
    }

    #[test]
    fn a_container_that_stopped_untold_is_doubted() {
        let mut doubts = Doubts::default();
        listed(&mut doubts, 10_000, &[1]);
        doubts.told(id(1), "start", Timestamp(10_000));
        doubts.listed(Timestamp(20_000), &[container(1, ContainerState::Exited)], Timestamp(20_000));
        assert_eq!(doubts.verdict(Timestamp(30_000), 9_000), Verdict::TryAgain);
    }
}
