//! Pure decisions: placement, explanation, reconciliation to a plan.
