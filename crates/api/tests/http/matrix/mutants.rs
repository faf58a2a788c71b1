//! The matrix can fail: programs without one of their checks do not pass it.

use std::process::Command;

/// Runs the matrix against a program that is broken on purpose; what it says.
fn complaint(mutant: &str) -> String {
    let test = "matrix::the_matrix_is_what_the_document_says_and_what_was_agreed";
    let ran = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env("PIERHEAD_MUTANT", mutant)
        .env_remove("UPDATE")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success(), "the broken program passes: {said}");
    said
}

#[test]
fn a_program_that_skips_one_permission_is_noticed() {
    let said = complaint("no-check-of-write-engines");
    assert!(said.contains("POST /api/engines of user") && said.contains("but Forbidden"), "{said}");
    assert!(!said.contains("/api/account of user"), "only that one is skipped: {said}");
}

#[test]
fn a_program_that_does_not_ask_whose_it_is_is_noticed() {
    let said = complaint("no-check-of-write-all-containers");
    assert!(said.contains("/stop of user about others'") && said.contains("but NotTheirs"), "{said}");
    assert!(!said.contains("but Forbidden"), "permissions are still checked: {said}");
}

#[test]
fn a_check_of_accounts_or_roles_that_is_skipped_is_noticed() {
    let said = complaint("no-check-of-write-accounts");
    for what in ["DELETE /api/account/{username} of user", "PUT /api/roles/{name} of reader", "GET /api/roles of user"]
    {
        assert!(said.contains(what) && said.contains("but Forbidden"), "{what}: {said}");
    }
    assert!(!said.contains("/api/engines of user"), "only that one is skipped: {said}");
}
