//! Pure decisions: placement, explanation, reconciliation to a plan.
//!
//! Nothing here does I/O, reads a clock or draws random numbers: the same input gives the same answer, always.

mod age;
mod explain;
mod freeze;
mod ledger;
mod making_room;
mod operations;
mod placement;
mod plan;
mod policy;
mod rebalance;
mod reconcile;
mod relocation;
mod request;
mod restored;
mod retry;
mod slot;
mod status;
mod surplus;
mod survival;
mod workspaces;
mod world;
mod writer;

pub use age::age;
pub use explain::{Explanation, HostVerdict, Verdict};
pub use freeze::{Freeze, freeze};
pub use ledger::{Hold, HoldKey, HostFacts, Ledger, PlacementPolicy, Totals};
pub use operations::{cancel, verdicts};
pub use placement::{Avoid, Filter, MemberRequest, Nearest, Placed, Refusal, Request};
pub use plan::{Action, AppWrite, Blocked, NewContainer, Plan, RecordWrite, Step};
pub use policy::Policy;
pub use rebalance::{HostScore, Rebalance, rebalance};
pub use reconcile::{plan, request_for};
pub use relocation::{moves_off, workspaces_on};
pub use restored::unknown_to_records;
pub use retry::after_failure;
pub use status::{SlotPhase, SlotStatus, slot_status};
pub use survival::{Homeless, Survival, survive};
pub use workspaces::{
    Happened, NewNetwork, NewWorkspaceContainer, SaveOrder, SavedContainer, WorkspaceAction, WorkspacePhase,
    WorkspacePlan, WorkspaceStatus, WorkspaceStep, WorkspaceWrite, after_workspace_step, plan_workspaces, ready_ahead,
    workspace_ends_at, workspace_has_ended, workspace_status, workspace_statuses,
};
pub use world::{AskedAhead, EngineState, World};
pub use writer::{about_one_writer, may_have_copy, unguarded};

#[cfg(test)]
mod tests;
