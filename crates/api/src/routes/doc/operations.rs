//! Operations.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::OperationView;

const NO_OPERATION: &str = "There is no such operation";

pub fn list() -> Doc {
    Doc::new("list_operations", "List operations").lists::<OperationView>("The newest operations, newest first")
}

pub fn show() -> Doc {
    Doc::new("show_operation", "Show an operation, or wait for it")
        .path("id", "Its id")
        .query("wait", Kind::Number(0, 86_400), "For how many seconds the answer may wait for its end")
        .answers::<OperationView>(200, "How far it is")
        .refuses(404, "not_found", NO_OPERATION)
}

pub fn cancel() -> Doc {
    Doc::new("cancel_operation", "Call off an operation")
        .about("What it had added is taken back.")
        .path("id", "Its id")
        .nothing("It is being taken back, or had ended already")
        .refuses(404, "not_found", NO_OPERATION)
        .owners_or(WriteAllContainers)
        .refuses(409, "conflict", "Somebody changed the same thing meanwhile")
}
