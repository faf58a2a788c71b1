//! The nouns of Pierhead: ids, names, specs, engines, apps, assignments, operations, events.
