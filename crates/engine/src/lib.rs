//! The Docker verbs that Pierhead needs, on real engines and on a fake with scripted faults.
