//! Placement: which host a group of containers goes to, and with which host ports.
//!
//! It reads the ledger and changes nothing; whoever asked holds what was placed. The best host is the one of the
//! highest score among those that no filter refuses; among equals the one of the smallest id.

mod filter;
mod index;
mod label_bits;
mod ports;
mod refusal;
mod score;

pub use filter::Filter;
pub(crate) use filter::{Candidate, first_refusal};
pub(crate) use index::Index;
pub use refusal::{Nearest, Refusal};
pub(crate) use score::Weights;

use crate::Ledger;
use crate::ledger::Host;
use pierhead_model::{
    EngineId, HostPort, ImageReference, LabelExpression, MemberName, Placement, PortRequest, Protocol, Resources,
    Username,
};
use std::collections::BTreeMap;

/// A group of containers that looks for one host.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What all of them together reserve.
    pub resources: Resources,
    /// The containers.
    pub members: Vec<MemberRequest>,
    /// Whose containers may be linked to; anybody's if nobody is named.
    pub links_of: Option<Username>,
    /// Whether only hosts with an agent come into question.
    pub needs_agent: bool,
    /// Hosts where it failed already.
    pub avoid: Vec<Avoid>,
    /// Ports that were found taken by something that the ledger doesn't know.
    pub avoid_ports: Vec<(EngineId, Protocol, u16)>,
    /// Where in the policy's range the search for free ports starts (modulo its length), so that a port that was
    /// given back is not used again at once.
    pub seed: u64,
}

/// What one container asks of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberRequest {
    /// Its name within the group.
    pub name: MemberName,
    /// Its image.
    pub image: ImageReference,
    /// Which hosts come into question.
    pub placement: Placement,
    /// What is asked of the host's labels, if the placement looks at labels.
    pub labels: Vec<LabelExpression>,
    /// Ports to publish.
    pub ports: Vec<PortRequest>,
    /// Names of containers that must be on the same host.
    pub links: Vec<String>,
}

/// A host that a request stays away from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avoid {
    /// The host.
    pub engine: EngineId,
    /// Why, in words ("no such image").
    pub reason: String,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The host.
    pub engine: EngineId,
    /// Its score with the request on it: at most the sum of the weights.
    pub score: f64,
    /// The host's ports of each member that publishes any, in the order in which they were asked for.
    pub ports: BTreeMap<MemberName, Vec<HostPort>>,
}

impl Ledger {
    /// Finds the best host.
    ///
    /// # Errors
    /// [`Refusal`] if no host suits: how many each filter refused, and what the nearest one lacks.
    pub fn place(&self, request: &Request) -> Result<Placed, Refusal> {
        let best = match request.named_host() {
            Some(engine) => self.find(engine).and_then(|host| self.score_if_fits(host, request)),
            None => self.index().best(self, request),
        };
        self.placed(best, request)
    }

    /// Whether one certain host takes it, and with which ports.
    ///
    /// # Errors
    /// [`Refusal`] with what that host lacks.
    pub(crate) fn place_on(&self, engine: &EngineId, request: &Request) -> Result<Placed, Refusal> {
        let best = self.find(engine).and_then(|host| self.score_if_fits(host, request));
        if best.is_none() {
            return Err(self.refusal_of(engine, request));
        }
        self.placed(best, request)
    }

    /// Whether the containers that a request is linked to are on a host and may be linked to.
    pub(crate) fn has_links(&self, engine: &EngineId, request: &Request) -> bool {
        self.find(engine).is_some_and(|host| filter::missing_link(host, request).is_none())
    }

    /// Finds the best host by looking at every one: the plain reading of the rules, which [`Ledger::place`] must
    /// agree with.
    ///
    /// # Errors
    /// As [`Ledger::place`].
    pub fn place_exhaustively(&self, request: &Request) -> Result<Placed, Refusal> {
        let mut best: Option<Scored> = None;
        for (host, _) in self.known_hosts() {
            let Some(scored) = self.score_if_fits(host, request) else { continue };
            if best.as_ref().is_none_or(|best| scored.score > best.score) {
                best = Some(scored);
            }
        }
        self.placed(best, request)
    }

    /// The host with its score, unless a filter refuses it.
    pub(crate) fn score_if_fits<'a>(&self, host: &'a Host, request: &Request) -> Option<Scored<'a>> {
        let facts = host.facts()?;
        let candidate = Candidate { host, facts, request, range: &self.policy().host_ports };
        if first_refusal(&candidate).is_some() {
            return None;
        }
        let score = self.weights().score(facts.allocatable, host.reserved(), request.resources);
        Some(Scored { host, score })
    }

    fn placed(&self, best: Option<Scored<'_>>, request: &Request) -> Result<Placed, Refusal> {
        let Some(Scored { host, score }) = best else { return Err(self.refusal(request)) };
        let ports = ports::choose(host, request, &self.policy().host_ports)
            .expect("the port filter has let this host pass by the same choice");
        Ok(Placed { engine: host.id().clone(), score, ports })
    }
}

/// A host that no filter refuses.
#[derive(Clone, Copy)]
pub(crate) struct Scored<'a> {
    pub(crate) host: &'a Host,
    pub(crate) score: f64,
}

impl Request {
    /// The one host that comes into question, if a member names one.
    fn named_host(&self) -> Option<&EngineId> {
        self.members.iter().find_map(|member| match &member.placement {
            Placement::Host(engine) => Some(engine),
            _ => None,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
