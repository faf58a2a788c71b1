use super::*;
use crate::etcd::messages::{DeleteRangeResponse, KeyValue, PutResponse, RangeResponse, ResponseOp};

const HERE: i64 = 40;

fn range(found: Option<KeyValue>) -> ResponseOp {
    let found = RangeResponse { kvs: found.into_iter().collect(), ..RangeResponse::default() };
    ResponseOp { answer: Some(Answer::Range(found)) }
}

fn kv(value: &[u8], mod_revision: i64) -> KeyValue {
    KeyValue { value: value.to_vec(), mod_revision, ..KeyValue::default() }
}

fn answer(succeeded: bool, responses: Vec<ResponseOp>) -> TxnResponse {
    TxnResponse { header: Some(ResponseHeader { cluster_id: 1, revision: HERE }), succeeded, responses }
}

#[test]
fn the_first_compare_that_failed_is_named() {
    let transaction = Transaction::new().exists("a").unchanged("b", Revision::new(7)).absent("c");
    for (found, culprit) in [
        ([Some(7), Some(7), Some(7)], "c"),
        ([Some(7), Some(8), Some(7)], "b"),
        ([Some(7), None, None], "b"),
        ([None, None, Some(7)], "a"),
    ] {
        let responses = found.map(|revision| range(revision.map(|revision| kv(b"", revision)))).to_vec();
        let refused = outcome(&Keys::new(""), &transaction, &answer(false, responses));
        assert!(matches!(&refused, Err(Error::Conflict { key }) if key == culprit), "{found:?}: {refused:?}");
    }
}

#[test]
fn only_what_changed_something_has_a_revision_of_its_own() {
    let (put, delete) = (Transaction::new().put("a", *b"1"), Transaction::new().delete("a"));
    let deleted = |deleted| ResponseOp { answer: Some(Answer::Delete(DeleteRangeResponse { deleted })) };
    let written = ResponseOp { answer: Some(Answer::Put(PutResponse {})) };
    let here = Revision::new(40);
    assert_eq!(outcome(&Keys::new(""), &put, &answer(true, vec![written])).unwrap(), Outcome::Changed(here));
    assert_eq!(outcome(&Keys::new(""), &delete, &answer(true, vec![deleted(1)])).unwrap(), Outcome::Changed(here));
    assert_eq!(outcome(&Keys::new(""), &delete, &answer(true, vec![deleted(0)])).unwrap(), Outcome::Unchanged(here));
    assert_eq!(outcome(&Keys::new(""), &Transaction::new(), &answer(true, vec![])).unwrap(), Outcome::Unchanged(here));
}

#[test]
fn nothing_is_unchanged_since_before_the_first_revision() {
    let keys = Keys::new("p/");
    let compares = request(&keys, &Transaction::new().unchanged("a", Revision::ZERO).absent("b")).compare;
    assert_eq!(compares[0].with, Some(CompareWith::Modified(NO_REVISION)));
    assert_eq!((compares[1].with, &*compares[1].key), (Some(CompareWith::Created(0)), &b"p/b"[..]));
}

#[test]
fn only_what_refuses_itself_the_second_time_is_guarded() {
    let since = Revision::new(3);
    for (guarded, transaction) in [
        (true, Transaction::new().absent("a").put("a", *b"1")),
        (true, Transaction::new().unchanged("a", since).put("b", *b"1").put("a", *b"1")),
        (true, Transaction::new().unchanged("a", since).delete("a")),
        (true, Transaction::new().exists("a").delete("a")),
        (false, Transaction::new().exists("a").put("a", *b"1")),
        (false, Transaction::new().absent("a").delete("a")),
        (false, Transaction::new().unchanged("leader", since).put("a", *b"1")),
        (false, Transaction::new().put("a", *b"1")),
    ] {
        assert_eq!(is_guarded(&transaction), guarded, "{transaction:?}");
    }
}

#[test]
fn what_was_made_is_recognised_by_all_that_was_written() {
    let lease = LeaseId::new(5);
    let transaction = Transaction::new().absent("a").put_leased("a", *b"1", lease).put("b", *b"2").delete("c");
    let leased = |revision| Some(KeyValue { lease: 5, ..kv(b"1", revision) });
    let made = |found: [Option<KeyValue>; 3]| made_at(&transaction, &answer(true, found.map(range).to_vec()));
    assert_eq!(made([leased(9), Some(kv(b"2", 9)), None]), Some(9));
    assert_eq!(made([leased(9), Some(kv(b"2", 10)), None]), None, "not in one commit");
    assert_eq!(made([Some(kv(b"1", 9)), Some(kv(b"2", 9)), None]), None, "another's lease");
    assert_eq!(made([leased(9), Some(kv(b"3", 9)), None]), None, "another's value");
    assert_eq!(made([leased(9), Some(kv(b"2", 9)), Some(kv(b"", 9))]), None, "not deleted");
    assert_eq!(made([leased(9), None, None]), None);
}

#[test]
fn what_was_written_meanwhile_is_told_from_what_lies_there_since_long() {
    let is_as_of =
        |found: [Option<KeyValue>; 2], revision| is_as_of(&answer(true, found.map(range).to_vec()), revision);
    assert!(is_as_of([Some(kv(b"1", 9)), None], 9));
    assert!(!is_as_of([Some(kv(b"1", 9)), None], 8));
    assert!(!is_as_of([None, Some(kv(b"1", 10))], 9));
    assert!(is_as_of([None, None], 0));
}

#[test]
fn leases_are_told_once() {
    let (first, second) = (LeaseId::new(2), LeaseId::new(1));
    let leased = Transaction::new().put_leased("a", *b"", first).put_leased("b", *b"", second);
    assert_eq!(leases(&leased.put_leased("c", *b"", first).put("d", *b"")), [second, first]);
}
