//! The reconciling half as a whole: a simulated pool, what people do to it, what goes wrong in it, and what must hold
//! when it has come to rest.

mod adoption;
mod faults;
mod freeze;
mod host;
mod invariants;
mod jobs;
mod making_room;
mod moving;
mod operations;
mod people;
mod property;
mod rebalancing;
mod restored;
mod rollout;
mod simulation;
mod slots;
mod words;
mod world;
mod writers;
