//! Why a host is not well, and how that is said. Pure.

use pierhead_model::EngineId;
use std::fmt;

/// Who knocked at a host's kernel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Witness {
    /// This controller.
    Own,
    /// The agent of another host.
    Host(EngineId),
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("this controller"),
            Self::Host(id) => id.fmt(f),
        }
    }
}

/// Why a host is not well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its agent has not called yet.
    NotCalled,
    /// Its agent is not believed any more.
    ShutOut,
    /// No sign of life; it is not known more.
    Silent { ended: bool },
    /// No sign of life, but its kernel answers these.
    AgentGone { ended: bool, told_by: Vec<Witness> },
    /// No sign of life; its kernel answers another host and not this controller.
    Cut { told_by: Vec<Witness> },
    /// No sign of life, and its kernel answers none of these.
    Gone { asked: Vec<Witness> },
    /// No sign of life, and no other host could be asked.
    Unknown { ended: bool },
    /// Its engine does not run.
    EngineRefuses { why: String },
    /// Its engine does not answer.
    EngineHangs,
    /// What is asked through the tunnel is not answered.
    NoAnswers { why: String },
}

impl Cause {
    /// Whether it is the same as before, however long it lasts and whoever told of it.
    pub(super) fn is_like(&self, before: Option<&Self>) -> bool {
        match (self, before) {
            (Self::AgentGone { ended, .. }, Some(Self::AgentGone { ended: before, .. })) => ended == before,
            (Self::Cut { .. }, Some(Self::Cut { .. })) | (Self::Gone { .. }, Some(Self::Gone { .. })) => true,
            (cause, before) => before == Some(cause),
        }
    }

    /// What is said of it when it began; `ms` says how long there is no sign of what is missing.
    pub(super) fn words(&self, ms: u64) -> String {
        let for_long = if ms < 100 { String::new() } else { format!(" for {}", seconds(ms)) };
        match self {
            Self::NotCalled => "its agent has not called".to_owned(),
            Self::ShutOut => "its agent's certificate was revoked or replaced; it has to join again".to_owned(),
            Self::Silent { ended: true } => {
                "its agent's tunnel has ended; others are asked whether the host lives".to_owned()
            }
            Self::Silent { ended: false } => {
                format!("its agent has not beaten{for_long}; others are asked whether the host lives")
            }
            Self::AgentGone { ended, told_by } => {
                let what = if *ended { "has not run or could not call" } else { "has not answered" };
                format!(
                    "its agent {what}{for_long}; the host lives: its kernel answers {}, and its containers run on",
                    listed(told_by)
                )
            }
            Self::Cut { told_by } => format!(
                "the link between this controller and the host is cut{for_long}; the host lives: its kernel \
                 answers {}, and not this controller",
                listed(told_by)
            ),
            Self::Gone { asked } => {
                let either = if asked.len() > 1 { "answers none of" } else { "does not answer" };
                format!(
                    "the host is off or cut off: no sign of life{for_long}, and its kernel {either} {}",
                    listed(asked)
                )
            }
            Self::Unknown { ended } => {
                let what = if *ended { "its agent has had no tunnel" } else { "its agent has not beaten" };
                format!("{what}{for_long}; nobody else can tell whether its kernel answers")
            }
            Self::EngineRefuses { why } => {
                format!("its engine does not run{for_long}: {why} (told by its agent, which runs)")
            }
            Self::EngineHangs => {
                format!("its engine hangs: no answer to its agent{for_long} (told by its agent, which runs)")
            }
            Self::NoAnswers { why } => format!("what is asked through its agent is not answered: {why}"),
        }
    }
}

fn seconds(ms: u64) -> String {
    if ms < 10_000 { format!("{}.{} s", ms / 1000, ms % 1000 / 100) } else { format!("{} s", ms / 1000) }
}

fn listed(witnesses: &[Witness]) -> String {
    let named: Vec<String> = witnesses.iter().map(ToString::to_string).collect();
    match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Witness {
        Witness::Host(EngineId::parse(name).unwrap())
    }

    #[test]
    fn what_is_dead_is_said_in_words() {
        let both = vec![host("host-2"), host("host-3")];
        for (cause, words) in [
            (
                Cause::Gone { asked: both.clone() },
                "the host is off or cut off: no sign of life for 0.7 s, and its kernel answers none of host-2 and host-3",
            ),
            (
                Cause::Gone { asked: vec![host("host-3")] },
                "the host is off or cut off: no sign of life for 0.7 s, and its kernel does not answer host-3",
            ),
            (
                Cause::Gone { asked: vec![host("host-3")] },
                "the host is off or cut off: no sign of life for 0.7 s, and its kernel does not answer host-3",
            ),
            (
                Cause::AgentGone { ended: true, told_by: vec![Witness::Own, host("host-2")] },
                "its agent has not run or could not call for 0.7 s; the host lives: its kernel answers this controller and \
                 host-2, and its containers run on",
            ),
            (
                Cause::Cut { told_by: both },
                "the link between this controller and the host is cut for 0.7 s; the host lives: its kernel answers host-2 \
                 and host-3, and not this controller",
            ),
            (Cause::EngineHangs, "its engine hangs: no answer to its agent for 0.7 s (told by its agent, which runs)"),
        ] {
            assert_eq!(cause.words(749), words);
        }
        let refuses = Cause::EngineRefuses { why: "connection refused".to_owned() };
        assert!(refuses.words(12_345).starts_with("its engine does not run for 12 s: connection refused"));
    }
}
