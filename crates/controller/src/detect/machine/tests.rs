use super::*;
use pierhead_model::EngineId;
use proptest::prelude::*;

const WELL: Local = Local { late_ms: 0, are_many_late: false };

struct Host {
    machine: Machine,
    now: u64,
    /// What was told, the newest last.
    told: Vec<(HealthStatus, String)>,
}

impl Host {
    /// A host that was never heard of.
    fn new() -> Self {
        Self { machine: Machine::new(Rules::DEFAULT, 0), now: 0, told: Vec::new() }
    }

    /// One that beats, and whose engine was probed.
    fn healthy() -> Self {
        let mut host = Self::new();
        host.machine.hear(Heard::Opened, 0);
        host.beats(500);
        host.machine.probe(host.now, Ok(()), host.now);
        host.look();
        assert_eq!(host.status(), HealthStatus::Healthy);
        host
    }

    fn beat(&mut self, beat: HostBeat) {
        self.machine.hear(Heard::Beat(beat), self.now);
        self.look();
    }

    fn look_with(&mut self, local: Local) -> Wishes {
        let wishes = self.machine.look(self.now, local);
        self.told.extend(wishes.health.clone());
        wishes
    }

    fn look(&mut self) -> Wishes {
        self.look_with(WELL)
    }

    /// Time passes in silence.
    fn silent(&mut self, ms: u64) {
        self.silent_with(ms, WELL);
    }

    fn silent_with(&mut self, ms: u64, local: Local) {
        for _ in 0..ms / 10 {
            self.now += 10;
            self.look_with(local);
        }
    }

    /// Time passes, and the host beats with a word of its engine.
    fn beats_with(&mut self, ms: u64, engine: impl Fn(u64) -> EngineAnswers) {
        for passed in (0..ms).step_by(100) {
            self.now += 100;
            self.beat(HostBeat { engine: Some(engine(passed)), ..HostBeat::default() });
        }
    }

    fn beats(&mut self, ms: u64) {
        self.beats_with(ms, |_| EngineAnswers::default());
    }

    /// Others are asked now, and answer.
    fn found(&mut self, answered: &[Witness], silent: &[Witness]) {
        assert!(self.machine.wants_others(self.now, WELL), "nobody is asked");
        let asked_at = self.now;
        self.machine.found(asked_at, answered.to_vec(), silent.to_vec());
        self.look();
    }

    fn status(&self) -> HealthStatus {
        self.machine.status
    }

    fn reason(&self) -> &str {
        &self.told.last().unwrap().1
    }
}

fn other(name: &str) -> Witness {
    Witness::Host(EngineId::parse(name).unwrap())
}

fn silent_for(ms: u64) -> EngineAnswers {
    EngineAnswers { silent_ms: ms, refuses: None }
}

fn refuses(ms: u64) -> EngineAnswers {
    EngineAnswers { silent_ms: ms, refuses: Some("nobody listens".to_owned()) }
}

#[test]
fn a_host_has_ten_seconds_to_call_and_is_healthy_when_its_engine_was_probed() {
    let mut host = Host::new();
    host.machine.probe(0, Err("no tunnel".to_owned()), 0);
    host.machine.probe(10, Err("no tunnel".to_owned()), 10);
    host.silent(4_990);
    assert!(!host.machine.wants_others(host.now, WELL), "it may be about to call");
    host.silent(5_000);
    assert_eq!((host.status(), host.told.len()), (HealthStatus::Pending, 0));
    let mut late = Host { machine: Machine::new(Rules::DEFAULT, 0), now: 9_990, told: vec![] };
    late.silent(10);
    assert_eq!((late.status(), late.reason()), (HealthStatus::Down, "its agent has not called"));
    for mut host in [host, late] {
        host.machine.hear(Heard::Opened, host.now);
        assert!(host.look().probe, "its engine is probed at once");
        host.beats(300);
        assert_ne!(host.status(), HealthStatus::Healthy, "it has not answered yet");
        host.machine.probe(host.now, Ok(()), host.now);
        host.look();
        assert_eq!((host.status(), host.reason()), (HealthStatus::Healthy, ""));
    }
}

#[test]
fn pauses_of_half_a_second_make_it_suspect_at_most() {
    let mut host = Host::healthy();
    host.silent(390);
    assert_eq!(host.status(), HealthStatus::Healthy);
    host.silent(120);
    assert_eq!(host.status(), HealthStatus::Suspect);
    assert!(host.reason().contains("has not beaten for 0.4 s"), "{}", host.reason());
    host.beats(100);
    assert_eq!((host.status(), host.reason()), (HealthStatus::Healthy, ""), "no probe is needed for that");
}

#[test]
fn a_host_whose_kernel_answers_nobody_is_down_at_once() {
    let mut host = Host::healthy();
    host.silent(400);
    host.found(&[], &[Witness::Own, other("host-2"), other("host-3")]);
    assert_eq!(host.status(), HealthStatus::Suspect, "half a second may be a pause");
    host.silent(250);
    assert_eq!(host.status(), HealthStatus::Down);
    assert!(host.reason().contains("answers none of host-2 and host-3"), "{}", host.reason());
}

#[test]
fn a_host_whose_kernel_answers_waits_for_its_agent() {
    let mut host = Host::healthy();
    host.machine.hear(Heard::Ended, host.now);
    host.look();
    assert!(host.reason().contains("tunnel has ended"), "{}", host.reason());
    host.found(&[Witness::Own, other("host-2")], &[]);
    assert_eq!(host.status(), HealthStatus::Suspect);
    assert!(host.reason().contains("its kernel answers this controller and host-2"), "{}", host.reason());
    host.silent(840);
    assert_eq!(host.status(), HealthStatus::Suspect);
    let told = host.told.len();
    // Its supervisor starts it again.
    let mut back = host;
    back.machine.hear(Heard::Opened, back.now);
    back.beats(200);
    assert_eq!((back.status(), back.told.len()), (HealthStatus::Healthy, told + 1));
    // Nobody starts it.
    back.machine.hear(Heard::Ended, back.now);
    back.look();
    back.found(&[other("host-2")], &[]);
    back.silent(850);
    assert_eq!(back.status(), HealthStatus::Down);
    assert!(back.reason().contains("has not run or could not call"), "{}", back.reason());
    // One that only hangs may be waiting for its turn.
    let mut hangs = Host::healthy();
    hangs.silent(400);
    hangs.found(&[other("host-2")], &[]);
    hangs.silent(1_590);
    assert_eq!(hangs.status(), HealthStatus::Suspect);
    hangs.silent(10);
    assert_eq!(hangs.status(), HealthStatus::Down);
    assert!(hangs.reason().contains("its agent has not answered for 2.0 s"), "{}", hangs.reason());
}

#[test]
fn whoever_is_answered_tells_which_part_is_cut() {
    let mut host = Host::healthy();
    host.silent(400);
    host.found(&[other("host-2")], &[Witness::Own]);
    assert!(host.reason().contains("the link between this controller and the host is cut"), "{}", host.reason());
    let mut host = Host::healthy();
    host.silent(400);
    host.found(&[Witness::Own], &[other("host-2")]);
    assert!(host.reason().contains("its agent has not answered"), "{}", host.reason());
    assert_eq!(host.status(), HealthStatus::Suspect, "one that is answered counts for more than one that is not");
}

#[test]
fn where_nobody_else_can_be_asked_silence_is_borne_for_longer() {
    let mut host = Host::healthy();
    host.silent(400);
    host.found(&[], &[Witness::Own]);
    host.silent(1_090);
    assert_eq!(host.status(), HealthStatus::Suspect);
    host.silent(10);
    assert_eq!(host.status(), HealthStatus::Down);
    assert!(host.reason().contains("nobody else can tell whether its kernel answers"), "{}", host.reason());
}

#[test]
fn what_was_found_before_a_sign_of_life_is_past() {
    let mut host = Host::healthy();
    host.silent(400);
    assert!(host.machine.wants_others(host.now, WELL));
    let asked_at = host.now;
    host.beats(100);
    host.silent(500);
    host.machine.found(asked_at, vec![], vec![other("host-2")]);
    host.silent(300);
    assert_eq!(host.status(), HealthStatus::Suspect);
}

#[test]
fn an_engine_that_dies_and_one_that_hangs_are_down_within_a_second() {
    let mut host = Host::healthy();
    host.beats_with(100, |_| refuses(0));
    assert_eq!(host.status(), HealthStatus::Suspect);
    host.beats_with(500, |ms| refuses(100 + ms));
    assert_eq!(host.status(), HealthStatus::Down);
    assert!(host.reason().starts_with("its engine does not run for 0.4 s: nobody listens"), "{}", host.reason());

    let mut host = Host::healthy();
    host.beats_with(600, |ms| silent_for(ms + 100));
    assert_eq!(host.status(), HealthStatus::Suspect, "half a second may be a pause");
    assert!(!host.machine.wants_others(host.now, WELL), "the host is not in question");
    host.beats_with(200, |ms| silent_for(ms + 700));
    assert_eq!(host.status(), HealthStatus::Down);
    assert!(host.reason().starts_with("its engine hangs: no answer to its agent for 0.8 s"), "{}", host.reason());

    // Back is what has answered since.
    host.machine.probe(0, Ok(()), host.now);
    host.beats(200);
    assert_eq!(host.status(), HealthStatus::Down, "that probe began before");
    host.machine.probe(host.now, Ok(()), host.now);
    host.look();
    assert_eq!(host.status(), HealthStatus::Healthy);
}

#[test]
fn a_probe_that_was_answered_counts_for_more_than_what_was_told_before() {
    let mut host = Host::healthy();
    host.beats_with(700, |ms| silent_for(ms + 100));
    host.machine.probe(host.now - 50, Ok(()), host.now);
    host.beats_with(200, |ms| silent_for(800 + ms));
    assert_eq!(host.status(), HealthStatus::Healthy);
}

#[test]
fn what_is_not_answered_through_the_tunnel_is_down_late() {
    let mut host = Host::healthy();
    for failed in 1..=5 {
        let began = host.now;
        host.beats(800);
        host.machine.probe(began, Err("no answer within 800 ms".to_owned()), host.now);
        host.look();
        let status = match failed {
            1 => HealthStatus::Healthy,
            2 | 3 => HealthStatus::Suspect,
            _ => HealthStatus::Down,
        };
        assert_eq!(host.status(), status, "after {failed}");
    }
    assert!(host.reason().contains("no answer within 800 ms"), "{}", host.reason());
}

#[test]
fn of_an_agent_that_does_not_look_the_probes_word_is_all() {
    let mut host = Host::healthy();
    for status in [HealthStatus::Suspect, HealthStatus::Down] {
        host.now += 50;
        host.beat(HostBeat::default());
        host.machine.probe(host.now, Err("refused".to_owned()), host.now);
        host.look();
        assert_eq!(
            (host.status(), host.reason()),
            (status, "what is asked through its agent is not answered: refused")
        );
    }
}

#[test]
fn whoever_is_late_waits_longer() {
    // This controller.
    let mut host = Host::healthy();
    host.silent_with(700, Local { late_ms: 350, are_many_late: false });
    assert_eq!(host.status(), HealthStatus::Healthy);
    // The host.
    let mut host = Host::healthy();
    host.beat(HostBeat { late_ms: 450, engine: Some(EngineAnswers::default()), ..HostBeat::default() });
    host.silent(840);
    assert_eq!(host.status(), HealthStatus::Healthy);
    host.silent(20);
    assert_eq!(host.status(), HealthStatus::Suspect);
    // A new run of its agent was not late.
    host.beat(HostBeat { run: 2, engine: Some(EngineAnswers::default()), ..HostBeat::default() });
    host.silent(400);
    assert_eq!(host.status(), HealthStatus::Suspect);
    // Half of the hosts.
    let mut host = Host::healthy();
    host.silent_with(1_190, Local { late_ms: 0, are_many_late: true });
    assert_eq!(host.status(), HealthStatus::Healthy);
    // There is an end to it.
    host.silent_with(3_000, Local { late_ms: 1_000_000, are_many_late: true });
    assert_eq!(host.status(), HealthStatus::Down);
}

#[test]
fn whoever_is_shut_out_is_down_until_it_calls() {
    let mut host = Host::healthy();
    host.machine.hear(Heard::ShutOut, host.now);
    host.look();
    assert_eq!(host.status(), HealthStatus::Down);
    assert!(host.reason().contains("has to join again"), "{}", host.reason());
    host.silent(1_000);
    assert!(!host.machine.wants_others(host.now, WELL));
    host.machine.hear(Heard::Opened, host.now);
    assert!(host.look().probe);
    host.machine.probe(host.now, Ok(()), host.now);
    host.look();
    assert_eq!(host.status(), HealthStatus::Healthy);
}

#[test]
fn others_are_asked_often_at_first_and_seldom_of_the_dead() {
    let mut host = Host::healthy();
    let mut asked = Vec::new();
    for _ in 0..360_000 {
        host.now += 10;
        host.look();
        if host.machine.wants_others(host.now, WELL) {
            asked.push(host.now);
        }
    }
    let within = |ms: u64| asked.iter().filter(|at| **at < 500 + ms).count();
    assert!((3..=6).contains(&within(2_000)), "{}", within(2_000));
    assert!(asked.len() < 110, "{} in an hour", asked.len());
}

/// What may happen to a host.
#[derive(Debug, Clone)]
enum Step {
    Passes(u64),
    Heard(Heard),
    Probed(bool),
    Found(bool, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let engine = proptest::option::of(
        (0u64..3_000, any::<bool>())
            .prop_map(|(silent_ms, is_dead)| EngineAnswers { silent_ms, refuses: is_dead.then(|| "dead".to_owned()) }),
    );
    let beat =
        (engine, 0u64..2_000).prop_map(|(engine, late_ms)| HostBeat { run: 1, late_ms, engine, ..HostBeat::default() });
    prop_oneof![
        4 => (0u64..1_000).prop_map(Step::Passes),
        3 => beat.prop_map(|beat| Step::Heard(Heard::Beat(beat))),
        1 => Just(Step::Heard(Heard::Opened)),
        1 => Just(Step::Heard(Heard::Ended)),
        1 => Just(Step::Heard(Heard::ShutOut)),
        1 => any::<bool>().prop_map(Step::Probed),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(own, other)| Step::Found(own, other)),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_nobody_dies_unseen_and_who_answers_is_well(steps in proptest::collection::vec(step(), 1..60)) {
        let mut host = Host::new();
        for step in steps {
            let before = host.status();
            let mut is_told_dead = false;
            match step {
                Step::Passes(ms) => host.now += ms,
                Step::Heard(heard) => {
                    is_told_dead = heard == Heard::ShutOut;
                    host.machine.hear(heard, host.now);
                }
                Step::Probed(true) => host.machine.probe(host.now, Ok(()), host.now),
                Step::Probed(false) => host.machine.probe(host.now, Err("late".to_owned()), host.now),
                Step::Found(own, is_answered) => {
                    let (asked, now) = (vec![Witness::Own, other("b")], host.now);
                    host.machine.wants_others(now, WELL);
                    let of = |sign: bool| asked.iter().zip([own, is_answered])
                        .filter(|(_, is_answered)| *is_answered == sign).map(|(by, _)| by.clone()).collect::<Vec<_>>();
                    host.machine.found(now, of(true), of(false));
                }
            }
            let wishes = host.look();
            // Every change is told with its reason, and nothing else is.
            prop_assert!((before == host.status()) || wishes.health.is_some());
            if let Some((status, reason)) = &wishes.health {
                prop_assert_eq!(*status, host.status());
                prop_assert_eq!(reason.is_empty(), *status == HealthStatus::Healthy);
            }
            prop_assert!(host.look().health.is_none(), "looking changes nothing");
            let machine_lives = host.machine.silence(host.now) < Rules::DEFAULT.gone;
            let is_engine_well = host.machine.engine.as_ref().is_some_and(|engine| {
                engine.refuses.is_none() && engine.silent_ms < Rules::DEFAULT.engine_hangs
            });
            if machine_lives && is_engine_well && host.machine.failed == 0 && !host.machine.is_shut_out && !is_told_dead {
                let fell = before != HealthStatus::Down && host.status() == HealthStatus::Down;
                prop_assert!(!fell, "{:?}", host.told.last());
            }
        }
        // Whatever was: who beats, and whose engine answers, is well.
        host.machine.hear(Heard::Opened, host.now);
        host.beats(200);
        host.now += 1;
        host.machine.probe(host.now, Ok(()), host.now);
        host.look();
        prop_assert_eq!(host.status(), HealthStatus::Healthy);
    }
}

#[test]
fn an_agent_that_goes_while_its_host_lives_is_told_once_and_whatever_comes_later() {
    let told = |host: &mut Host, ms: u64| -> Vec<u64> {
        let look = |_| {
            host.now += 10;
            host.look().agent_lost
        };
        (0..ms / 10).filter_map(look).collect()
    };
    // Its tunnel ends between two beats: a kernel that lives has said so. Then the host is cut off.
    let mut host = Host::healthy();
    host.machine.hear(Heard::Ended, host.now + 50);
    assert_eq!(told(&mut host, 500), [10]);
    host.found(&[], &[Witness::Own, other("b")]);
    assert_eq!(told(&mut host, 5_000), Vec::<u64>::new());
    assert!(host.reason().starts_with("the host is off or cut off"), "{}", host.reason());
    // It hangs, and the kernel answers.
    let mut host = Host::healthy();
    assert_eq!(told(&mut host, 450), Vec::<u64>::new());
    assert!(host.machine.wants_others(host.now, WELL));
    host.machine.found(host.now, vec![other("b")], vec![]);
    assert_eq!(told(&mut host, 5_000), [460]);
    host.beats(300);
    host.machine.hear(Heard::Ended, host.now);
    assert_eq!(told(&mut host, 100), [10], "it was heard of since");
    // All signs vanish at once; much later the connection is given up.
    let mut host = Host::healthy();
    host.silent(450);
    host.found(&[], &[Witness::Own, other("b")]);
    host.machine.hear(Heard::Ended, host.now + 3_000);
    assert_eq!(told(&mut host, 10_000), Vec::<u64>::new());
    // The link to this controller alone is cut: the agent may well live.
    let mut host = Host::healthy();
    host.silent(450);
    host.found(&[other("b")], &[Witness::Own]);
    assert_eq!(told(&mut host, 10_000), Vec::<u64>::new());
    // It ends in good order, and has stopped what it had to.
    let mut host = Host::healthy();
    host.beat(HostBeat { gave_up: true, ..HostBeat::default() });
    host.machine.hear(Heard::Ended, host.now);
    assert_eq!(told(&mut host, 10_000), Vec::<u64>::new());
    // A certificate that counts no more takes nothing from the agent.
    let mut host = Host::healthy();
    host.machine.hear(Heard::ShutOut, host.now);
    host.machine.hear(Heard::Ended, host.now);
    assert_eq!(told(&mut host, 10_000), Vec::<u64>::new());
}

#[test]
fn whoever_begins_learns_that_a_host_lives_whose_agent_does_not_call() {
    let mut host = Host::new();
    host.silent(6_000);
    host.found(&[other("b")], &[]);
    assert_eq!(host.status(), HealthStatus::Pending, "it may still call");
    let lost: Vec<u64> = (0..600)
        .filter_map(|_| {
            host.now += 10;
            host.look().agent_lost
        })
        .collect();
    assert_eq!((host.status(), lost), (HealthStatus::Down, vec![10_000]));
    assert!(host.reason().contains("has not run or could not call for 10 s; the host lives"), "{}", host.reason());
}
