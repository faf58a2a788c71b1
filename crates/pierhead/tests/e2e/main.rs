//! The real program on real Docker hosts: what it says, what it does, and what the engines themselves say of it.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod agents;
#[cfg(test)]
mod ahead;
#[cfg(test)]
mod api;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod batch;
#[cfg(test)]
mod bed;
#[cfg(test)]
mod buckets;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod controller;
#[cfg(test)]
mod controllers;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod detection;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod dev_etcd;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod etcd_store;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod images;
#[cfg(test)]
mod in_work;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod joining;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod labs;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod lost_work;
#[cfg(test)]
mod migrating;
#[cfg(all(test, feature = "mutants"))]
mod mutants;
#[cfg(test)]
mod original;
#[cfg(test)]
mod original_api;
#[cfg(test)]
mod place;
#[cfg(test)]
mod ports;
#[cfg(test)]
mod previews;
#[cfg(test)]
mod program;
#[cfg(test)]
mod raw;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod registries;
#[cfg(test)]
mod save_registry;
#[cfg(test)]
mod saves;
#[cfg(test)]
#[path = "../../../client/tests/http/scripted.rs"]
mod scripted;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod shell;
#[cfg(test)]
mod short_lives;
#[cfg(test)]
mod single_writer;
#[cfg(test)]
mod sitting;
#[cfg(test)]
mod stats;
#[cfg(test)]
mod terminals;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod unhappy;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod valve;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod workspaces;
