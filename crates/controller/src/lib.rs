//! The loops: heartbeat, inventory, plan and apply, operations.
