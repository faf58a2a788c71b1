//! The index: finds the best host without looking at all of them.
//!
//! It is a binary tree over the hosts. Each node knows the best that any host below it can offer: the least load, the
//! most free CPU and memory, the labels that some and that all have. A search goes down where the promise is highest
//! and leaves out what can't beat the best host found so far (branch and bound). It only saves work: a host counts only
//! after it has passed the same filters and got the same score as in the exhaustive search.

use super::label_bits::{AskedBits, LabelBits};
use super::score::{Size, UnitCosts};
use super::{Request, Scored, Weights};
use crate::Ledger;
use crate::ledger::Host;
use pierhead_model::Resources;

/// The tree. Node 1 is the root, the children of node i are 2i and 2i+1, and the leaves are the last half.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    nodes: Vec<Node>,
    /// The position in the ledger of each leaf's host.
    positions: Vec<usize>,
    /// The node of the host at each position of the ledger.
    leaves: Vec<Option<usize>>,
    labels: LabelBits,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    fixed: Fixed,
    moving: Moving,
}

/// What of a node stays as long as the index does.
#[derive(Debug, Clone, Copy)]
struct Fixed {
    /// The largest CPU and the largest memory.
    size: Size,
    /// What a request costs at least, in points of the score: as much as on a host of that size.
    costs: UnitCosts,
    /// Whether all hosts have that size. Then loads can be compared, and the promise is a score that is kept.
    is_uniform: bool,
    /// The place of the smallest id among all ids.
    rank: u32,
    labels_of_some: u128,
    labels_of_all: u128,
}

/// What of a node changes with reservations.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moving {
    /// Whether anything may be placed here at all.
    is_open: bool,
    /// The least load; means something only where all hosts are of one size.
    load: u128,
    /// The highest score of a request that asks for nothing.
    base_score: f64,
    /// The most free CPU and the most free memory.
    free: Resources,
}

const CLOSED: Moving =
    Moving { is_open: false, load: u128::MAX, base_score: 0.0, free: Resources { cpu_millis: 0, memory_mb: 0 } };

impl Index {
    /// Builds the tree over those hosts that are known. `hosts` come in the order of their ids, each with its position
    /// among the `count` of the ledger.
    pub(crate) fn build<'a>(hosts: impl Iterator<Item = (usize, &'a Host)>, count: usize, weights: Weights) -> Self {
        let known: Vec<_> = hosts.filter_map(|(position, host)| Some((position, host, host.facts()?))).collect();
        let labels = LabelBits::of(known.iter().map(|(_, host, _)| host.labels()));
        let mut leaves: Vec<(usize, &Host, Fixed)> = Vec::with_capacity(known.len());
        for (rank, (position, host, facts)) in (0..).zip(known) {
            let bits = labels.bits_of(host.labels());
            let size = Size::of(facts.allocatable);
            let costs = weights.unit_costs(size);
            let fixed = Fixed { size, costs, is_uniform: true, rank, labels_of_some: bits, labels_of_all: bits };
            leaves.push((position, host, fixed));
        }
        // Hosts of one size and with the same labels lie together, and similar sizes near, so that promises are kept.
        leaves.sort_by_cached_key(|(_, _, fixed)| {
            (fixed.size.neighbourhood(), fixed.size, fixed.labels_of_all, fixed.rank)
        });

        let mut index = Self {
            nodes: Vec::with_capacity(2 * leaves.len()),
            positions: leaves.iter().map(|(position, ..)| *position).collect(),
            leaves: vec![None; count],
            labels,
        };
        let as_nodes = leaves.iter().map(|(_, host, fixed)| Node { fixed: *fixed, moving: Moving::of(host, weights) });
        // The inner nodes come first and are made last.
        index.nodes.extend(as_nodes.clone());
        index.nodes.extend(as_nodes);
        for (at, (position, ..)) in leaves.iter().enumerate() {
            index.leaves[*position] = Some(leaves.len() + at);
        }
        for at in (1..leaves.len()).rev() {
            index.nodes[at] = index.nodes[2 * at].joined(&index.nodes[2 * at + 1], weights);
        }
        index
    }

    /// Takes over what changed of the host at a position: its reservations, or whether it is available.
    pub(crate) fn refresh(&mut self, position: usize, host: &Host, weights: Weights) {
        let Some(mut at) = self.leaves.get(position).copied().flatten() else { return };
        self.nodes[at].moving = Moving::of(host, weights);
        while at > 1 {
            at /= 2;
            let moving = self.nodes[2 * at].moving.joined(&self.nodes[2 * at + 1].moving);
            if self.nodes[at].moving == moving {
                break;
            }
            self.nodes[at].moving = moving;
        }
    }

    /// The best host for a request.
    pub(crate) fn best<'a>(&self, ledger: &'a Ledger, request: &Request) -> Option<Scored<'a>> {
        let weights = ledger.weights();
        let asked = self.labels.asked(request.label_expressions());
        let mut search = Search { index: self, ledger, request, weights, asked, best: None };
        if !self.positions.is_empty() && search.promise(1).is_some() {
            search.visit(1);
        }
        search.best.map(|(scored, _)| scored)
    }
}

impl Moving {
    fn of(host: &Host, weights: Weights) -> Self {
        let Some(facts) = host.facts().filter(|facts| facts.unavailable.is_none()) else { return CLOSED };
        let load = weights.base_load(facts.allocatable, host.reserved());
        let base_score = weights.score_of_load(Size::of(facts.allocatable), load);
        Self { is_open: true, load, base_score, free: host.free(facts) }
    }

    fn joined(&self, other: &Self) -> Self {
        Self {
            is_open: self.is_open || other.is_open,
            load: self.load.min(other.load),
            base_score: self.base_score.max(other.base_score),
            free: Resources::new(
                self.free.cpu_millis.max(other.free.cpu_millis),
                self.free.memory_mb.max(other.free.memory_mb),
            ),
        }
    }
}

impl Node {
    fn joined(&self, other: &Self, weights: Weights) -> Self {
        let (a, b) = (&self.fixed, &other.fixed);
        let size = a.size.max_of_each(b.size);
        let fixed = Fixed {
            size,
            costs: weights.unit_costs(size),
            is_uniform: a.is_uniform && b.is_uniform && a.size == b.size,
            rank: a.rank.min(b.rank),
            labels_of_some: a.labels_of_some | b.labels_of_some,
            labels_of_all: a.labels_of_all & b.labels_of_all,
        };
        Self { fixed, moving: self.moving.joined(&other.moving) }
    }
}

/// One search.
struct Search<'s, 'a> {
    index: &'s Index,
    ledger: &'a Ledger,
    request: &'s Request,
    weights: Weights,
    asked: AskedBits,
    /// The best host so far, with its rank.
    best: Option<(Scored<'a>, u32)>,
}

impl Search<'_, '_> {
    /// A score that no host below a node exceeds; `None` if none of them can fit.
    fn promise(&self, at: usize) -> Option<f64> {
        let Node { fixed, moving } = &self.index.nodes[at];
        let asked = self.request.resources;
        if !moving.is_open
            || !asked.fits(moving.free)
            || !self.asked.may_hold(fixed.labels_of_some, fixed.labels_of_all)
        {
            return None;
        }
        if fixed.is_uniform {
            // A child that is closed has the largest load, but then this node isn't.
            return Some(self.weights.score_of_load(fixed.size, moving.load + self.weights.load(fixed.size, asked)));
        }
        Some((moving.base_score - fixed.costs.of(asked) + self.weights.rounding()).max(0.0))
    }

    /// Whether a host below a node of this promise could be better than the best so far.
    fn can_win(&self, at: usize, promise: f64) -> bool {
        let rank = self.index.nodes[at].fixed.rank;
        self.best.is_none_or(|(best, best_rank)| promise > best.score || promise == best.score && rank < best_rank)
    }

    fn visit(&mut self, at: usize) {
        let inner = self.index.positions.len();
        if at >= inner {
            self.consider(at, at - inner);
            return;
        }
        let (left, right) = (2 * at, 2 * at + 1);
        match (self.promise(left), self.promise(right)) {
            (None, None) => {}
            (Some(promise), None) => self.visit_if(left, promise),
            (None, Some(promise)) => self.visit_if(right, promise),
            (Some(of_left), Some(of_right)) => {
                let rank = |node: usize| self.index.nodes[node].fixed.rank;
                if of_left > of_right || of_left == of_right && rank(left) < rank(right) {
                    self.visit_if(left, of_left);
                    self.visit_if(right, of_right);
                } else {
                    self.visit_if(right, of_right);
                    self.visit_if(left, of_left);
                }
            }
        }
    }

    fn visit_if(&mut self, at: usize, promise: f64) {
        if self.can_win(at, promise) {
            self.visit(at);
        }
    }

    fn consider(&mut self, at: usize, leaf: usize) {
        let host = self.ledger.at(self.index.positions[leaf]);
        if let Some(scored) = self.ledger.score_if_fits(host, self.request)
            && self.can_win(at, scored.score)
        {
            self.best = Some((scored, self.index.nodes[at].fixed.rank));
        }
    }
}
