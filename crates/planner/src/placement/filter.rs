//! The filters: each a plain function that says why a host can't take a request, or nothing. One table has them all,
//! in the order in which they are applied; a host counts as refused by the first.

use super::{Request, ports};
use crate::HostFacts;
use crate::ledger::Host;
use pierhead_model::{EngineId, ImageReference, LabelExpression, Placement};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

pub(crate) use super::ports::PortTrouble;

/// What a host can be refused by, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Another host is asked for by name.
    Host,
    /// It doesn't answer, or nothing new shall be placed on it.
    Unavailable,
    /// It has no agent, and what is asked for needs one.
    Agent,
    /// It keeps workspaces not apart, and what is asked for is one.
    Guard,
    /// It doesn't satisfy a label expression.
    Label,
    /// It runs the image already, and there may be one per host only.
    Unique,
    /// It lacks a container that is linked to, or that is somebody else's.
    Link,
    /// It failed there already.
    Tried,
    /// A port is taken, or the range of ports is used up.
    Port,
    /// Too little CPU is free.
    Cpu,
    /// Too little memory is free.
    Memory,
}

/// A host and a request that look at each other.
pub(crate) struct Candidate<'a> {
    pub(crate) host: &'a Host,
    pub(crate) facts: &'a HostFacts,
    pub(crate) request: &'a Request,
    /// Where host ports come from.
    pub(crate) range: &'a RangeInclusive<u16>,
}

/// Why a host is refused. It becomes words only when somebody reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reason<'a> {
    Unavailable(&'a str),
    OtherHost(&'a EngineId),
    NoAgent,
    Unguarded(&'a str),
    Label(&'a LabelExpression),
    Unique(&'a ImageReference),
    UniqueWithin(&'a ImageReference),
    Link(&'a str),
    ForeignLink(&'a str),
    Tried(&'a str),
    Port(PortTrouble),
    Cpu { lacks_millis: u64, free_millis: u64, of_millis: u64 },
    Memory { lacks_mb: u64, free_mb: u64, of_mb: u64 },
}

type Check = for<'a> fn(&Candidate<'a>) -> Option<Reason<'a>>;

const FILTERS: [(Filter, Check); 11] = [
    (Filter::Host, other_host),
    (Filter::Unavailable, unavailable),
    (Filter::Agent, agent),
    (Filter::Guard, guard),
    (Filter::Label, label),
    (Filter::Unique, unique),
    (Filter::Link, link),
    (Filter::Tried, tried),
    (Filter::Port, port),
    (Filter::Cpu, cpu),
    (Filter::Memory, memory),
];

/// The first filter that refuses the host, and why.
pub(crate) fn first_refusal<'a>(candidate: &Candidate<'a>) -> Option<(Filter, Reason<'a>)> {
    FILTERS.iter().find_map(|(filter, check)| Some((*filter, check(candidate)?)))
}

fn unavailable<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    candidate.facts.unavailable.as_deref().map(Reason::Unavailable)
}

/// Whoever needs an agent needs the firewall that it keeps.
fn guard<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    candidate.facts.unguarded.as_deref().filter(|_| candidate.request.needs_agent).map(Reason::Unguarded)
}

fn agent<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    (candidate.request.needs_agent && !candidate.facts.has_agent).then_some(Reason::NoAgent)
}

fn other_host<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    candidate.request.members.iter().find_map(|member| match &member.placement {
        Placement::Host(wanted) if *wanted != candidate.facts.id => Some(Reason::OtherHost(wanted)),
        _ => None,
    })
}

fn label<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    candidate.request.label_expressions().find(|asked| !asked.holds(candidate.host.labels())).map(Reason::Label)
}

/// Images are compared as they are written, tag included. Two of one image within the group are too many as well.
fn unique<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    let members = &candidate.request.members;
    members.iter().enumerate().filter(|(_, member)| member.placement.is_unique()).find_map(|(at, member)| {
        let is_other_of_same_image =
            |(other, of): (usize, &super::MemberRequest)| other != at && of.image == member.image;
        if candidate.host.runs_image(member.image.as_str()) {
            Some(Reason::Unique(&member.image))
        } else if members.iter().enumerate().any(is_other_of_same_image) {
            Some(Reason::UniqueWithin(&member.image))
        } else {
            None
        }
    })
}

fn link<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    missing_link(candidate.host, candidate.request)
}

/// Names pass to others: whose a container is counts now, not when somebody asked for the link.
pub(super) fn missing_link<'a>(host: &Host, request: &'a Request) -> Option<Reason<'a>> {
    let links = request.members.iter().flat_map(|member| &member.links).map(String::as_str);
    links.into_iter().find_map(|name| match &request.links_of {
        _ if !host.has_container(name) => Some(Reason::Link(name)),
        Some(owner) if !host.is_owned(name, owner) => Some(Reason::ForeignLink(name)),
        _ => None,
    })
}

fn tried<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    let avoid = candidate.request.avoid.iter().find(|avoid| avoid.engine == candidate.facts.id)?;
    Some(Reason::Tried(&avoid.reason))
}

fn port<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    ports::choose(candidate.host, candidate.request, candidate.range).err().map(Reason::Port)
}

fn cpu<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    let free_millis = candidate.host.free(candidate.facts).cpu_millis;
    let lacks_millis = candidate.request.resources.cpu_millis.saturating_sub(free_millis);
    let of_millis = candidate.facts.allocatable.cpu_millis;
    (lacks_millis > 0).then_some(Reason::Cpu { lacks_millis, free_millis, of_millis })
}

fn memory<'a>(candidate: &Candidate<'a>) -> Option<Reason<'a>> {
    let free_mb = candidate.host.free(candidate.facts).memory_mb;
    let lacks_mb = candidate.request.resources.memory_mb.saturating_sub(free_mb);
    let of_mb = candidate.facts.allocatable.memory_mb;
    (lacks_mb > 0).then_some(Reason::Memory { lacks_mb, free_mb, of_mb })
}

impl Request {
    /// What is asked of labels by those members whose placement looks at them.
    pub(crate) fn label_expressions(&self) -> impl Iterator<Item = &LabelExpression> {
        self.members.iter().filter(|member| member.placement.asks_labels()).flat_map(|member| &member.labels)
    }
}

impl Filter {
    /// What `hosts` hosts that it refused do, for a sentence ("lacks CPU", "lack CPU").
    #[must_use]
    pub fn phrase(self, hosts: usize) -> &'static str {
        let one = hosts == 1;
        match self {
            Self::Unavailable if one => "is unavailable",
            Self::Unavailable => "are unavailable",
            Self::Host if one => "is not the one asked for",
            Self::Host => "are not the one asked for",
            Self::Agent if one => "has no agent",
            Self::Agent => "have no agent",
            Self::Guard => "cannot keep workspaces apart",
            Self::Label if one => "lacks a label",
            Self::Label => "lack a label",
            Self::Unique if one => "runs the image already",
            Self::Unique => "run the image already",
            Self::Link if one => "lacks a linked container",
            Self::Link => "lack a linked container",
            Self::Tried if one => "failed before",
            Self::Tried => "failed before",
            Self::Port if one => "has no free port for it",
            Self::Port => "have no free port for it",
            Self::Cpu if one => "lacks CPU",
            Self::Cpu => "lack CPU",
            Self::Memory if one => "lacks memory",
            Self::Memory => "lack memory",
        }
    }
}

/// Thousandths of a core, as cores without needless zeros: `400` is `0.4`.
pub(crate) fn cores(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(reason) => write!(f, "{reason}"),
            Self::OtherHost(wanted) => write!(f, "{wanted} is asked for"),
            Self::NoAgent => f.write_str("it has no agent, which workspaces need"),
            Self::Unguarded(why) => write!(f, "it cannot keep workspaces apart: {why}"),
            Self::Label(asked) => write!(f, "its labels don't satisfy {asked}"),
            Self::Unique(image) => write!(f, "it runs {image} already"),
            Self::UniqueWithin(image) => write!(f, "{image} is asked for twice, and only one may run on a host"),
            Self::Link(name) => write!(f, "it has no container {name} to link to"),
            Self::ForeignLink(name) => write!(f, "its container {name} is somebody else's and can't be linked to"),
            Self::Tried(reason) => write!(f, "failed there before: {reason}"),
            Self::Port(trouble) => write!(f, "{trouble}"),
            Self::Cpu { lacks_millis, free_millis, of_millis } => {
                let (lacks, free, of) = (cores(*lacks_millis), cores(*free_millis), cores(*of_millis));
                write!(f, "lacks {lacks} CPU: {free} of {of} free")
            }
            Self::Memory { lacks_mb, free_mb, of_mb } => {
                write!(f, "lacks {lacks_mb} MB memory: {free_mb} of {of_mb} MB free")
            }
        }
    }
}
