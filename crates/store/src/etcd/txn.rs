//! Transactions as etcd's, and its answers as ours. Pure.
//!
//! One request holds everything: the compares, the writes, and, for the case that a compare fails, reads of all compared
//! keys at that same revision, so that the answer can name the first that failed.

use super::keys::{Keys, signed};
use super::messages::{
    Answer, Compare, CompareResult, CompareTarget, CompareWith, DeleteRangeRequest, Operation, PutRequest, PutResponse,
    RangeRequest, RequestOp, ResponseHeader, ResponseOp, TxnRequest, TxnResponse,
};
use crate::{Error, Expectation, LeaseId, Result, Revision, Transaction, Write};

/// No document was ever written by it.
const NO_REVISION: i64 = -1;

/// What to ask etcd for.
pub(super) fn request(keys: &Keys, transaction: &Transaction) -> TxnRequest {
    TxnRequest {
        compare: transaction.compares.iter().map(|compare| compared(keys, compare)).collect(),
        success: transaction.writes.iter().map(|write| written(keys, write)).collect(),
        failure: transaction.compares.iter().map(|compare| looked_at(keys, &compare.key)).collect(),
    }
}

fn compared(keys: &Keys, compare: &crate::Compare) -> Compare {
    let (result, target, with) = match compare.expectation {
        Expectation::Absent => (CompareResult::Equal, CompareTarget::Created, CompareWith::Created(0)),
        Expectation::Exists => (CompareResult::Greater, CompareTarget::Created, CompareWith::Created(0)),
        Expectation::Unchanged(revision) => {
            // To etcd zero is the revision of what is not there.
            let since = Some(keys.etcds(revision)).filter(|since| *since > 0).unwrap_or(NO_REVISION);
            (CompareResult::Equal, CompareTarget::Modified, CompareWith::Modified(since))
        }
    };
    Compare { result: result.into(), target: target.into(), key: keys.full(&compare.key), with: Some(with) }
}

fn written(keys: &Keys, write: &Write) -> RequestOp {
    let operation = match write {
        Write::Put { key, value, lease } => Operation::Put(PutRequest {
            key: keys.full(key),
            value: value.to_vec(),
            lease: lease.map_or(0, |lease| signed(lease.value())),
        }),
        Write::Delete { key } => Operation::Delete(DeleteRangeRequest { key: keys.full(key) }),
    };
    RequestOp { operation: Some(operation) }
}

fn looked_at(keys: &Keys, key: &str) -> RequestOp {
    let range = RangeRequest { key: keys.full(key), keys_only: true, ..RangeRequest::default() };
    RequestOp { operation: Some(Operation::Range(range)) }
}

/// What came of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It made this revision.
    Changed(Revision),
    /// It changed nothing; etcd was at this revision.
    Unchanged(Revision),
}

/// What etcd's answer means.
///
/// # Errors
/// [`Error::Conflict`].
pub(super) fn outcome(keys: &Keys, transaction: &Transaction, answer: &TxnResponse) -> Result<Outcome> {
    if !answer.succeeded && !transaction.compares.is_empty() {
        let failed = transaction.compares.iter().zip(&answer.responses).find(|(compare, response)| {
            let modified = match &response.answer {
                Some(Answer::Range(found)) => found.kvs.first().map(|found| keys.revision(found.mod_revision)),
                _ => None,
            };
            !holds(compare.expectation, modified)
        });
        let culprit = failed.map_or(&transaction.compares[0], |(compare, _)| compare);
        return Err(Error::Conflict { key: culprit.key.to_string() });
    }
    let changed = answer.responses.iter().any(|response| match &response.answer {
        Some(Answer::Put(_)) => true,
        Some(Answer::Delete(deleted)) => deleted.deleted > 0,
        _ => false,
    });
    let revision = answer.header.map_or(Revision::ZERO, |header| keys.revision(header.revision));
    Ok(if changed { Outcome::Changed(revision) } else { Outcome::Unchanged(revision) })
}

fn holds(expectation: Expectation, modified: Option<Revision>) -> bool {
    match expectation {
        Expectation::Absent => modified.is_none(),
        Expectation::Exists => modified.is_some(),
        Expectation::Unchanged(revision) => modified == Some(revision),
    }
}

/// The leases that a transaction's documents are to bear, each once.
pub(super) fn leases(transaction: &Transaction) -> Vec<LeaseId> {
    let mut leases: Vec<_> = transaction.writes.iter().filter_map(lease_of).collect();
    leases.sort_unstable();
    leases.dedup();
    leases
}

fn lease_of(write: &Write) -> Option<LeaseId> {
    match write {
        Write::Put { lease, .. } => *lease,
        Write::Delete { .. } => None,
    }
}

/// Whether a transaction that happened would be refused the second time, so that it may be asked for again when nobody
/// knows whether it did: one of its own writes undoes one of its compares.
pub(super) fn is_guarded(transaction: &Transaction) -> bool {
    transaction.compares.iter().any(|compare| {
        transaction.writes.iter().any(|write| {
            *write.key() == compare.key
                && match (compare.expectation, write) {
                    (Expectation::Absent | Expectation::Unchanged(_), Write::Put { .. }) => true,
                    (Expectation::Exists | Expectation::Unchanged(_), Write::Delete { .. }) => true,
                    (Expectation::Absent, Write::Delete { .. }) | (Expectation::Exists, Write::Put { .. }) => false,
                }
        })
    })
}

/// Reads of everything that a transaction writes.
pub(super) fn written_keys(keys: &Keys, transaction: &Transaction) -> TxnRequest {
    let read = |write: &Write| {
        let range = RangeRequest { key: keys.full(write.key()), ..RangeRequest::default() };
        RequestOp { operation: Some(Operation::Range(range)) }
    };
    TxnRequest { success: transaction.writes.iter().map(read).collect(), ..TxnRequest::default() }
}

/// etcd's revision at which exactly what a transaction writes was written, if all of it lies there as it wrote it: with
/// the answer to [`written_keys`].
pub(super) fn made_at(transaction: &Transaction, answer: &TxnResponse) -> Option<i64> {
    if answer.responses.len() != transaction.writes.len() {
        return None;
    }
    let mut made = None;
    for (write, response) in transaction.writes.iter().zip(&answer.responses) {
        let Some(Answer::Range(found)) = &response.answer else { return None };
        match (write, found.kvs.first()) {
            (Write::Delete { .. }, None) => {}
            (Write::Put { value, lease, .. }, Some(found))
                if *found.value == **value
                    && found.lease == lease.map_or(0, |lease| signed(lease.value()))
                    && *made.get_or_insert(found.mod_revision) == found.mod_revision => {}
            _ => return None,
        }
    }
    made
}

/// Whether nothing of what a transaction writes was written after a revision of etcd's: with the answer to
/// [`written_keys`].
pub(super) fn is_as_of(answer: &TxnResponse, revision: i64) -> bool {
    answer.responses.iter().all(|response| match &response.answer {
        Some(Answer::Range(found)) => found.kvs.iter().all(|found| found.mod_revision <= revision),
        _ => false,
    })
}

/// The answer to a transaction that was made at a revision, from one to [`written_keys`].
pub(super) fn as_made(found: TxnResponse, made: i64) -> TxnResponse {
    let header = found.header.map(|header| ResponseHeader { revision: made, ..header });
    let put = ResponseOp { answer: Some(Answer::Put(PutResponse {})) };
    TxnResponse { header, succeeded: true, responses: vec![put] }
}

#[cfg(test)]
mod tests;
