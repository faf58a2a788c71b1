//! Clusters for tests: on fakes, in-process.
