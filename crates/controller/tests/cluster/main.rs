//! The controller with its API on fake hosts: what people ask for, and what fate does.
#![cfg(test)]

mod adding;
mod ahead;
mod asking;
mod beginnings;
mod buckets;
mod changing;
mod classes;
mod copies;
mod coursework;
mod crashes;
mod detection;
mod discovery;
mod disk;
mod engines;
mod environments;
mod events;
mod faults;
mod groups;
mod hosts_in_work;
mod images;
mod labs;
mod labs_in_use;
mod lost_work;
mod recordings;
mod registries;
mod saves;
mod usage;
mod verbs;
mod workspaces;
mod writers;
