//! The real program on real Docker hosts: what it says, what it does, and what the engines themselves say of it.

mod batch;
mod bed;
mod canary;
//mod dev;
//mod faults;
//mod kills;
mod original;
mod place;
mod program;
mod raw;
//mod serve;
//mod unhappy;
mod wait;
