//! Clusters for tests: on fakes, in-process.
//!
//! A [`Cluster`] is a whole pool: fake hosts, a store in a directory, a controller and its API on a free port, and
//! clients that are logged in. It can lose its controller at any step and get a new one on the same store and hosts.
//! Everything here panics where a test would: it must not be used by the program itself.

mod archives;
mod cluster;
mod descriptions;
mod files;
mod invariants;
mod power;
mod serving;
mod waiting;

pub use archives::{image_archive, image_id};
pub use cluster::{Cluster, ClusterOptions, agent_address, quick};
pub use descriptions::{SAMPLE, crashing, described, failing, fake_images, job, sample};
pub use power::{Cut, Held, Moment, Power};
pub use serving::REDIRECT_KEY;
pub use waiting::{PATIENCE, eventually, eventually_ok};
