//! Breakage that tests ask for, to see whether they would notice it. It exists only with the feature `mutants`, and does
//! nothing unless the variable `PIERHEAD_MUTANT` names it.

use pierhead_model::Permission;

/// `no-check-of-PERMISSION`: everybody who is logged in is taken to have the permission. That of
/// `write-all-containers` is the check of who owns what.
pub(crate) fn skips_check_of(permission: Permission) -> bool {
    let chosen = std::env::var("PIERHEAD_MUTANT").unwrap_or_default();
    chosen.strip_prefix("no-check-of-") == Some(permission.as_str())
}
