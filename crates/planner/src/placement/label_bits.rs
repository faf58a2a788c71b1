//! Labels as bits of a number, so that the index can rule out many hosts at once.
//!
//! The most frequent labels have a bit each, all others share one. Bits only ever rule out what certainly doesn't
//! hold; whether an expression holds is for the filter to say.

use pierhead_model::LabelExpression;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

const OWN_BITS: usize = 127;
const SHARED: u128 = 1 << OWN_BITS;

/// Which label has which bit.
#[derive(Debug, Clone)]
pub(crate) struct LabelBits {
    own: BTreeMap<String, u128>,
}

impl LabelBits {
    /// Gives bits to the labels of all hosts.
    pub(crate) fn of<'a>(hosts: impl Iterator<Item = &'a BTreeSet<String>>) -> Self {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in hosts.flatten() {
            *counts.entry(label).or_default() += 1;
        }
        let mut labels: Vec<(&str, usize)> = counts.into_iter().collect();
        labels.sort_by_key(|&(label, count)| (Reverse(count), label));
        let own = labels.iter().take(OWN_BITS).enumerate().map(|(bit, (label, _))| ((*label).to_owned(), 1 << bit));
        Self { own: own.collect() }
    }

    fn bit(&self, label: &str) -> u128 {
        self.own.get(label).copied().unwrap_or(SHARED)
    }

    /// The bits of one host's labels.
    pub(crate) fn bits_of(&self, labels: &BTreeSet<String>) -> u128 {
        labels.iter().fold(0, |bits, label| bits | self.bit(label))
    }

    /// The bits of what a request asks.
    pub(crate) fn asked<'a>(&self, expressions: impl Iterator<Item = &'a LabelExpression>) -> AskedBits {
        let bits_of = |asked: &LabelExpression| asked.any_of.iter().fold(0, |bits, label| bits | self.bit(label));
        AskedBits(expressions.map(|asked| (asked.negated, bits_of(asked))).collect())
    }
}

/// Expressions as bits: for each whether it is negated, and the bits of its labels.
#[derive(Debug, Clone)]
pub(crate) struct AskedBits(Vec<(bool, u128)>);

impl AskedBits {
    /// Whether all expressions could hold on some of the hosts whose labels together have the bits `of_some`, and in
    /// common `of_all`.
    pub(crate) fn may_hold(&self, of_some: u128, of_all: u128) -> bool {
        self.0.iter().all(|&(negated, bits)| match negated {
            false => bits & of_some != 0,
            // The shared bit says nothing about one label.
            true => bits & of_all & !SHARED == 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(labels: &[&str]) -> BTreeSet<String> {
        labels.iter().map(|&label| label.to_owned()).collect()
    }

    fn asked(bits: &LabelBits, expression: &str) -> AskedBits {
        bits.asked([LabelExpression::parse(expression).unwrap()].iter())
    }

    #[test]
    fn rules_out_what_no_host_has_and_what_all_have() {
        let hosts = [set(&["ssd", "zone=a"]), set(&["ssd", "zone=b"])];
        let bits = LabelBits::of(hosts.iter());
        let (a, b) = (bits.bits_of(&hosts[0]), bits.bits_of(&hosts[1]));
        for (expression, expected) in
            [("ssd", true), ("!ssd", false), ("zone=a", true), ("!zone=a", true), ("hdd", false), ("!hdd", true)]
        {
            assert_eq!(asked(&bits, expression).may_hold(a | b, a & b), expected, "{expression}");
        }
        assert!(!asked(&bits, "zone=a").may_hold(b, b));
        assert!(asked(&bits, "zone=a|zone=b").may_hold(b, b));
    }

    #[test]
    fn rare_labels_share_a_bit_that_rules_out_nothing_wrongly() {
        let hosts: Vec<_> = (0..200).map(|n| set(&[&format!("name={n:03}"), "common"])).collect();
        let bits = LabelBits::of(hosts.iter());
        let last = bits.bits_of(&hosts[199]);
        let other = bits.bits_of(&hosts[198]);
        assert_eq!((last, other), (last | SHARED, last));
        assert!(asked(&bits, "name=199").may_hold(last, last));
        assert!(asked(&bits, "!name=198").may_hold(last, last), "the shared bit is not name=198");
        assert!(!asked(&bits, "!common").may_hold(last, last));
    }
}
