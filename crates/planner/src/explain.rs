//! Explanations: for each host, which filter refuses a request and why, or its score and the parts of it.
//!
//! It asks the same filters and the same score as placement does; it decides nothing.

use crate::ledger::Host;
use crate::placement::{Candidate, first_refusal};
use crate::{Filter, HostFacts, Ledger, Refusal, Request};
use pierhead_model::{EngineId, Resources};
use serde::{Deserialize, Serialize};

/// What placement would decide about a request, host by host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// All hosts, in the order of their ids.
    pub hosts: Vec<HostVerdict>,
    /// The host that it would go to.
    pub chosen: Option<EngineId>,
    /// Why it can't go anywhere.
    pub refusal: Option<Refusal>,
}

/// What placement thinks of one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostVerdict {
    /// The host.
    pub engine: EngineId,
    /// Whether it suits.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Whether a host suits a request, and how well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// It doesn't.
    Refused {
        /// The first filter that refuses it.
        filter: Filter,
        /// Why, in words.
        reason: String,
    },
    /// It does.
    Fits {
        /// The sum of the parts; the host of the highest score is chosen.
        score: f64,
        /// What CPU adds to the score.
        cpu_part: f64,
        /// What memory adds to the score.
        memory_part: f64,
        /// What is reserved there already.
        reserved: Resources,
        /// What may be reserved there in total.
        allocatable: Resources,
    },
}

impl Ledger {
    /// What [`Ledger::place`] would decide about a request, and why.
    #[must_use]
    pub fn explain(&self, request: &Request) -> Explanation {
        let hosts = self.known_hosts().map(|(host, facts)| self.judge(host, facts, request)).collect();
        let (chosen, refusal) = match self.place_exhaustively(request) {
            Ok(placed) => (Some(placed.engine), None),
            Err(refusal) => (None, Some(refusal)),
        };
        Explanation { hosts, chosen, refusal }
    }

    fn judge(&self, host: &Host, facts: &HostFacts, request: &Request) -> HostVerdict {
        let candidate = Candidate { host, facts, request, range: &self.policy().host_ports };
        let verdict = match first_refusal(&candidate) {
            Some((filter, reason)) => Verdict::Refused { filter, reason: reason.to_string() },
            None => {
                let (reserved, allocatable) = (host.reserved(), facts.allocatable);
                let (cpu_part, memory_part) = self.weights().parts(allocatable, reserved, request.resources);
                let score = self.weights().score(allocatable, reserved, request.resources);
                Verdict::Fits { score, cpu_part, memory_part, reserved, allocatable }
            }
        };
        HostVerdict { engine: facts.id.clone(), verdict }
    }
}

#[cfg(test)]
mod tests;
