//! Refusals: that no host suits, why, and which one comes nearest.

use super::Request;
use super::filter::{Candidate, Filter, Reason, cores, first_refusal};
use crate::Ledger;
use pierhead_model::EngineId;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

/// No host suits a request. As a text it is a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// How many hosts were looked at.
    pub hosts: usize,
    /// How many of them each filter was the first to refuse.
    pub refused: BTreeMap<Filter, usize>,
    /// The host that came nearest; none if there are no hosts.
    pub nearest: Option<Nearest>,
}

/// The host that passed the most filters, and among those the one that lacks the least in proportion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nearest {
    /// The host.
    pub engine: EngineId,
    /// What refused it.
    pub filter: Filter,
    /// What it lacks, in words: "0.4 CPU and 64 MB memory", or the reason of another filter.
    pub lacks: String,
}

/// How near a refused host came: larger is nearer.
type Nearness = (Filter, Reverse<u128>);

impl Ledger {
    /// Why one certain host does not suit. Only meaningful if it does not.
    pub(crate) fn refusal_of(&self, engine: &EngineId, request: &Request) -> Refusal {
        let known = self.find(engine).and_then(|host| Some((host, host.facts()?)));
        let (filter, lacks) = match known {
            None => (Filter::Host, format!("{engine} is not a host of the pool")),
            Some((host, facts)) => {
                let candidate = Candidate { host, facts, request, range: &self.policy().host_ports };
                first_refusal(&candidate).map_or((Filter::Host, String::new()), |(filter, reason)| {
                    (filter, lacks(filter, &reason, &candidate))
                })
            }
        };
        let nearest = Some(Nearest { engine: engine.clone(), filter, lacks });
        Refusal { hosts: 1, refused: BTreeMap::from([(filter, 1)]), nearest }
    }

    /// Whether a host would take a request if others left it.
    pub(crate) fn lacks_only_room(&self, request: &Request) -> bool {
        self.known_hosts().any(|(host, facts)| {
            let candidate = Candidate { host, facts, request, range: &self.policy().host_ports };
            // That there is no room is what is looked at last.
            let refusal = first_refusal(&candidate);
            refusal.is_some_and(|(filter, _)| is_room(filter)) && request.resources.fits(facts.allocatable)
        })
    }

    /// Why no host suits. Only meaningful if none does.
    pub(crate) fn refusal(&self, request: &Request) -> Refusal {
        let mut refusal = Refusal { hosts: 0, refused: BTreeMap::new(), nearest: None };
        let mut nearest: Option<(Nearness, Candidate<'_>, Filter, Reason<'_>)> = None;
        for (host, facts) in self.known_hosts() {
            refusal.hosts += 1;
            let candidate = Candidate { host, facts, request, range: &self.policy().host_ports };
            let Some((filter, reason)) = first_refusal(&candidate) else { continue };
            *refusal.refused.entry(filter).or_default() += 1;
            let nearness = nearness(filter, &candidate);
            if nearest.as_ref().is_none_or(|(most, ..)| nearness > *most) {
                nearest = Some((nearness, candidate, filter, reason));
            }
        }
        refusal.nearest = nearest.map(|(_, candidate, filter, reason)| Nearest {
            engine: candidate.facts.id.clone(),
            filter,
            lacks: lacks(filter, &reason, &candidate),
        });
        refusal
    }
}

/// Lack of CPU and lack of memory are equally near; what decides between them is how much is lacking.
fn nearness(filter: Filter, candidate: &Candidate<'_>) -> Nearness {
    if !is_room(filter) {
        return (filter, Reverse(0));
    }
    let asked = candidate.request.resources;
    let lacking = asked.saturating_sub(candidate.host.free(candidate.facts));
    let millionths = |lacking: u64, asked: u64| u128::from(lacking) * 1_000_000 / u128::from(asked.max(1));
    let cpu = millionths(lacking.cpu_millis, asked.cpu_millis);
    (Filter::Cpu, Reverse(cpu.max(millionths(lacking.memory_mb, asked.memory_mb))))
}

fn is_room(filter: Filter) -> bool {
    matches!(filter, Filter::Cpu | Filter::Memory)
}

fn lacks(filter: Filter, reason: &Reason<'_>, candidate: &Candidate<'_>) -> String {
    if !is_room(filter) {
        return reason.to_string();
    }
    let lacking = candidate.request.resources.saturating_sub(candidate.host.free(candidate.facts));
    let cpu = (lacking.cpu_millis > 0).then(|| format!("{} CPU", cores(lacking.cpu_millis)));
    let memory = (lacking.memory_mb > 0).then(|| format!("{} MB memory", lacking.memory_mb));
    cpu.into_iter().chain(memory).collect::<Vec<_>>().join(" and ")
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Nearest { engine, filter, lacks }) = &self.nearest else {
            return f.write_str("there are no hosts yet");
        };
        let is_about_room = self.refused.keys().all(|&filter| is_room(filter) || filter == Filter::Host);
        let what = if is_about_room { "no room" } else { "no place" };
        let nearest = match filter {
            Filter::Cpu | Filter::Memory => format!("{engine}, which lacks {lacks}"),
            Filter::Host => return write!(f, "no place: {lacks}, which is not a host of the pool"),
            _ => format!("{engine}: {lacks}"),
        };
        if self.hosts == 1 {
            return write!(f, "{what} on the only host, {nearest}");
        }
        if self.refused.contains_key(&Filter::Host) {
            return write!(f, "{what} on the host that is asked for, {nearest}");
        }
        let phrases = self.refused.iter().map(|(filter, &count)| match filter {
            _ if count == self.hosts => format!("all {}", filter.phrase(count)),
            _ => format!("{count} {}", filter.phrase(count)),
        });
        let phrases = phrases.collect::<Vec<_>>().join(", ");
        write!(f, "{what} on any of {} hosts: {phrases}; nearest is {nearest}", self.hosts)
    }
}

impl std::error::Error for Refusal {}
