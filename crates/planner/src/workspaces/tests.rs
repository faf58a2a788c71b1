//! Workspaces on simulated hosts: what people do, what goes wrong, and what must hold.

mod ahead;
mod asked;
mod ends;
mod faults;
mod kept;
mod losses;
mod placing;
mod pool;
mod property;
mod queue;
mod status;
mod stopping;
mod surplus;
