//! Pure decisions: placement, explanation, reconciliation to a plan.
//!
//! Nothing here does I/O, reads a clock or draws random numbers: the same input gives the same answer, always.

mod explain;
mod ledger;
mod placement;

pub use explain::{Explanation, HostVerdict, Verdict};
pub use ledger::{Hold, HoldKey, HostFacts, Ledger, PlacementPolicy, Totals};
pub use placement::{Avoid, Filter, MemberRequest, Nearest, Placed, Refusal, Request};
