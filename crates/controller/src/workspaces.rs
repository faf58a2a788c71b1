//! Workspaces on their hosts: how steps of the plan are carried out, what is active in them, which networks there are.
//! Nothing is decided here.

mod activity;
mod carry_out;
mod disk;
mod networks;
mod priming;

pub(crate) use activity::watch_activity;
pub(crate) use disk::watch_disk;
pub(crate) use networks::list_networks;
