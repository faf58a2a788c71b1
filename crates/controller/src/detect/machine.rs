//! What is known of one host with an agent, and what follows from it. Pure.

use super::awake::Lateness;
use super::cause::{Cause, Witness};
use super::rules::Rules;
use super::{EngineAnswers, Heard, HostBeat};
use pierhead_model::HealthStatus;

/// How often a probe is asked for, in milliseconds.
const PROBE_AGAIN: u64 = 200;
/// How many probes in a row must have failed before that means something, where the agent tells how the engine is.
const FAILED_PROBES: u32 = 3;
/// The longest time between two questions about a host that is down, in milliseconds.
const ASK_SELDOM: u64 = 60_000;

/// How it stands with whoever judges.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Local {
    /// How late this controller was lately, in milliseconds.
    pub late_ms: u64,
    /// Whether at least half of the hosts, and more than one, are late at this moment.
    pub are_many_late: bool,
}

/// What is to be done, after a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// The new state and why, if it is another one.
    pub health: Option<(HealthStatus, String)>,
    /// Whether the engine is to be probed.
    pub probe: bool,
    /// For how long the agent may have been gone while the host lives, in milliseconds, if that is seen for the first time
    /// since it was heard of.
    pub agent_lost: Option<u64>,
}

/// What others found, all of one question.
#[derive(Debug)]
struct Findings {
    answered: Vec<Witness>,
    silent: Vec<Witness>,
}

/// What is known of one host.
#[derive(Debug)]
pub(crate) struct Machine {
    rules: Rules,
    made_at: u64,
    has_called: bool,
    has_ended: bool,
    is_shut_out: bool,
    /// Its tunnel ended while it beat: that was told by a kernel that lives.
    has_died: bool,
    is_loss_told: bool,
    /// It ends in good order, and has stopped what needs a lease.
    gave_up: bool,
    /// The last sign of life of the agent.
    life_at: u64,
    run: Option<u64>,
    lateness: Lateness,
    engine: Option<EngineAnswers>,
    /// When the last probe began that was answered.
    probed_at: Option<u64>,
    failed: u32,
    failed_since: u64,
    failure: String,
    findings: Option<Findings>,
    asked_at: Option<u64>,
    wished_probe_at: Option<u64>,
    status: HealthStatus,
    status_since: u64,
    cause: Option<Cause>,
}

impl Machine {
    pub(crate) fn new(rules: Rules, now: u64) -> Self {
        Self {
            rules,
            made_at: now,
            has_called: false,
            has_ended: false,
            is_shut_out: false,
            has_died: false,
            is_loss_told: false,
            gave_up: false,
            life_at: now,
            run: None,
            lateness: Lateness::default(),
            engine: None,
            probed_at: None,
            failed: 0,
            failed_since: now,
            failure: String::new(),
            findings: None,
            asked_at: None,
            wished_probe_at: None,
            status: HealthStatus::Pending,
            status_since: now,
            cause: None,
        }
    }

    /// Something was heard of the host's agent.
    pub(crate) fn hear(&mut self, heard: Heard, now: u64) {
        match heard {
            Heard::Opened => {
                self.lives(now);
                self.gave_up = false;
                // What failed before it called says nothing.
                self.failed = 0;
            }
            Heard::Beat(HostBeat { run, late_ms, engine, gave_up, load: _ }) => {
                if self.run.replace(run) != Some(run) {
                    // Another process: how late its predecessor was says nothing of it.
                    self.lateness = Lateness::default();
                }
                if self.silence(now) >= self.rules.suspect {
                    // What failed in the silence says no more than the silence.
                    self.failed = 0;
                }
                self.lives(now);
                self.lateness.note(late_ms, now);
                self.engine = engine;
                self.gave_up = gave_up;
            }
            Heard::Ended => {
                self.has_died |= self.has_called && !self.is_shut_out && self.silence(now) < self.rules.suspect;
                self.has_ended = true;
            }
            Heard::ShutOut => (self.has_ended, self.is_shut_out) = (true, true),
        }
    }

    /// Whether the agent's last word was that it has given its lease up.
    pub(crate) fn has_given_up(&self) -> bool {
        self.gave_up
    }

    fn lives(&mut self, now: u64) {
        (self.has_called, self.life_at) = (true, now);
        (self.has_ended, self.is_shut_out) = (false, false);
        (self.has_died, self.is_loss_told) = (false, false);
        (self.findings, self.asked_at) = (None, None);
    }

    /// A probe through the tunnel that began at a moment has an outcome.
    pub(crate) fn probe(&mut self, began: u64, outcome: Result<(), String>, now: u64) {
        match outcome {
            Ok(()) => {
                self.lives(self.life_at.max(began));
                self.has_called = true;
                self.probed_at = Some(began);
                self.failed = 0;
            }
            Err(why) => {
                if self.failed == 0 {
                    self.failed_since = began.min(now);
                }
                self.failed = self.failed.saturating_add(1);
                self.failure = why;
            }
        }
    }

    /// Others were asked at a moment whether the host's kernel answers: who got an answer, and who got none. Whoever
    /// cannot tell is in neither.
    pub(crate) fn found(&mut self, asked_at: u64, answered: Vec<Witness>, silent: Vec<Witness>) {
        // What was found before the last sign of life is past.
        if asked_at >= self.life_at && self.asked_at.is_some() {
            self.findings = Some(Findings { answered, silent });
        }
    }

    /// How long there was no sign of life.
    pub(crate) fn silence(&self, now: u64) -> u64 {
        now.saturating_sub(self.life_at)
    }

    /// Whether its agent has called, has a tunnel, and is late with its beat.
    pub(crate) fn is_late(&self, now: u64) -> bool {
        self.is_counted() && self.silence(now) >= self.rules.suspect * 3 / 4
    }

    /// Whether it is one of the hosts of which half may be late.
    pub(crate) fn is_counted(&self) -> bool {
        self.has_called && self.status != HealthStatus::Down
    }

    /// Whether its agent may be asked about others.
    pub(crate) fn is_witness(&self, now: u64) -> bool {
        self.has_called && !self.has_ended && self.silence(now) < self.rules.suspect
    }

    /// Judges by what is known now.
    pub(crate) fn look(&mut self, now: u64, local: Local) -> Wishes {
        let (status, cause) = self.judge(now, self.stretch(now, local));
        let status = match (self.status, status) {
            // Whoever was given up, or never seen, has to answer first.
            (HealthStatus::Down, HealthStatus::Healthy | HealthStatus::Suspect) if !self.is_proven() => {
                HealthStatus::Down
            }
            (HealthStatus::Pending, HealthStatus::Healthy | HealthStatus::Suspect) if self.probed_at.is_none() => {
                HealthStatus::Pending
            }
            (_, status) => status,
        };
        let agent_lost = self.loss(cause.as_ref(), now);
        let mut wishes =
            Wishes { probe: self.wants_probe(now, status, cause.is_none()), agent_lost, ..Wishes::default() };
        let is_same = status == self.status && cause.as_ref().is_none_or(|cause| cause.is_like(self.cause.as_ref()));
        if !is_same {
            let words = cause.as_ref().map(|cause| cause.words(self.missing(cause, now))).unwrap_or_default();
            wishes.health = Some((status, words));
            if status != self.status {
                self.status_since = now;
            }
            (self.status, self.cause) = (status, cause);
        }
        wishes
    }

    /// For how long the agent may have been gone on a host that lives. Said once: what follows from it counts until the
    /// agent is heard of again, however the host is lost later.
    fn loss(&mut self, cause: Option<&Cause>, now: u64) -> Option<u64> {
        let is_lost = !self.gave_up && (self.has_died || matches!(cause, Some(Cause::AgentGone { .. })));
        if !is_lost || std::mem::replace(&mut self.is_loss_told, true) {
            return None;
        }
        Some(self.silence(now))
    }

    /// Whether the engine has answered since the host was given up.
    fn is_proven(&self) -> bool {
        self.probed_at.is_some_and(|at| at > self.status_since)
    }

    fn wants_probe(&mut self, now: u64, status: HealthStatus, is_well: bool) -> bool {
        let is_doubtful = matches!(status, HealthStatus::Down | HealthStatus::Pending) && is_well && self.has_called;
        let is_time = self.wished_probe_at.is_none_or(|at| now.saturating_sub(at) >= PROBE_AGAIN);
        if is_doubtful && is_time {
            self.wished_probe_at = Some(now);
        }
        is_doubtful && is_time
    }

    /// By how much all times are stretched now.
    fn stretch(&self, now: u64, local: Local) -> u64 {
        let late = local.late_ms.max(self.lateness.at(now)).min(self.rules.longest_stretch);
        late + if local.are_many_late { self.rules.many } else { 0 }
    }

    /// Whether others are to be asked now if the host's kernel answers; then they count as asked.
    pub(crate) fn wants_others(&mut self, now: u64, local: Local) -> bool {
        let is_away = match self.has_called {
            true => self.is_away(now, self.stretch(now, local)),
            // Whoever begins now does not know whether the host lives.
            false => now.saturating_sub(self.made_at) >= self.rules.call / 2,
        };
        if self.is_shut_out || !is_away {
            return false;
        }
        let pause = match self.status {
            HealthStatus::Down => (self.silence(now) / 10).clamp(self.rules.ask, ASK_SELDOM),
            _ => self.rules.ask,
        };
        let wants = self.asked_at.is_none_or(|at| now.saturating_sub(at) >= pause);
        if wants {
            self.asked_at = Some(now);
        }
        wants
    }

    fn is_away(&self, now: u64, stretch: u64) -> bool {
        self.has_ended || self.silence(now) >= self.rules.suspect + stretch
    }

    /// The state by what is known now, whatever it was before.
    fn judge(&self, now: u64, stretch: u64) -> (HealthStatus, Option<Cause>) {
        if !self.has_called {
            let is_early = now.saturating_sub(self.made_at) < self.rules.call;
            let status = if is_early { HealthStatus::Pending } else { HealthStatus::Down };
            let told_by = self.findings.as_ref().map(|findings| findings.answered.clone()).unwrap_or_default();
            let cause = match told_by.is_empty() {
                true => Cause::NotCalled,
                false => Cause::AgentGone { ended: true, told_by },
            };
            return (status, (!is_early).then_some(cause));
        }
        if self.is_shut_out {
            return (HealthStatus::Down, Some(Cause::ShutOut));
        }
        if self.is_away(now, stretch) {
            let (limit, cause) = self.away();
            return (at(self.silence(now), limit + stretch), Some(cause));
        }
        if let Some((ms, limit, cause)) = self.engine_is_away(now, stretch) {
            return (at(ms, limit + stretch), Some(cause));
        }
        self.answers(now, stretch)
    }

    /// What is away where there is no sign of life, and how long that is borne.
    fn away(&self) -> (u64, Cause) {
        let ended = self.has_ended;
        let Some(findings) = &self.findings else { return (self.rules.alone, Cause::Silent { ended }) };
        let is_other = |witness: &&Witness| matches!(witness, Witness::Host(_));
        let others: Vec<Witness> = findings.silent.iter().filter(is_other).cloned().collect();
        if findings.answered.is_empty() {
            return match others.is_empty() {
                true => (self.rules.alone, Cause::Unknown { ended }),
                false => (self.rules.gone, Cause::Gone { asked: others }),
            };
        }
        let told_by = findings.answered.clone();
        if findings.silent.contains(&Witness::Own) {
            return (self.rules.agent_silent, Cause::Cut { told_by });
        }
        let limit = if ended { self.rules.agent_gone } else { self.rules.agent_silent };
        (limit, Cause::AgentGone { ended, told_by })
    }

    /// Whether the engine does not answer its agent: for how long, how long that is borne, and what it is.
    fn engine_is_away(&self, now: u64, stretch: u64) -> Option<(u64, u64, Cause)> {
        let engine = self.engine.as_ref()?;
        // A probe that was answered meanwhile proves the contrary.
        let since_probe = self.probed_at.map_or(u64::MAX, |at| now.saturating_sub(at));
        let ms = engine.silent_ms.min(since_probe);
        match &engine.refuses {
            Some(why) => Some((ms, self.rules.engine_refuses, Cause::EngineRefuses { why: why.clone() })),
            None if ms >= self.rules.engine_suspect + stretch => {
                Some((ms, self.rules.engine_hangs, Cause::EngineHangs))
            }
            None => None,
        }
    }

    /// The state of one whose agent beats, and whose engine is well as far as the agent tells.
    fn answers(&self, now: u64, stretch: u64) -> (HealthStatus, Option<Cause>) {
        let (is_suspect, is_down) = match self.engine {
            // The probes' word is all there is: one that fails is tried once more.
            None => (self.failed >= 1, self.failed >= 2),
            Some(_) => {
                let for_long = now.saturating_sub(self.failed_since) >= self.rules.no_answers + stretch;
                (self.failed + 1 >= FAILED_PROBES, self.failed >= FAILED_PROBES && for_long)
            }
        };
        let cause = || Some(Cause::NoAnswers { why: self.failure.clone() });
        match (is_suspect, is_down) {
            (_, true) => (HealthStatus::Down, cause()),
            (true, false) => (HealthStatus::Suspect, cause()),
            (false, false) => (HealthStatus::Healthy, None),
        }
    }

    /// For how long there is no sign of what is missing, in milliseconds.
    fn missing(&self, cause: &Cause, now: u64) -> u64 {
        match cause {
            Cause::EngineRefuses { .. } | Cause::EngineHangs => {
                self.engine.as_ref().map_or(0, |engine| engine.silent_ms)
            }
            Cause::NoAnswers { .. } => now.saturating_sub(self.failed_since),
            _ => self.silence(now),
        }
    }
}

fn at(ms: u64, limit: u64) -> HealthStatus {
    if ms >= limit { HealthStatus::Down } else { HealthStatus::Suspect }
}

#[cfg(test)]
mod tests;
